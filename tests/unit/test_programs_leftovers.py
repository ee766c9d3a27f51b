"""What programs leave in logs, lorebooks and data sets: names of players, choices, pictures, test splits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.check import format_check
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion


def converted(path: Path, *rows: Any) -> Conversion:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return convert([path.parent], "Mira", ConversionOptions())


def message(name: str, text: str) -> dict[str, Any]:
    return {"name": name, "is_user": name != "Mira", "mes": text}


def log(folder: Path, user: str, *messages: dict[str, Any]) -> Conversion:
    return converted(folder / "log.jsonl", {"user_name": user, "character_name": "Mira"}, *messages)


@pytest.mark.parametrize("head", ["Kestrel", "unused", "User"])
def test_whoever_plays_is_called_in_a_log_as_the_log_says(head: str, tmp_path: Path) -> None:
    found = log(tmp_path, head, message("Mira", "Good day, {{user}}."), message("Kestrel", "I am {{user}}."))
    assert [record.text for record in found.records] == ["Good day, Kestrel."]
    assert [reject.text for reject in found.rejects] == ["I am Kestrel."]


def test_a_log_that_names_nobody_who_plays_keeps_the_placeholder_for_cleaning(tmp_path: Path) -> None:
    (found,) = log(tmp_path, "unused", message("Mira", "Good day, {{user}}.")).records
    assert found.text == "Good day, friend."


def test_a_picture_is_no_word_of_a_line_and_no_line_alone(tmp_path: Path) -> None:
    picture = "![map](user/images/a (1).png)"
    rows = [{"speaker": "Mira", "text": text} for text in (picture, f"Look at it. {picture}", f"{picture}\nUp there!")]
    found = converted(tmp_path / "a.jsonl", *rows)
    assert [record.text for record in found.records] == ["Look at it.", "Up there!"]
    assert account_of(found)["rejected"] == {"no content": 1}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The lock is {{random:old,ancient}} and deep.", ["The lock is old and deep."]),
        ("The lock is {{random::deep, and old::new}}.", ["The lock is deep, and old."]),
        ("It shows {{random:{{user}},{{char}}}} the way.", ["It shows friend the way."]),
        ("It shows {{#if old}}its age{{/if}} at once.", []),
    ],
)
def test_a_lorebooks_choice_is_its_first_and_a_condition_is_refused(text: str, kept: list[str], tmp_path: Path) -> None:
    book = {"entries": {"0": {"key": ["lock"], "content": text}, "1": {"key": ["hat"], "content": "The hat is hers."}}}
    found = converted(tmp_path / "book.json", book)
    assert [record.text for record in found.records] == [*kept, "The hat is hers."]


def test_a_test_split_among_the_files_is_read_and_said(tmp_path: Path) -> None:
    for name in ("train", "test", "protest"):
        converted(tmp_path / f"{name}.jsonl", {"speaker": "Mira", "text": f"A line of {name}."})
    found = convert([tmp_path], "Mira", ConversionOptions())
    assert len(found.records) == 3
    said = "1 entries of test.jsonl are a test split and learnt with train.jsonl: take the file out of `raw`"
    assert f"odd: {said}" in format_check(found)
    assert said in format_account(account_of(found))


def test_a_test_file_without_a_train_file_is_what_there_is(tmp_path: Path) -> None:
    assert "split" not in format_check(converted(tmp_path / "test.jsonl", {"speaker": "Mira", "text": "A line."}))


def test_rows_of_a_test_split_are_read_and_said(tmp_path: Path) -> None:
    splits = ("train", "test", "validation", "the chest")
    rows = [{"speaker": "Mira", "text": f"A line of {split}.", "split": split} for split in splits]
    found = converted(tmp_path / "rows.jsonl", *rows)
    assert len(found.records) == len(splits)
    assert format_check(found).count("are learnt, too") == 2
    assert "odd: 1 rows of the split 'test' are learnt, too: delete them" in format_check(found)
