"""Raw files become records, and nothing is lost on the way."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.classify import classify, compile_patterns
from pipeline.records.conversion import code_digest, convert, ensure_converted, records_of
from pipeline.records.record import Record, Turn, read_records, write_records
from pipeline.records.result import Conversion
from tests.conftest import ROOT

PATTERNS = compile_patterns()


def converted(folder: Path, character: str = "Mira", context_turns: int = 6) -> Conversion:
    return convert([folder], character, ConversionOptions(context_turns=context_turns))


def written(folder: Path, entries: object, name: str = "a.json") -> Path:
    (folder / name).write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return folder


def line(text: str, speaker: str = "Mira", **fields: str) -> dict[str, str]:
    return {"speaker": speaker, "text": text, **fields}


entries = st.lists(
    st.fixed_dictionaries(
        {
            "speaker": st.sampled_from(["Mira", "Bram"]),
            "text": st.sampled_from(["", "...", "Aye.", "Nay.", "……", "好。"]),
        },
        optional={
            "input": st.sampled_from(["", "Where?", "Character Story 1"]),
            "source_title": st.sampled_from(["", "Dusk"]),
        },
    ),
    min_size=1,
    max_size=30,
)


@given(entries=entries)
def test_every_record_read_is_kept_or_a_duplicate_or_rejected(
    entries: list[dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = written(tmp_path_factory.mktemp("raw"), [line("I am here."), *entries])
    conversion = converted(folder)
    account = account_of(conversion)
    assert account["read"] == len(entries) + 1
    assert account["problems"][0]["found"] <= account["duplicates"]
    assert account["read"] == account["kept"] + account["duplicates"] + sum(account["rejected"].values())
    assert account["kept"] == sum(account["kinds"].values()) == len({r.record_id for r in conversion.records})


@pytest.mark.parametrize(
    ("input_text", "kind"),
    [
        ("", "dialogue"),
        ("角色故事3", "background"),
        ("角色详细", "background"),
        ("神之眼", "background"),
        ("Character Story 2", "background"),
        ("More About Mira", "background"),
        ("元素战技·其一", "dialogue"),
        ("同伴生命值低·其二", "dialogue"),
        ("关于那维莱特", "setting_qa"),
        ("Where were you born?", "setting_qa"),
        ("Tell me about Character Story 2", "setting_qa"),
    ],
)
def test_a_record_is_classified_by_its_input_alone(input_text: str, kind: str) -> None:
    assert classify(input_text, PATTERNS).kind == kind


def test_the_recipes_patterns_replace_the_defaults() -> None:
    patterns = compile_patterns(background=["Lore: .*"])
    assert classify("Lore: the flood", patterns).kind == "background"
    assert classify("角色故事1", patterns).kind == "setting_qa"


def test_a_broken_pattern_is_named() -> None:
    with pytest.raises(UnderstudyError, match=r"'\(': is no regular expression"):
        compile_patterns(background=["("])


def test_only_the_characters_own_lines_are_kept_and_the_others_are_named(tmp_path: Path) -> None:
    conversion = converted(written(tmp_path, [line("Aye."), line("Nay.", speaker="Bram"), line("?!")]))
    assert [record.text for record in conversion.records] == ["Aye."]
    assert [(reject.reason, reject.source) for reject in conversion.rejects] == [
        ("another speaker", f"{tmp_path}/a.json#1"),
        ("no content", f"{tmp_path}/a.json#2"),
    ]


def test_folder_trees_are_read_in_order_and_other_files_passed_over_aloud(tmp_path: Path) -> None:
    for name in ("b/2.json", "b/1.json", "a.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written((tmp_path / name).parent, [line(name)], Path(name).name)
    (tmp_path / "notes.md").write_text("not a record", encoding="utf-8")
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["a.json", "b/1.json", "b/2.json"]
    assert conversion.passed_over == (f"{tmp_path}/notes.md (no known form)",)


def test_utf16_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps([line("十六位的钟声")], ensure_ascii=False), encoding="utf-16")
    (tmp_path / "b.json").write_text(json.dumps([line("有签名的钟声")], ensure_ascii=False), encoding="utf-8-sig")
    assert [record.text for record in converted(tmp_path).records] == ["十六位的钟声", "有签名的钟声"]


TRANSCRIPT = """## Dusk
Bram: Late again.
Mira: (out of breath) The stairs
Mira: are many.
Bram: They were many yesterday.
Mira: And the day before.

派蒙：你是谁？
Mira：我是敲钟的。
"""


def test_a_transcripts_lines_carry_the_turns_before_them(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(TRANSCRIPT, encoding="utf-8")
    first, second, third = converted(tmp_path).records
    assert (first.prompt, first.text, first.context) == (
        "Dusk",
        "(out of breath) The stairs\nare many.",
        (Turn("Bram", "Late again."),),
    )
    assert [turn.speaker for turn in second.context] == ["Bram", "Mira", "Bram"]
    assert third.context == (Turn("派蒙", "你是谁？"),)


def test_context_is_cut_to_the_last_turns(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(TRANSCRIPT, encoding="utf-8")
    assert converted(tmp_path, context_turns=1).records[1].context == (Turn("Bram", "They were many yesterday."),)
    assert converted(tmp_path, context_turns=0).records[1].context == ()


def test_records_survive_the_file(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text(TRANSCRIPT, encoding="utf-8")
    records = converted(tmp_path).records
    write_records(tmp_path / "records.jsonl", records)
    assert read_records(tmp_path / "records.jsonl") == list(records)


@given(text=st.text(min_size=1, max_size=20))
def test_any_text_survives_the_file(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "records.jsonl"
    record = Record("id", "dialogue", text, text, (Turn(text, text),), "Mira", "a#0", tags=(text,), also=(text,))
    write_records(path, [record, record])
    assert read_records(path) == [record, record]


def test_unchanged_raw_files_are_not_converted_again(tmp_path: Path, raw_folder: Path) -> None:
    out = tmp_path / "out"
    first = ensure_converted([raw_folder], "Mira", out, ConversionOptions())
    (out / "records.jsonl").write_text("untouched", encoding="utf-8")
    assert ensure_converted([raw_folder], "Mira", out, ConversionOptions()) == first
    assert (out / "records.jsonl").read_text(encoding="utf-8") == "untouched"
    written(raw_folder, [line("New.")], "new.json")
    assert ensure_converted([raw_folder], "Mira", out, ConversionOptions())["kept"] == first["kept"] + 1


@pytest.mark.parametrize("changed", ["code_digest", "excel.is_installed", "__version__"])
def test_what_other_code_converted_is_converted_again(
    changed: str, tmp_path: Path, raw_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ensure_converted([raw_folder], "Mira", tmp_path, ConversionOptions())
    records = (tmp_path / "records.jsonl").read_bytes()
    (tmp_path / "records.jsonl").write_text("of old readers", encoding="utf-8")
    monkeypatch.setattr(f"pipeline.records.conversion.{changed}", "0" if changed == "__version__" else lambda: "0")
    again = ensure_converted([raw_folder], "Mira", tmp_path, ConversionOptions())
    assert (tmp_path / "records.jsonl").read_bytes() == records
    assert again == first | {"fingerprint": again["fingerprint"]}


def test_a_digest_of_code_changes_with_any_of_its_modules(tmp_path: Path) -> None:
    copy = Path(shutil.copytree(ROOT / "pipeline/records", tmp_path / "records"))
    assert code_digest(copy) == code_digest()
    code_digest.cache_clear()
    with (copy / "readers/cards/card.py").open("a", encoding="utf-8") as module:
        module.write("# read otherwise\n")
    assert code_digest(copy) != code_digest()


def test_records_that_stay_are_the_same_to_a_run_whatever_code_converted_them(
    tmp_path: Path, raw_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = records_of([raw_folder], "Mira", tmp_path, ConversionOptions())
    monkeypatch.setattr("pipeline.records.conversion.code_digest", lambda: "0")
    assert records_of([raw_folder], "Mira", tmp_path, ConversionOptions()) == before
    written(raw_folder, [line("New.")], "new.json")
    assert records_of([raw_folder], "Mira", tmp_path, ConversionOptions())[1] != before[1]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b'[{"speaker": "Mira", "text": ', r"a\.json:1:\d+: is broken JSON"),
        (b'{"speaker": "Mira"}', r"a\.json:1: has no 'text'"),
        (
            b'{"name": 3, "lines": []}',
            r"a\.json:1: has name, lines, which is no known form.*with `maps`",
        ),
        (b'{\n"speaker": "Mira"}', r"a\.json: has speaker, which is no known form"),
        (b'[{"speaker": "Mira"}]', r"a\.json#0: has no 'text'.*add 'text'"),
        (
            b'[{"speaker": "Mira", "text": 27}]',
            r"a\.json#0: has 'text' that is no string but a number: 27.*quotation marks",
        ),
        (b'[{"speaker": "Mira", "text": ["Aye."]}]', r"a\.json#0: has 'text' that is no string: \['Aye\.'\]"),
        (b'[{"speaker": "Mira", "text": null}]', r"a\.json#0: has no 'text'"),
        (b'["Aye."]', r"a\.json#0: is 'Aye.', not a record"),
        (
            b'[{"speaker": "Mira", "text": "Aye.", "input": 3}]',
            r"a\.json#0: has 'input' that is no string but a number: 3",
        ),
        ('[\n{"speaker": "敲钟人", "text": "钟"}]'.encode()[:-8] + b"\xff" + b'"}]', r"a\.json:2: is not UTF-8 text"),
        (b'[{"speaker": "Bram", "text": "Nay."}]', r"nothing usable is said by 'Mira'; the speakers are: Bram \(1\)"),
    ],
)
def test_a_bad_file_is_an_error_that_says_where_and_what_and_the_fix(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(UnderstudyError, match=f"(?s){complaint}") as raised:
        converted(tmp_path)
    assert "To fix it: " in str(raised.value)


def test_a_transcript_line_without_a_speaker_is_rejected_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("Mira: Aye.\nand nobody said this\n(a door)\nMira: Nay.\n", encoding="utf-8")
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["Aye.\nNay."]
    assert [(reject.reason, reject.source) for reject in conversion.rejects] == [
        ("no speaker", f"{tmp_path}/t.txt:2"),
        ("a stage direction", f"{tmp_path}/t.txt:3"),
    ]


def test_an_empty_folder_and_an_absent_one_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="holds no file"):
        converted(tmp_path)
    with pytest.raises(UnderstudyError, match="does not exist"):
        converted(tmp_path / "nowhere")


def test_the_seeds_character_keeps_its_lines_and_four_sorts_of_settings(shared_data: Path) -> None:
    seed = shared_data / "seed"
    conversion = convert(
        [seed / "speaker" / "芙宁娜", seed / "settings_modified_furina.json"], "芙宁娜", ConversionOptions()
    )
    account = account_of(conversion)
    assert account["kept_by_file"][str(seed / "settings_modified_furina.json")] == 80
    assert account["sorts"] == {"line": 878, "persona": 26, "cry": 25, "ambient": 20, "passage": 9}
    assert account["read"] == 1544 == account["kept"] + account["duplicates"] + sum(account["rejected"].values())
