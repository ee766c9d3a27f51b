"""Rows of something asked and something replied, whatever a data set calls the two: nothing asked is ever dropped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.column_words import EXCHANGES
from pipeline.records.conversion import convert
from pipeline.records.readers.rows.row_forms import in_our_words
from pipeline.records.record import Record

ASKED, REPLIED = "Where do you keep the key?", "Below the third stone."


def records_of(folder: Path, *rows: dict[str, str]) -> list[Record]:
    (folder / "a.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return convert([folder], "Mira", ConversionOptions()).records


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": ASKED, "response": REPLIED},
        {"prompt": ASKED, "output": REPLIED},
        {"prompt": ASKED, "text": REPLIED},
        {"question": ASKED, "response": REPLIED},
        {"question": ASKED, "context": "", "response": REPLIED},
        {"instruction": ASKED, "context": "", "response": REPLIED},
        {"Instruction": ASKED, "Response": REPLIED},
        {"input": ASKED, "response": REPLIED},
        {"user": ASKED, "assistant": REPLIED},
        {"human": ASKED, "bot": REPLIED},
        {"system": "You are Mira.", "prompt": ASKED, "response": REPLIED},
        {"提问": ASKED, "内容": REPLIED},
        {"问题": ASKED, "文本": REPLIED},
        {"speaker": "Mira", "prompt": ASKED, "text": REPLIED},
        {"speaker": "Mira", "question": ASKED, "response": REPLIED},
        {"character": "Mira", "prompt": ASKED, "response": REPLIED},
        {"角色": "Mira", "问题": ASKED, "台词": REPLIED},
    ],
)
def test_a_question_and_its_answer_are_a_setting_under_any_of_the_usual_names(
    row: dict[str, str], tmp_path: Path
) -> None:
    (found,) = records_of(tmp_path, row)
    assert (found.kind, found.prompt, found.text) == ("setting_qa", ASKED, REPLIED)


def test_a_dollys_context_stands_below_its_instruction(tmp_path: Path) -> None:
    (found,) = records_of(tmp_path, {"instruction": "Sum it up?", "context": "It rained?", "response": "Wet."})
    assert found.prompt == "Sum it up?\nIt rained?"


@pytest.mark.parametrize(
    "instruction",
    [
        "You are Mira Vale. Answer the user.",
        "Act as Mira, a miller, and answer in her voice.",
        "你现在是Mira，请回答用户的问题。",
        "请扮演Mira。",
    ],
)
def test_an_instruction_that_says_who_answers_is_no_part_of_the_question(instruction: str, tmp_path: Path) -> None:
    (record,) = records_of(tmp_path, {"instruction": instruction, "input": ASKED, "output": REPLIED})
    assert (record.kind, record.prompt, record.text) == ("setting_qa", ASKED, REPLIED)


def test_an_instruction_that_asks_stays_a_part_of_the_question(tmp_path: Path) -> None:
    asking = "You are far from home, are you not?"
    (record,) = records_of(tmp_path, {"instruction": asking, "input": ASKED, "output": REPLIED})
    assert record.prompt == f"{asking}\n{ASKED}"
    for task in ("You are Mira Vale. Translate this into French.", "Act as Mira and write a poem about this."):
        (record,) = records_of(tmp_path, {"instruction": task, "input": ASKED, "output": REPLIED})
        assert record.prompt == f"{task}\n{ASKED}"
    (record,) = records_of(tmp_path, {"instruction": "Say it in a word.", "input": ASKED, "output": REPLIED})
    assert record.prompt == f"Say it in a word.\n{ASKED}"


def test_what_somebody_else_replies_is_not_the_characters(tmp_path: Path) -> None:
    rows = [{"character": name, "prompt": ASKED, "response": f"{name} says so."} for name in ("Bram", "Mira")]
    (found,) = records_of(tmp_path, *rows)
    assert found.text == "Mira says so."


@pytest.mark.parametrize("row", [{"topic": "keys", "answer": REPLIED}, {"mood": "cross", "response": REPLIED}])
def test_a_reply_to_nothing_is_an_error_and_no_line(row: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"a\.jsonl:1: has "):
        records_of(tmp_path, row)


def test_questions_to_test_with_are_passed_over_beside_the_records_and_never_learnt(tmp_path: Path) -> None:
    probe = {"fact_id": "key", "question_seen": ASKED, "questions_unseen": ["And the key?"], "answer": REPLIED}
    (tmp_path / "probes.jsonl").write_text(json.dumps(probe), encoding="utf-8")
    (found,) = records_of(tmp_path, {"question": ASKED, "answer": REPLIED})
    assert found.source.endswith("a.jsonl:1")
    with pytest.raises(UnderstudyError, match="nothing to learn: `probes`"):
        convert([tmp_path / "probes.jsonl"], "Mira", ConversionOptions())


@pytest.mark.parametrize(
    "row",
    [
        {"user": "Bram", "text": "Who goes there?"},
        {"user": "Bram", "response": "Who goes there?"},
        {"用户": "小满", "内容": "谁在那儿？"},
    ],
)
def test_who_speaks_is_not_taken_for_what_is_asked(row: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"a\.jsonl:1: has "):
        records_of(tmp_path, row)


@pytest.mark.parametrize("who", ["name", "user", "author", "sender", "from", "nickname", "role", "用户", "sprecher"])
def test_lines_of_several_people_are_never_all_the_characters(who: str, tmp_path: Path) -> None:
    rows = [{who: name, "text": f"{name} says so."} for name in ("Bram", "Mira")]
    with pytest.raises(UnderstudyError, match=rf"(?s){who}, text, which is no known form.*speaker={who}"):
        records_of(tmp_path, *rows)


def test_a_text_beside_what_is_nobodys_name_is_the_characters(tmp_path: Path) -> None:
    (found,) = records_of(tmp_path, {"id": "7", "emotion": "cross", "text": "Mind the step."})
    assert found.text == "Mind the step."


def test_a_voice_file_beside_a_speaker_and_a_text_is_no_scene(tmp_path: Path) -> None:
    rows = [{"file": f"{name}.wav", "speaker": name, "text": f"{name} says so."} for name in ("Bram", "Mira")]
    (found,) = records_of(tmp_path, *rows)
    assert found.text == "Mira says so."


def test_a_players_name_beside_a_line_is_no_question_that_it_answers(tmp_path: Path) -> None:
    (found,) = records_of(tmp_path, {"speaker": "Mira", "text": "Mind the step.", "user": "Sam"})
    assert (found.kind, found.prompt) == ("dialogue", "")


@given(
    st.sampled_from([(asks, replies) for asked, replied in EXCHANGES for asks in asked for replies in replied]),
    st.booleans(),
)
def test_no_pair_of_names_loses_what_was_asked(names: tuple[str, str], swapped: bool) -> None:
    asks, replies = names
    row = {asks: ASKED, replies: REPLIED}
    ours = in_our_words(dict(reversed(row.items())) if swapped else row)
    asked = {"question", "prompt", "query", "instruction", "input"} & ours.keys()
    replied = {"answer", "completion", "response", "output", "text"} & ours.keys()
    assert {ours[key] for key in asked} == {ASKED}
    assert {ours[key] for key in replied} == {REPLIED}
