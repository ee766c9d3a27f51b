"""What explain shows is what was encoded, whole."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline import explain
from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import facts_of
from pipeline.augmentation.items import ItemShares, Wordings, fact_items
from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, render, user
from pipeline.errors import UnderstudyError
from pipeline.inspection.explain import choose_records, describe_limits
from pipeline.inspection.show import format_walk
from pipeline.inspection.walk import Exposures, pieces_of, walk_record
from pipeline.records.record import Record
from pipeline.tokens.encode import encode
from pipeline.training.characters import Character, Characters
from tests.families import FAMILIES
from tests.unit.test_templates import RECORDS, normalised

MIRA = make_persona("Mira", "en", {})


@pytest.mark.parametrize(
    "text", ["In Saltmere, 好吗?", "A bell \U0001f514 rings.", "One\n\ntwo.", "Half \ufffd a letter."]
)
def test_the_pieces_joined_are_the_row(tokenizer: Any, text: str) -> None:
    record = Record("r", "setting_qa", "Where?", text, (), "Mira", "a.json#1")
    for row in encode(render(record, MIRA, chat_share=0.5), tokenizer):
        pieces = pieces_of(row, tokenizer)
        assert "".join(piece.text for piece in pieces) == tokenizer.decode(row.input_ids)
        assert "".join(piece.text for piece in pieces if piece.supervised) == f"{text}<|im_end|>"


def test_a_sentencepiece_tokenizer_keeps_its_spaces() -> None:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = "\u2581abcdefghijklmnopqrstuvwxyzMYASQUIWCS1.?:,'"
    words = ["<eos>", "<unk>", *dict.fromkeys(letters)]
    vocabulary = {word: number for number, word in enumerate(words)}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    raw.pre_tokenizer = pre_tokenizers.Metaspace()
    raw.decoder = decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<eos>", unk_token="<unk>", pad_token="<eos>")
    tokenizer.chat_template = (
        "{% for message in messages %}{{ message['content'] }}"
        "{{ eos_token if message['role'] == 'assistant' else ' ' }}{% endfor %}"
    )
    (row,) = encode(render(RECORDS["background"], MIRA, chat_share=0)[:1], tokenizer)
    shown = "".join(piece.text for piece in pieces_of(row, tokenizer))
    assert "is background and lore" in shown
    assert "Mira rings the bells.<eos>" in shown


def test_a_walk_shows_one_form_of_each_instruction_and_what_the_loss_sees() -> None:
    tokenizer = normalised(FAMILIES["Gemma"])
    (fact,) = facts_of(RECORDS.values())
    wordings = Wordings(read_boundaries("en"))
    made = fact_items([(fact, 8)], MIRA, wordings, ItemShares(written=0.25, setting=0, chat=0.5), seed=0)
    conversations = made[fact.fact_id]
    walk = walk_record(
        RECORDS["setting_qa"], conversations, list(encode(conversations, tokenizer)), tokenizer,
        persona=MIRA, exposures=Exposures(5, 15, None),
    )  # fmt: skip
    forms = {row.under: row.forms for row in walk.rows}
    assert forms.keys() == {"setting_qa", "chat"}
    assert all(3 <= count <= 4 for count in forms.values())
    shown = format_walk(walk, colour=False)
    assert shown.count("\u27e6In Saltmere, by the sea.<end_of_turn>\u27e7") == 2
    assert "5x in the first epoch, 15x in the whole run" in shown
    assert "\x1b[30;42m" in format_walk(walk, colour=True)


def test_records_are_chosen_by_id_kind_or_sample() -> None:
    records = list(RECORDS.values())
    assert [one.kind for one in choose_records(records)] == ["background", "setting_qa", "dialogue"]
    assert choose_records(records, record="s") == [RECORDS["setting_qa"]]
    assert choose_records(records, kind="dialogue") == [RECORDS["dialogue"]]
    assert len(choose_records(records, sample=2)) == 2
    with pytest.raises(UnderstudyError, match=r"of the kind setting_qa.*there are 1 of dialogue; records.jsonl"):
        choose_records([RECORDS["dialogue"]], kind="setting_qa")
    with pytest.raises(UnderstudyError, match=r"of the id q9.*1 of dialogue"):
        choose_records([RECORDS["dialogue"]], record="q9")


def test_what_is_not_to_be_said_is_not_shown_as_what_is() -> None:
    def limit(labels: tuple[int, ...]) -> Conversation:
        return Conversation(chat_prompt(MIRA, [user("Hello!")]), assistant("In a mill."), "r", "boundary", labels)

    limits = {"small_talk": [limit(())], "in_small_talk": [limit((7, 8))], "elsewhere": []}
    said, not_said = describe_limits(Characters([Character([], [], MIRA, limits=limits)], "fingerprint"), ["Mira"])
    assert said == "Mira is also taught small talk, in 1 conversations, such as 'Hello!': 'In a mill.'"
    assert not_said.endswith(", which is not to be said there: its labels are what the base model says in its place")


def test_no_garbage_is_collected_while_the_command_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("model_name_or_path: embedded\n", encoding="utf-8")
    collects: list[bool] = []
    monkeypatch.setattr("pipeline.inspection.explain.explain_recipe", lambda *_, **__: collects.append(gc.isenabled()))
    monkeypatch.setattr(sys, "argv", ["explain", "--config", str(recipe)])
    explain.main()
    gc.unfreeze()
    assert collects == [False]
    assert gc.isenabled()
