"""A form that nobody foresaw is read by a map, and the error for it shows its shape and a map that works."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.readers.mapped import parse_map, parse_path, written
from pipeline.records.result import Conversion

BOOKS = {
    "version": 3,
    "books": [
        {
            "title": "One",
            "scenes": [
                {
                    "summary": "At the shop",
                    "lines": [
                        {"character": "Tam", "message": "Is it mended?"},
                        {"character": "Mira", "message": "Not before Friday."},
                    ],
                },
                {"summary": "Later", "lines": [{"character": "Mira", "message": "It is Friday. Here you are."}]},
            ],
        },
        {"title": "Empty"},
    ],
}
VOICES = {
    "name": "Mira",
    "voices": [
        {"title": "Greeting", "lines": ["The shop is shut.", "Come in anyway."]},
        {"title": "Weather", "lines": ["Rain again, and no roof."]},
    ],
}
PROFILES = {
    "Mira": {"story": "She rings the bells of Saltmere.", "age": 51},
    "Bram": {"story": "He sweeps the tower for her.", "age": 60},
}
FLAT = [{"who": "Tam", "said": "Is it mended by now?"}, {"who": "Mira", "said": "Not before Friday, I fear."}]
SHAPES: dict[str, tuple[Any, list[str]]] = {  # what a file holds, and Mira's lines in it
    "books": (BOOKS, ["Not before Friday.", "It is Friday. Here you are."]),
    "voices": (VOICES, ["The shop is shut.", "Come in anyway.", "Rain again, and no roof."]),
    "flat": (FLAT, ["Not before Friday, I fear."]),
    "profiles": (PROFILES, ["She rings the bells of Saltmere."]),
}
AS_XML = """<?xml version="1.0" encoding="UTF-8"?>
<game><scene title="Dusk"><line who="Tam">Is it mended?</line><line who="Mira">Not &amp; never.</line></scene></game>
"""
AS_YAML = "scenes:\n- title: Dusk\n  lines:\n  - who: Tam\n    said: Is it mended?\n  - who: Mira\n    said: Never.\n"


def write(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def converted(path: Path, **options: Any) -> Conversion:
    return convert([path], "Mira", ConversionOptions(**options))


def texts(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_map_that_the_error_guesses_reads_the_file(shape: str, indent: int | None, tmp_path: Path) -> None:
    content, expected = SHAPES[shape]
    path = tmp_path / "dump.json"
    path.write_text(json.dumps(content, indent=indent, ensure_ascii=False), encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"maps: \[") as raised:
        converted(path)
    guess = re.search(r'maps: \["(.*?)"\]', str(raised.value))
    assert guess
    assert texts(converted(path, maps=[guess[1]])) == expected


def test_the_error_shows_paths_counts_and_samples(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError) as raised:
        converted(write(tmp_path / "dump.json", BOOKS))
    assert "books[].scenes[].lines[]: 3 x character ('Tam'), message ('Is it mended?')" in str(raised.value)


def test_what_one_list_holds_is_one_conversation_with_the_titles_above_it(tmp_path: Path) -> None:
    path = write(tmp_path / "dump.json", BOOKS)
    row_map = "dump*.json: rows=books[].scenes[].lines[], speaker=character, text=message, title=summary"
    for options in (
        {"maps": [row_map]},
        {"rows": "books[].scenes[].lines[]", "columns": ["speaker=character", "text=message", "title=summary"]},
    ):
        first, second = converted(path, **options).records
        assert [turn.text for turn in first.context] == ["Is it mended?"]
        assert second.context == ()
        assert (first.prompt, second.prompt) == ("At the shop", "Later")
        assert first.source == f"{path}#books#0#scenes#0#lines#1"


def test_maps_are_chosen_by_file_and_leave_other_files_alone(tmp_path: Path) -> None:
    write(tmp_path / "books.json", BOOKS)
    write(tmp_path / "voices.json", VOICES)
    write(tmp_path / "plain.json", [{"speaker": "Mira", "text": "Plain words."}])
    maps = [
        "books.json: rows=books[].scenes[].lines[], speaker=character, text=message",
        "voices.json: rows=voices[].lines[], speaker=name, text=@value, title=title",
    ]
    conversion = converted(tmp_path, maps=maps)
    assert texts(conversion) == [*SHAPES["books"][1], "Plain words.", *SHAPES["voices"][1]]
    assert [file.form for file in conversion.files] == ["rows by a map", "JSON records", "rows by a map"]


def test_profiles_keyed_by_name_are_passages_of_their_key(tmp_path: Path) -> None:
    path = write(tmp_path / "profiles.json", PROFILES)
    (record,) = converted(path, maps=["*.json: rows=*, speaker=@key, text=story, input=@key"]).records
    assert (record.text, record.prompt) == ("She rings the bells of Saltmere.", "Mira")


@pytest.mark.parametrize(("name", "content", "text"), [("a.xml", AS_XML, "#text"), ("a.yaml", AS_YAML, "said")])
def test_xml_and_yaml_are_read_by_the_same_maps(name: str, content: str, text: str, tmp_path: Path) -> None:
    rows = "scene[].line[]" if name.endswith(".xml") else "scenes[].lines[]"
    path = write(tmp_path / name, content)
    (record,) = converted(path, maps=[f"*: rows={rows}, speaker=who, text={text}, title=title"]).records
    assert [turn.text for turn in record.context] == ["Is it mended?"]
    assert record.prompt == "Dusk"
    with pytest.raises(UnderstudyError, match="maps: "):
        converted(path)


@pytest.mark.parametrize("content", ['<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>', "<a><b></a>", "<a>"])
def test_xml_that_is_broken_or_could_grow_is_refused(content: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="To fix it: "):
        converted(write(tmp_path / "a.xml", content), maps=["*: rows=b[], text=#text"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("*.json: speaker=who", "has no rows=PATH"),
        ("*.json: rows=a[], speeker=who", "'speeker', which is none of"),
        ("*.json: rows=a[0], text=b", "is no path"),
        ("rows=a[], text=", "has no rows=PATH"),
    ],
)
def test_a_map_that_is_none_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(UnderstudyError, match=complaint):
        parse_map(text)


def test_a_path_that_leads_nowhere_is_an_error_with_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", BOOKS)
    with pytest.raises(UnderstudyError, match=r"a\.json: has no rows at books\[\]\.pages\[\]"):
        converted(path, maps=["*: rows=books[].pages[], text=message"])


def test_a_path_is_written_as_it_was_read() -> None:
    for path in ("books[].scenes[].lines[]", "*", "*.lines[]", "[].voices[]", "a.b.c"):
        assert written(parse_path(path)) == path


TELEGRAM = {
    "name": "Tower",
    "type": "private_group",
    "messages": [
        {"id": 1, "type": "service", "date": "2024-01-01T10:00:00", "actor": "Tam", "text": ""},
        {"id": 2, "type": "message", "date": "2024-01-01T10:00:05", "from": "Tam", "text": "Is it mended?"},
        {
            "id": 3,
            "type": "message",
            "date": "2024-01-01T10:00:09",
            "from": "Mira",
            "text": ["Not yet. Ask ", {"type": "mention", "text": "@bram"}, "."],
        },
        {"id": 4, "type": "message", "date": "2024-01-01T10:00:10", "from": "Mira", "text": "", "photo": "a.jpg"},
        {"id": 5, "type": "message", "date": "2024-01-01T15:00:09", "from": "Tam", "text": "And now?"},
        {"id": 6, "type": "message", "date": "2024-01-01T16:00:09", "from": "Mira", "text": "Now it is."},
    ],
}


@pytest.mark.parametrize("several", [False, True])
def test_telegrams_messages_have_those_before_them_up_to_a_pause(several: bool, tmp_path: Path) -> None:
    content = {"chats": {"about": "x", "list": [TELEGRAM, {**TELEGRAM, "messages": []}]}} if several else TELEGRAM
    path = write(tmp_path / "result.json", content)

    def contexts(**options: Any) -> dict[str, list[str]]:
        return {one.text: [turn.text for turn in one.context] for one in converted(path, **options).records}

    before = ["Is it mended?", "Not yet. Ask @bram.", "And now?"]
    assert contexts() == {"Not yet. Ask @bram.": before[:1], "Now it is.": before}
    assert contexts(scene_gap=2) == {"Not yet. Ask @bram.": before[:1], "Now it is.": before[2:]}
    rejected = {reject.reason for reject in converted(path).rejects}
    assert {"a notice of the program", "a message without text"} <= rejected


def test_ms_swifts_history_is_learnt_and_stands_before_the_reply(tmp_path: Path) -> None:
    row = {"query": "And the key.", "response": "Under the mat.", "history": [["Hello.", "Good evening."]]}
    first, second = converted(write(tmp_path / "a.jsonl", row)).records
    assert (first.text, second.text) == ("Good evening.", "Under the mat.")
    assert [turn.text for turn in second.context] == ["Hello.", "Good evening.", "And the key."]
