"""Exports of Unity's Dialogue System, and Unreal's plain tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.games.exports import NAMESAKE
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

ACTORS = {
    "1": {"Name": "Bram", "Description": "A ferryman.", "Display Name zh-CN": "布拉姆"},
    "2": {
        "Name": "mira_npc",
        "Display Name": "Mira",
        "Description": "She rings the bells.",
        "Display Name zh-CN": "米拉",
    },
}
Entry = tuple[int, dict[str, str], Sequence[int]]  # its number, its fields, and where it goes on
ENTRIES: list[Entry] = [
    (0, {"Title": "START", "Actor": "1"}, [1]),
    (1, {"Actor": "1", "Dialogue Text": "Who is up there?", "zh-CN": "谁在上面？"}, [2]),
    (2, {"Actor": "2", "Dialogue Text": "[em1]Only[/em1] me.[a]|Mira.", "zh-CN": "只有我而已。"}, [3]),
    (3, {"Title": "hub", "IsGroup": "True"}, [4, 5, 6]),
    (4, {"Actor": "1", "Menu Text": "(Ask)", "Dialogue Text": "Why you?"}, [7]),
    (5, {"Actor": "1", "Menu Text": "(Leave)"}, [8]),
    (6, {"Actor": "2", "Dialogue Text": "You owe [var=Gold]."}, [9]),
    (7, {"Actor": "2", "Dialogue Text": "Because."}, [10]),
    (8, {"Actor": "2", "Dialogue Text": "Go, then."}, [10]),
    (9, {"Actor": "2", "Dialogue Text": "And pay."}, []),
    (10, {"Actor": "2", "Dialogue Text": "Good night to you."}, []),
    (11, {"Actor": "-1", "Dialogue Text": "The rope creaks."}, []),
]


def as_json() -> tuple[str, str]:
    def fields(values: dict[str, str]) -> list[dict[str, Any]]:
        return [{"title": title, "value": value, "type": 0} for title, value in values.items() if title != "IsGroup"]

    entries = [
        {
            "id": id,
            "conversationID": 7,
            "isRoot": int(id == 0),
            "isGroup": int("IsGroup" in values),
            "fields": fields(values),
            "outgoingLinks": [{"destinationConversationID": 7, "destinationDialogueID": one} for one in links],
        }
        for id, values, links in ENTRIES
    ]
    head = {"version": "1", "globalUserScript": "", "emphasisSettings": [], "padding": "x" * 70_000}
    actors = [{"id": int(id), "fields": fields(values)} for id, values in ACTORS.items()]
    conversation = {"id": 7, "fields": fields({"Title": "Tower/Mira"}), "dialogueEntries": entries}
    return "database.json", json.dumps({**head, "actors": actors, "conversations": [conversation]}, ensure_ascii=False)


def as_csv() -> tuple[str, str]:
    columns = ["Actor", "Title", "Menu Text", "Dialogue Text", "IsGroup", "zh-CN"]
    rows: list[list[object]] = [["Database"], ["Name", "Version", "Author", "Description"], ["game", "1", "", ""]]
    rows += [
        ["Global User Script"],
        [""],
        ["Actors"],
        ["ID", "Portrait", "Name", "Display Name", "Display Name zh-CN", "Description"],
    ]
    rows += [["Number", "Special", "Text", "Text", "Localization", "Text"]]
    rows += [[id, "", *(one.get(name, "{{omit}}") for name in rows[6][2:])] for id, one in ACTORS.items()]  # type: ignore[call-overload]
    rows += [["Conversations"], ["ID", "Title"], ["Number", "Text"], ["7", "Tower/Mira"], ["DialogueEntries"]]
    rows += [["entrytag", "ConvID", "ID", *(name.replace(" ", "") for name in columns)]]
    rows += [["Text", "Number", "Number", *["Text"] * len(columns)]]
    rows += [["tag", 7, id, *(values.get(name, "{{omit}}") for name in columns)] for id, values, _ in ENTRIES]
    rows += [["OutgoingLinks"], ["OriginConvID", "OriginID", "DestConvID", "DestID"], ["Number"] * 4]
    rows += [[7, id, 7, one] for id, _, links in ENTRIES for one in links]
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return "database.csv", "\ufeff" + file.getvalue()


def converted(folder: Path, name: str, text: str, character: str = "Mira") -> Conversion:
    (folder / name).write_text(text, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


@pytest.mark.parametrize("made", [as_json(), as_csv()], ids=["json", "csv"])
def test_an_entry_has_those_before_it_that_always_come_before_it(made: tuple[str, str], tmp_path: Path) -> None:
    conversion = converted(tmp_path, *made)
    asked, only = Turn("Bram", "Who is up there?"), Turn("Mira", "Only me.\nMira.")
    assert {record.text: record.context for record in conversion.records if record.kind == "dialogue"} == {
        "Only me.\nMira.": (asked,),
        "Because.": (asked, only, Turn("Bram", "Why you?")),
        "Go, then.": (),  # after a choice whose text nobody says
        "And pay.": (),  # after a text with a value
        "Good night to you.": (),  # after two others
    }
    assert {record.prompt for record in conversion.records} == {"Tower/Mira", "Description"}
    assert {reject.text: reject.reason for reject in conversion.rejects} == {
        "Who is up there?": "another speaker",
        "Why you?": "another speaker",
        "A ferryman.": "another speaker",
        "(Leave)": "a menu's choice",
        "You owe [var=Gold].": "a game's logic",
        "The rope creaks.": "no speaker",
    }


@pytest.mark.parametrize("made", [as_json(), as_csv()], ids=["json", "csv"])
def test_entries_are_in_the_language_of_the_characters_name(made: tuple[str, str], tmp_path: Path) -> None:
    conversion = converted(tmp_path, *made, character="米拉")
    found = {record.text: record.context for record in conversion.records if record.kind == "dialogue"}
    assert found == {"只有我而已。": (Turn("布拉姆", "谁在上面？"),)}
    assert {reject.reason for reject in conversion.rejects if reject.text == "Because."} == {
        "a text that is not translated"
    }
    assert len(account_of(conversion)["remarks"]) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '{"globalUserScript": "", "emphasisSettings": 3, "conversations": [7, {"dialogueEntries": [[]]}]}'),
        ("a.json", '{"conversations": [{"dialogueEntries": [{"fields": [{"title": 1}], "outgoingLinks": [3]}]}]}'),
        ("a.csv", 'Database\nName,Version,Author\ngame,1,"open\nDialogueEntries\n'),
        ("a.csv", "Database\nName,Version,Author\nDialogueEntries\nOutgoingLinks\n\n1\n"),
    ],
)
def test_a_database_without_entries_is_refused(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=rf"a\.{name[2:]}"):
        converted(tmp_path, name, text)


@pytest.mark.parametrize(
    "table",
    [
        'Key,SourceString,Speaker\nT_1,"Mind the third stair.",Mira\nT_2,I always do.,Bram\n',
        '---,Speaker,Text\nRow_1,Mira,"NSLOCTEXT(""T"", ""R1"", ""Mind the third stair."")"\nRow_2,Bram,I do.\n',
    ],
)
def test_a_table_of_unreals_with_speakers_is_read(table: str, tmp_path: Path) -> None:
    assert [record.text for record in converted(tmp_path, "T.csv", table).records] == ["Mind the third stair."]


def test_what_an_entry_tells_is_not_said_and_actors_of_one_name_are_counted(tmp_path: Path) -> None:
    told = '"Below," she said, "with the eels."'
    entries = [(1, "1", "Only me."), (2, "2", "And me, I think."), (3, "1", told)]
    database = {
        "globalUserScript": "",
        "emphasisSettings": [],
        "actors": [{"id": id, "fields": [{"title": "Name", "value": "Mira"}]} for id in (1, 2)],
        "conversations": [
            {
                "id": 1,
                "fields": [],
                "dialogueEntries": [
                    {
                        "id": id,
                        "fields": [{"title": "Actor", "value": who}, {"title": "Dialogue Text", "value": text}],
                        "outgoingLinks": [],
                    }
                    for id, who, text in entries
                ],
            }
        ],
    }
    (tmp_path / "database.json").write_text(json.dumps(database), encoding="utf-8")
    conversion = convert([tmp_path / "database.json"], "Mira", ConversionOptions())
    assert [record.text for record in conversion.records] == ["Only me.", "And me, I think."]
    assert {reject.text: reject.reason for reject in conversion.rejects} == {told: "narration"}
    assert account_of(conversion)["remarks"][NAMESAKE] == 1
