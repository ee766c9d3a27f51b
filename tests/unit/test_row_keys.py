"""A key that changes what a row means is used or refused; every other key that nothing reads is counted by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.control_tokens import CONTROL_TOKEN
from pipeline.records.conversion import convert
from pipeline.records.readers.rows.row_forms import ROW_FORMS
from pipeline.records.readers.rows.row_keys import CHANGES_MEANING
from pipeline.records.result import Conversion

NOT_LEARNT = "not to be learnt, by its own weight"
CHAT = [{"role": "user", "content": "Can you ring it?"}, {"role": "assistant", "content": "I ring all of them."}]
ROWS: dict[str, dict[str, Any]] = {
    "ChatHaruhi line": {"input_hint": "The bells", "input": "Bram: Which?", "output": "I ring all of them."},
    "ChatHaruhi scene": {"file": "a.txt", "text": "Bram: Which?\nMira: I ring all of them."},
    "messages": {"messages": CHAT},
    "prompt and completion": {"prompt": CHAT[:1], "completion": CHAT[1:]},
    "ShareGPT": {"conversations": [{"from": "human", "value": "Which?"}, {"from": "gpt", "value": "All of them."}]},
    "alpaca": {"instruction": "Which bell?", "input": "", "output": "I ring all of them."},
    "ms-swift": {"query": "Which bell?", "response": "I ring all of them."},
    "question and answer": {"question": "Which bell?", "answer": "I ring all of them."},
    "setting": {"input": "Which bell?", "text": "I ring all of them."},
    "input and output": {"input": "Which bell?", "output": "I ring all of them."},
    "line": {"source_title": "The tower", "speaker": "Mira", "text": "I ring all of them."},
}


def converted(folder: Path, *rows: Any) -> Conversion:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return convert([path], "Mira", ConversionOptions())


def reasons(conversion: Conversion) -> list[str]:
    return sorted(reject.reason for reject in conversion.rejects)


def test_every_form_of_row_is_tried_here() -> None:
    assert ROWS.keys() == {form.name for form in ROW_FORMS}


@pytest.mark.parametrize("form", ROWS)
def test_a_key_that_nothing_reads_is_counted_and_said(form: str, tmp_path: Path) -> None:
    alone = converted(tmp_path, ROWS[form])
    with_more = converted(tmp_path, ROWS[form] | {"emotion": "calm"}, ROWS[form] | {"emotion": "", "id": 3})
    account = account_of(with_more)
    assert account["unused_keys"] == {"emotion": 2, "id": 1}
    assert "not used: 2 x emotion, 1 x id" in format_account(account)
    assert account_of(alone)["unused_keys"] == {}
    assert [record.text for record in with_more.records] == [record.text for record in alone.records]


@pytest.mark.parametrize("form", ROWS)
@pytest.mark.parametrize("key", sorted(CHANGES_MEANING - {"system", "history"}))
def test_a_key_that_changes_the_meaning_is_refused_where_its_form_lacks_it(form: str, key: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=rf"rows\.jsonl:1: has '{key}', which changes what it means"):
        converted(tmp_path, ROWS[form] | {key: ["something"]})
    assert converted(tmp_path, ROWS[form] | {key: []}).records


@pytest.mark.parametrize(
    "flag",
    [
        {"weight": 0},
        {"train": False},
        {"loss": False},
        {"mask": 1},
        {"weight": "0"},
        {"loss_mask": 0},
        {"is_train": False},
    ],
)
def test_a_row_that_is_not_to_be_learnt_is_rejected_by_its_own_reason(flag: dict[str, Any], tmp_path: Path) -> None:
    other = ROWS["line"] | {"text": "Mind your ears."}
    conversion = converted(tmp_path, ROWS["line"] | flag, other)
    assert [record.text for record in conversion.records] == ["Mind your ears."]
    assert reasons(conversion) == [NOT_LEARNT]


@pytest.mark.parametrize("flag", [{"weight": 0}, {"train": False}, {"loss": False}, {"masked": True}])
def test_a_turn_that_is_not_to_be_learnt_is_context_only(flag: dict[str, Any], tmp_path: Path) -> None:
    refused = {"role": "assistant", "content": "As a language model I have no bells."} | flag
    again = {"role": "user", "content": "Again, as yourself."}
    conversion = converted(tmp_path, {"messages": [CHAT[0], refused, again, CHAT[1] | {"weight": 1}]})
    (record,) = conversion.records
    assert record.text == "I ring all of them."
    assert [turn.text for turn in record.context] == [CHAT[0]["content"], refused["content"], again["content"]]
    assert reasons(conversion).count(NOT_LEARNT) == 1
    assert conversion.read == len(conversion.records) + conversion.duplicates + len(conversion.rejects)


@pytest.mark.parametrize("label", [{"label": False}, {"kto_tag": False}, {"label": "False"}, {"label": "false"}])
@pytest.mark.parametrize("form", ["messages", "prompt and completion", "ShareGPT", "alpaca", "ms-swift"])
def test_an_answer_that_people_rejected_is_not_learnt(form: str, label: dict[str, Any], tmp_path: Path) -> None:
    preferred = {"label": True, "prompt": "Who are you?", "completion": "Mira, who else?"}
    conversion = converted(tmp_path, ROWS[form] | label, preferred)
    assert [record.text for record in conversion.records] == ["Mira, who else?"]
    assert "a rejected answer, by its own label" in reasons(conversion)
    assert account_of(conversion)["unused_keys"] == {}


def test_a_class_of_questions_rules_nothing_out_and_is_counted_as_not_used(tmp_path: Path) -> None:
    rows = [{"question": f"Where is mill {number}?", "answer": "Here.", "label": "False"} for number in range(2)]
    conversion = converted(tmp_path, *rows)
    assert len(conversion.records) == 2
    assert account_of(conversion)["unused_keys"] == {"label": 2}


def test_a_label_that_is_no_truth_value_is_a_class_and_rules_nothing_out(tmp_path: Path) -> None:
    conversion = converted(tmp_path, ROWS["line"] | {"label": "calm"}, {"speaker": "Mira", "text": "Up!", "label": 0})
    assert len(conversion.records) == 2
    assert account_of(conversion)["unused_keys"] == {"label": 2}


@pytest.mark.parametrize(("trained", "kept"), [(False, 0), (True, 1)])
def test_a_message_of_which_a_part_is_not_trained_is_context_only(trained: bool, kept: int, tmp_path: Path) -> None:
    parts = [
        {"begin_offset": 0, "end_offset": 5, "train": True},
        {"begin_offset": 6, "end_offset": 9, "train": trained},
    ]
    turns = [CHAT[0], CHAT[1] | {"train_detail": parts}, CHAT[0], {"role": "assistant", "content": "All of them, yes."}]
    conversion = converted(tmp_path, {"messages": turns})
    assert len(conversion.records) == kept + 1
    assert reasons(conversion).count(NOT_LEARNT) == 1 - kept
    assert account_of(conversion)["unused_keys"] == {}


def test_an_end_of_sequence_in_a_reply_is_no_markup_to_be_stripped(tmp_path: Path) -> None:
    conversion = converted(tmp_path, ROWS["line"], ROWS["line"] | {"text": "</s> is what he wrote."})
    assert len(conversion.records) == 1
    assert reasons(conversion) == [CONTROL_TOKEN]


@pytest.mark.parametrize(
    "text",
    [
        "Below is an instruction that describes a task.\n\n### Instruction:\nWho?\n\n### Response:\nMira.",
        "### Human: Who are you?\n### Assistant: Mira.",
        "USER: Who are you?\nASSISTANT: Mira.",
        "### 指令：\n你是谁？\n\n### 回答：\n我是米拉。",
        "用户：你是谁？\n助手：我是米拉。",
    ],
)
def test_a_whole_example_in_a_trainers_template_is_no_line(text: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, {"text": text}, {"text": "The user: a riddle. My response: none."})
    assert [record.text for record in conversion.records] == ["The user: a riddle. My response: none."]
    (reason,) = reasons(conversion)
    assert "columns of their own" in reason


def test_a_weight_between_is_an_error_that_says_where_weights_are(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"rows\.jsonl:1: has 'weight' of 0\.5.*`settings_weight`"):
        converted(tmp_path, ROWS["line"] | {"weight": 0.5})


def test_alpacas_history_stands_before_and_is_learnt_and_its_system_text_is_set_aside(tmp_path: Path) -> None:
    row = ROWS["alpaca"] | {"history": [["Who are you?", "I am Mira."]], "system": "You are Mira."}
    conversion = converted(tmp_path, row)
    first, last = conversion.records
    assert (first.text, last.text) == ("I am Mira.", "I ring all of them.")
    assert [turn.text for turn in last.context] == ["Who are you?", "I am Mira.", "Which bell?"]
    assert reasons(conversion) == ["a system prompt", "another speaker", "another speaker"]
    with pytest.raises(UnderstudyError, match=r"history\.0: is no pair"):
        converted(tmp_path, ROWS["alpaca"] | {"history": ["Who are you?"]})


def test_turns_are_read_by_role_and_content_or_from_and_value_under_either_name(tmp_path: Path) -> None:
    turns = ROWS["ShareGPT"]["conversations"]
    assert [one.text for one in converted(tmp_path, {"conversations": CHAT}).records] == ["I ring all of them."]
    assert [one.text for one in converted(tmp_path, {"messages": turns}).records] == ["All of them."]


def test_a_system_that_is_a_games_data_is_no_prompt(tmp_path: Path) -> None:
    row = {"speaker": "Mira", "text": "I ring all of them.", "system": {"hp": 58}}
    (tmp_path / "a.json").write_text(json.dumps([row]), encoding="utf-8")
    conversion = convert([tmp_path / "a.json"], "Mira", ConversionOptions())
    assert [record.text for record in conversion.records] == ["I ring all of them."]
