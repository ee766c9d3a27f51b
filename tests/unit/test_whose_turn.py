"""What somebody else says in a conversation by role is not learnt as the character's, and no line keeps its label."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.check import format_check
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

OF_ANOTHER = "a reply of somebody else, by its system prompt"


def converted(folder: Path, *rows: Any, name: str = "Ilsa Marrow") -> Conversion:
    (folder / "a.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return convert([folder], name, ConversionOptions())


def chat(*texts: str, system: str = "") -> dict[str, Any]:
    turns = [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(texts)]
    return {"messages": [{"role": "system", "content": system}, *turns] if system else turns}


@pytest.mark.parametrize("own", ["Ilsa Marrow", "Ilsa", "**Ilsa Marrow**"])
def test_a_turn_in_which_two_speak_is_taken_apart_by_their_labels(own: str, tmp_path: Path) -> None:
    turn = f"Bram: Wait, I forgot my hat.\n{own}: Of course you did.\nNote: it rains."
    found = converted(tmp_path, chat("Come on.", "Ilsa Marrow: Good day.", "And now?", turn))
    assert [record.text for record in found.records] == ["Good day.", "Of course you did.\nNote: it rains."]
    before = [(turn.speaker, turn.text) for turn in found.records[1].context]
    assert before[1:] == [("Ilsa Marrow", "Good day."), ("", "And now?"), ("Bram", "Wait, I forgot my hat.")]


def test_a_chinese_turn_in_which_two_speak_is_taken_apart_too(tmp_path: Path) -> None:
    found = converted(tmp_path, chat("走吧。", "阿强：等等，我忘了帽子。\n小满：我就知道会这样。"), name="小满")
    assert [record.text for record in found.records] == ["我就知道会这样。"]


def test_what_stands_before_a_colon_is_nobody_without_the_own_label(tmp_path: Path) -> None:
    said = "Remember: shut the gate.\nNote: it sticks."
    (found,) = converted(tmp_path, chat("What do I do?", said)).records
    assert found.text == said


def test_a_name_that_begins_several_turns_is_somebody_else(tmp_path: Path) -> None:
    rows = [chat(f"Hello {number}.", f"Bram: I say {number}.") for number in range(3)]
    rows += [chat(f"Well {number}.", f"Careful: the step, {number}!") for number in range(3)]
    found = converted(tmp_path, *rows, chat("And?", "Be careful on it."))
    assert [record.text for record in found.records][:3] == [f"Careful: the step, {number}!" for number in range(3)]
    assert sum(reject.speaker == "Bram" for reject in found.rejects) == 3


@pytest.mark.parametrize("told", ["她笑道", "小满笑道", "那一天", "记住"])
def test_what_tells_how_the_character_speaks_is_nobody_however_often(told: str, tmp_path: Path) -> None:
    rows = [chat(f"你好，{number}。", f"{told}：第{number}次了，你还来。") for number in range(3)]
    assert len(converted(tmp_path, *rows, name="小满").records) == 3


def test_a_chinese_name_that_begins_several_turns_is_somebody_else(tmp_path: Path) -> None:
    rows = [chat(f"你好，{number}。", f"阿强：第{number}次了，你还来。") for number in range(3)]
    found = converted(tmp_path, *rows, chat("你好。", "又是你，进来吧。"), name="小满")
    assert [record.text for record in found.records] == ["又是你，进来吧。"]


@pytest.mark.parametrize("reply", ["Ilsa Marrow: I am nobody.", "**Ilsa Marrow:** I am nobody."])
@pytest.mark.parametrize("keys", [("prompt", "completion"), ("instruction", "output"), ("question", "answer")])
def test_an_own_name_before_an_answer_is_no_part_of_it(reply: str, keys: tuple[str, str], tmp_path: Path) -> None:
    (found,) = converted(tmp_path, dict(zip(keys, ("Who are you?", reply), strict=True))).records
    assert (found.prompt, found.text) == ("Who are you?", "I am nobody.")


def test_a_greeting_with_its_speakers_label_is_learnt_without_it(tmp_path: Path) -> None:
    card = {"name": "Ilsa Marrow", "nickname": "Ilsa", "first_mes": '{{char}}: "Late. The lock closes at nine."'}
    (found,) = converted(tmp_path, {"spec": "chara_card_v2", "data": card}).records
    assert found.text == '"Late. The lock closes at nine."'


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("You are Bram Tolley, a sailor.", "Ilsa Marrow"),
        ("You are Bram Tolley.", "Ilsa Marrow"),
        ("You are Bram Marrow.", "Ilsa Marrow"),
        ("You are Captain Bram.", "Captain Ilsa"),
        ("You are now Bram Tolley\nStay in character.", "Ilsa Marrow"),
        ("你是布拉姆，一名水手。", "小满"),
        ("你的名字是布拉姆。", "小满"),
    ],
)
def test_a_conversation_whose_system_prompt_is_of_somebody_else_is_left_out_with_the_fix(
    prompt: str, name: str, tmp_path: Path
) -> None:
    rows = [chat("Hello.", "Ahoy there, all of you."), chat("Hello.", "Never mind the weather.", system=prompt)]
    found = converted(tmp_path, *rows, name=name)
    assert [record.text for record in found.records] == ["Ahoy there, all of you."]
    assert [reject.reason for reject in found.rejects].count(OF_ANOTHER) == 2
    assert "odd: 1 rows are left out whose system prompt says" in format_check(found)
    assert any(f"--other_names '{who}" in format_check(found) for who in ("B", "Captain B", "布"))


@pytest.mark.parametrize(
    "prompt",
    [
        "You are a helpful assistant.",
        "You are an expert in clocks.",
        "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.",
        "You are ChatGPT, a large language model.",
        "You are Ilsa Marrow, who keeps the lock.",
        "You are Captain Ilsa, of the Hen.",
        "You are English, and polite.",
        "You are Bram Tolley's sister.",
        "You are Friendly, patient and brief.",
        "You are Captain, and Ilsa is your name.",
        "You are Dr. Ilsa Marrow, a physician.",
        "你是水神，一位审判官。",
        "你是活泼的少女，今年十八岁。",
        "你叫我主人。",
        "你是一个乐于助人的助手。",
        "你是客服，请耐心回答。",
        "你是人工智能助手，来自星海公司。",
    ],
)
def test_a_system_prompt_that_names_nobody_else_leaves_nothing_out(prompt: str, tmp_path: Path) -> None:
    assert len(converted(tmp_path, chat("Hello.", "Never mind the weather.", system=prompt)).records) == 1


def test_the_system_column_of_a_row_says_who_replies_as_well(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Who are you?", "output": f"I am {name}.", "system": f"You are {name}."}
        for name in ("Bram Tolley", "Ilsa Marrow")
    ]
    assert [record.text for record in converted(tmp_path, *rows).records] == ["I am Ilsa Marrow."]


@pytest.mark.parametrize("said", ["*smiles* Come in.", "**Never** again, I said."])
def test_what_is_marked_behind_an_own_label_keeps_its_marks(said: str, tmp_path: Path) -> None:
    (found,) = converted(tmp_path, chat("Hello?", f"Ilsa Marrow: {said}")).records
    assert found.text == said


def test_words_before_colons_below_one_own_label_are_what_it_says(tmp_path: Path) -> None:
    (found,) = converted(tmp_path, chat("How?", "Ilsa: Here is my chowder.\nFish: two cod.\nSalt: a pinch.")).records
    assert found.text == "Here is my chowder.\nFish: two cod.\nSalt: a pinch."
