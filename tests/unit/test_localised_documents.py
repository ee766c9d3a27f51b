"""Localisation in JSON and YAML: rows of a speaker and texts in languages, wherever they lie."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.tables.localisation import CHOSEN
from pipeline.records.result import Conversion

FLAT: dict[str, dict[str, Any]] = {
    "tower.1": {"speaker": "Mira", "en": "Mind the third stair.", "zh-CN": "小心第三级台阶。", "de": "Die Stufe."},
    "tower.2": {"speaker": "Bram", "en": "I always do.", "zh-CN": "我一向小心。", "de": "Immer."},
    "tower.3": {"speaker": "Mira", "en": "", "zh-CN": None, "de": "Nie."},
    "menu.1": {"en": "New game", "zh-CN": "新游戏", "de": "Neues Spiel"},
}
NESTED = [
    {"id": 1, "speaker": "Mira", "text": {"en": "Mind the third stair.", "zh_Hans_CN": "小心第三级台阶。"}},
    {"id": 2, "speaker": "Bram", "text": {"en": "I always do.", "zh_Hans_CN": "我一向小心。"}, "mood": {"a": 1}},
]
NAMED = [
    {"speaker": {"en": "Mira", "zh": "米拉"}, "content": {"en": "Mind the third stair.", "zh": "小心第三级台阶。"}},
    {"speaker": {"en": "Bram", "zh": "布拉姆"}, "content": {"en": "I always do.", "zh": "我一向小心。"}},
]
ENGLISH, CHINESE = ["Mind the third stair."], ["小心第三级台阶。"]


def converted(folder: Path, document: object, character: str, name: str = "strings.json") -> Conversion:
    if name.endswith(".jsonl") and isinstance(document, list):
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in document)
    elif name.endswith((".yaml", ".yml")):
        text = yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
    else:
        text = json.dumps(document, ensure_ascii=False)
    (folder / name).write_text(text, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def lines_of(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


@pytest.mark.parametrize("name", ["strings.json", "strings.yaml", "strings.jsonl"])
@pytest.mark.parametrize(
    ("document", "character", "said"),
    [
        (FLAT, "Mira", ENGLISH),
        ([{"key": key, **row} for key, row in FLAT.items()], "Mira", ENGLISH),
        ({"version": "3", "strings": FLAT}, "Mira", ENGLISH),
        ({"chapter_1": {"scene_1": FLAT}, "chapter_2": {"scene_1": {}}}, "Mira", ENGLISH),
        ({"a.b.c.d.e.f.g.h": {"lines": FLAT}}, "Mira", ENGLISH),
        (NESTED, "Mira", ENGLISH),
        ({"scenes": [{"id": "a", "messages": NAMED}]}, "Mira", ENGLISH),
        (NAMED, "米拉", CHINESE),
        ([{"key": f"k{n}", "角色": who, "简体中文": zh, "英文": en} for n, (who, zh, en) in enumerate([
            ("米拉", "小心第三级台阶。", "Mind the third stair."), ("布拉姆", "我一向小心。", "I always do."),
        ])], "米拉", CHINESE),
    ],
)  # fmt: skip
def test_lines_are_in_the_language_of_the_characters_name(
    document: object, character: str, said: list[str], name: str, tmp_path: Path
) -> None:
    conversion = converted(tmp_path, document, character, name)
    assert lines_of(conversion) == said
    assert any(remark.startswith(CHOSEN.format("")) for remark in account_of(conversion)["remarks"])


@pytest.mark.parametrize(
    ("character", "said"),
    [("蘇晚晴", "燈塔的鐘聲響了。"), ("苏晚晴", "灯塔的钟声响了。"), ("米拉", "灯塔的钟声响了。")],
)
def test_a_name_in_traditional_characters_has_its_lines_in_them(character: str, said: str, tmp_path: Path) -> None:
    row = {"speaker": character, "en": "The bell rings.", "zh-CN": "灯塔的钟声响了。", "zh-Hant": "燈塔的鐘聲響了。"}
    assert lines_of(converted(tmp_path, {"bell": row}, character)) == [said]


def test_a_text_in_several_strings_is_one(tmp_path: Path) -> None:
    row = {"speaker": "Mira", "en": ["Mind the", "third stair."], "zh": "小心。"}
    assert lines_of(converted(tmp_path, {"a": row}, "Mira")) == ["Mind the\nthird stair."]


def test_a_string_that_nobody_speaks_is_left_out_with_its_reason(tmp_path: Path) -> None:
    reasons = {reject.text: reject.reason for reject in converted(tmp_path, FLAT, "Mira").rejects}
    assert reasons == {"New game": "a row without a speaker", "I always do.": "another speaker", "": "no content"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"speaker": "Mira", "text": "Mind the third stair.", "en": "Something else."}, ENGLISH),
        ({"speaker": "Mira", "text": "Mind the third stair.", "language": "en"}, ENGLISH),
    ],
)
def test_a_row_that_says_which_text_is_meant_is_a_line_as_before(
    row: dict[str, str], said: list[str], tmp_path: Path
) -> None:
    assert lines_of(converted(tmp_path, [row], "Mira")) == said


@pytest.mark.parametrize(
    "document",
    [
        {"a": {"en": "New game", "zh": "新游戏"}, "speaker": {"en": "Speaker"}},
        {"en": {"speaker": "Speaker"}, "zh": {"speaker": "说话人"}},
        [{"speaker": "Mira", "fr": "Attention.", "de": "Vorsicht."}],
    ],
)
def test_what_has_no_speaker_or_no_language_of_the_name_is_refused(document: object, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"strings\.json"):
        converted(tmp_path, document, "Mira")


def test_a_deep_document_is_read_in_no_time(tmp_path: Path) -> None:
    document: object = {"a": {"speaker": "Mira", "en": "Far too deep."}}
    for _ in range(60):
        document = {"b": document, "c": [{"d": n} for n in range(100)]}
    start = time.process_time()
    with pytest.raises(UnderstudyError):
        converted(tmp_path, document, "Mira")
    assert time.process_time() - start < 5


def test_a_row_that_is_all_a_stage_direction_is_no_line(tmp_path: Path) -> None:
    directed = {
        "tower.4": {"speaker": "Mira", "en": "[Bram laughs]"},
        "tower.5": {"speaker": "Mira", "en": "[dry] Aye."},
    }
    conversion = converted(tmp_path, FLAT | directed, "Mira")
    assert lines_of(conversion) == ["Mind the third stair.", "[dry] Aye."]
    assert {reject.text: reject.reason for reject in conversion.rejects}["[Bram laughs]"] == "a stage direction"
