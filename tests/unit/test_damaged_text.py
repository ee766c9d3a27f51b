"""Text with lost characters, or read in another encoding, is taught to nobody; sound text of any script is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.damage import DAMAGED, reason_of_damage

AS_WINDOWS = f"{DAMAGED}: UTF-8 that was read as Windows-1252"
AS_GBK = f"{DAMAGED}: UTF-8 that was read as GBK"
CHINESE = "今天的雾很大，你路上要小心台阶。"
SOUND = (
    "« liberté\u00a0»\u00a0!", "MANHÃ”", "“CAFÉ”", "Été «\u00a0À\u00a0»", "L’été… «\u00a0né\u00a0»", "naïve, über",
    "烫烫烫！", "这碗汤好烫", "Ça va? À bientôt…", "Ảnh Âu", "Привет, мир", "こんにちは、世界。", "안녕하세요",
    "联通", "锟城", "It’s late — “go” €5", "Â", "5 ¼ miles", "Pokémon™", "你好", "ÄÖÜ", "»Äpfel«", "ПРИВЕТ", "😀👍",
)  # fmt: skip


@pytest.mark.parametrize("text", SOUND)
def test_sound_text_is_not_damaged(text: str) -> None:
    assert reason_of_damage(text) == ""


@pytest.mark.parametrize("text", ["请进\ufffd。", "锟斤拷锟斤拷在的", "烫烫烫烫烫烫", "屯屯屯屯", "它烫烫烫的"])
def test_lost_characters_are_damage(text: str) -> None:
    assert reason_of_damage(text) == DAMAGED


@pytest.mark.parametrize(
    "text", ["It’s late", "“Go”", "wait…", "好，", "是。", "café", "für", "你好", "こんにちは", "Привет", "😀"]
)
def test_utf_8_that_was_read_as_windows_1252_is_known_and_said(text: str) -> None:
    data = text.encode()
    assert reason_of_damage(data.decode("latin-1")) == AS_WINDOWS
    assert reason_of_damage("".join(bytes([one]).decode("cp1252", "ignore") or chr(one) for one in data)) == AS_WINDOWS


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=6))
def test_of_utf_8_that_was_read_as_gbk_most_is_known(text: str) -> None:
    read = text.encode().decode("gb18030", "ignore")
    assert reason_of_damage(read) in (AS_GBK, DAMAGED, "")
    assert reason_of_damage(CHINESE.encode().decode("gb18030", "ignore")) == AS_GBK
    assert reason_of_damage(text) == "" or "烫" in text or "屯" in text or "锟" in text


def test_damaged_lines_and_settings_are_rejected_by_what_happened_to_them(tmp_path: Path) -> None:
    lines = [CHINESE, "请进\ufffd，坐。", "Itâ€™s late, go home."]
    rows = [{"speaker": "Mira", "text": text} for text in lines]
    rows += [{"speaker": "Mira", "text": "In Saltmere.", "input": "Where donâ€™t you live?"}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows), encoding="utf-8")
    conversion = convert([path], "Mira", ConversionOptions())
    assert [record.text for record in conversion.records] == [CHINESE]
    account = account_of(conversion)
    assert account["rejected"] == {AS_WINDOWS: 2, DAMAGED: 1}
    assert {one["name"]: one["found"] for one in account["problems"]}[DAMAGED] == 2
