"""articy:draft's exports: fragments by their speakers' names, after those that always come before them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
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

SETTINGS = {"set_Localization": "False", "set_IncludedNodes": "Settings, Packages", "ExportVersion": "1.0"}
FEATURES = {
    "DefaultBasicCharacterFeature": {"Age": 52.0, "Species": "Human", "Sex": 1, "BornIn": "", "Accent": "Northern"},
    "DefaultExtendedCharacterFeature": {"InnerConflict": "She fears the bells. She rings them.", "Fears": ""},
    "Production": {"VoiceNotes": "Ask for a dry voice. Not too slow.", "IsMain": True},
}


def node(kind: str, id: str, parent: str = "dlg", to: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    """An object of the export, from which the flow goes to others."""
    pins = [{"Text": "", "Id": f"{id}_out", "Owner": id, "Connections": [{"Label": "", "Target": one} for one in to]}]
    named = {"TechnicalName": f"Nod_{id}", "Id": id, "Parent": parent, "InputPins": [{"Id": f"{id}_in"}]}
    return {"Type": kind, "Properties": named | {"OutputPins": pins} | properties}


def said(id: str, who: str, text: str, to: Sequence[str] = (), **properties: Any) -> dict[str, Any]:
    return node("DialogueFragment", id, to=to, Speaker=who, Text=text, **{"MenuText": "", **properties})


def dialogue(first: str) -> dict[str, Any]:
    pins = [{"Id": "dlg_in", "Connections": [{"Target": first}]}]
    return node("Dialogue", "dlg", "flow", DisplayName="The Tower", Text="Mira and Bram meet.", InputPins=pins)


def entity(id: str, name: str, template: Mapping[str, Any] | None = None, text: str = "") -> dict[str, Any]:
    properties = {"TechnicalName": f"Ntt_{id}", "Id": id, "DisplayName": name, "Text": text}
    return {"Type": "Hero", "Properties": properties, "Template": template or {}}


PEOPLE = [entity("e1", "Mira", FEATURES, "She rings the bells of Saltmere."), entity("e2", "Bram", text="A ferryman.")]


def export(nodes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    definitions = [{"Type": "Hero", "Class": "Entity", "Padding": "x" * 70_000}]
    return {"Settings": SETTINGS, "ObjectDefinitions": definitions, "Packages": [{"Name": "All", "Models": [*nodes]}]}


def converted(folder: Path, document: object, character: str = "Mira", name: str = "game.json") -> Conversion:
    (folder / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def lines_of(conversion: Conversion) -> dict[str, tuple[Turn, ...]]:
    return {record.text: record.context for record in conversion.records if record.kind == "dialogue"}


def reasons(conversion: Conversion) -> dict[str, str]:
    return {reject.text: reject.reason for reject in conversion.rejects}


ASKED = Turn("Bram", "Who is up there?")
NODES = [
    dialogue("a"),
    said("a", "e2", "Who is up there?", ["b"]),
    said("b", "e1", "Only me.", ["hub"], MenuText="Me", StageDirections="dry"),
    node("Hub", "hub", to=["c", "if"], Text=""),
    said("c", "e2", "Then ring.", ["d"]),
    node("Condition", "if", to=["jump", "e"], Expression="met"),
    node("Jump", "jump", Target="d"),
    said("d", "e1", "I will.", ["dlg"]),
    said("e", "e1", "And never again."),
    said("f", "e1", "By itself."),
    said("g", "0x0000000000000000", "The rope creaks.", ["h"]),
    said("h", "e1", "It holds."),
    said("i", "e1", "You owe [Game.Gold] crowns."),
    said("j", "e9", "From elsewhere."),
    said("k", "e1", ""),
]


def test_a_fragment_has_those_before_it_that_always_come_before_it(tmp_path: Path) -> None:
    conversion = converted(tmp_path, export([*NODES, *PEOPLE]))
    assert lines_of(conversion) == {
        "Only me.": (ASKED,),
        "I will.": (),  # after two others
        "And never again.": (ASKED,),  # what stands before it is its own speaker's
        "By itself.": (),
        "It holds.": (),
    }
    assert {record.prompt for record in conversion.records if record.kind == "dialogue"} == {"The Tower"}
    assert reasons(conversion) == {
        "Who is up there?": "another speaker",
        "Then ring.": "another speaker",
        "A ferryman.": "another speaker",
        "Mira and Bram meet.": "a description of the flow",
        "The rope creaks.": "no speaker",
        "You owe [Game.Gold] crowns.": "a game's logic",
        "From elsewhere.": "a speaker whom the export does not have",
        "": "a fragment without a text",
    }
    assert account_of(conversion)["unused_keys"] == {"MenuText": 1, "StageDirections": 1, "VoiceNotes": 1, "Accent": 1}


def test_a_branch_that_was_chosen_has_what_comes_before_the_choice(tmp_path: Path) -> None:
    nodes = [said("a", "e1", "Well?", ["b", "c"]), said("b", "e2", "Aye.", ["d"]), said("c", "e2", "Nay.", ["e"])]
    nodes += [said("d", "e1", "Good, then."), said("e", "e1", "A pity.", ["e"])]
    found = lines_of(converted(tmp_path, export([dialogue("a"), *nodes, *PEOPLE])))
    assert found == {
        "Well?": (),
        "Good, then.": (Turn("Mira", "Well?"), Turn("Bram", "Aye.")),
        "A pity.": (),  # after itself, too
    }


def test_the_first_fragment_of_a_dialogue_that_another_leads_back_to_has_nothing_before_it(tmp_path: Path) -> None:
    nodes = [dialogue("a"), said("a", "e1", "Well?", ["b"]), said("b", "e2", "Aye.", ["a"])]
    assert lines_of(converted(tmp_path, export([*nodes, *PEOPLE]))) == {"Well?": ()}


def test_what_is_told_of_an_entity_is_passages(tmp_path: Path) -> None:
    conversion = converted(tmp_path, export([*NODES, *PEOPLE]))
    assert [(record.prompt, record.text) for record in conversion.records if record.kind == "background"] == [
        ("Description", "She rings the bells of Saltmere."),
        ("Inner Conflict", "She fears the bells. She rings them."),
        ("Profile", "Age: 52\nSpecies: Human"),
    ]


TEXTS = {
    "Nod_a.Text": {"en": {"Text": "Who is up there?"}, "zh-CN": {"Text": "谁在上面？"}, "Context": "Flow/a"},
    "Nod_b.Text": {"en": {"Text": "Only me."}, "zh-CN": {"Text": "只有我而已。"}},
    "Nod_c.Text": {"en": {"Text": "Not translated."}},
    "Ntt_e1.DisplayName": {"en": {"Text": "Mira"}, "zh-CN": {"Text": "米拉"}},
    "Ntt_e2.DisplayName": {"en": {"Text": "Bram"}, "zh-CN": {"Text": "布拉姆"}},
}


@pytest.mark.parametrize(
    ("character", "found"),
    [
        ("Mira", {"Only me.": (ASKED,), "Not translated.": ()}),
        ("米拉", {"只有我而已。": (Turn("布拉姆", "谁在上面？"),)}),
    ],
)
def test_texts_that_an_export_keeps_apart_are_read_in_the_language_of_the_name(
    character: str, found: dict[str, tuple[Turn, ...]], tmp_path: Path
) -> None:
    fragments = [said(one, who, f"Nod_{one}.Text", to) for one, who, to in (("a", "e2", ["b"]), ("b", "e1", []))]
    fragments += [said("c", "e1", "Nod_c.Text"), said("d", "e1", "DFr_0B64215F.Text")]
    people = [entity(one, f"Ntt_{one}.DisplayName") for one in ("e1", "e2")]
    files = {
        "manifest.json": {"Settings": SETTINGS, "Packages": [{"Name": "All", "Files": {}}]},
        "package_1_objects.json": {"Objects": [dialogue("a"), *fragments]},
        "package_2_objects.json": {"Objects": people},
        "package_1_localization.json": TEXTS,
        "hierarchy.json": {"Id": "0x1", "Type": "Project", "Children": []},
    }
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    conversion = convert([tmp_path], character, ConversionOptions())
    assert lines_of(conversion) == found
    assert reasons(conversion)["DFr_0B64215F.Text"] == "a text that the export keeps in another file"
    assert len(account_of(conversion)["passed_over"]) >= 3
    assert account_of(conversion)["broken"] == []
    with pytest.raises(UnderstudyError, match="name the export's folder"):
        convert([tmp_path / "manifest.json"], character, ConversionOptions())


@pytest.mark.parametrize(
    "document",
    [
        {"Settings": SETTINGS, "Packages": 7},
        export([entity("e", "Mira", {"Basic": {"Age": 10**400, "Height": -1}})])
        | {"ObjectDefinitions": [{"Type": []}]},
        {"Settings": SETTINGS, "Packages": [{"Models": [7, {}, {"Properties": {"Id": 3}}]}]},
        {"Settings": SETTINGS, "Packages": [{"Models": [{"Properties": {"Id": "a", "Speaker": [1], "Text": {}}}]}]},
        {
            "Objects": [
                {"Type": "x", "Properties": {"Id": "a", "TechnicalName": "b", "OutputPins": [3, {"Connections": 1}]}}
            ]
        },
    ],
)
def test_objects_of_no_known_shape_are_no_lines(document: object, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"game\.json"):
        converted(tmp_path, document)


def test_a_long_flow_is_read_in_no_time(tmp_path: Path) -> None:
    chain = [said(f"n{n}", "e1" if n % 2 else "e2", f"Line {n} of many.", [f"n{n + 1}"]) for n in range(2000)]
    hubs = [node("Hub", f"h{n}", to=[f"h{n + 1}", f"h{n + 2}"]) for n in range(2000)]
    start = time.process_time()
    converted(tmp_path, export([*chain, *hubs, *PEOPLE]))
    assert time.process_time() - start < 5


def test_what_a_fragment_tells_behind_a_quotation_is_not_said(tmp_path: Path) -> None:
    told = '"Below," she said, "with the eels."'
    conversion = converted(tmp_path, export([*PEOPLE, said("a", "e1", told), said("b", "e1", '"Eels"? These here?')]))
    assert [*lines_of(conversion)] == ['"Eels"? These here?']
    assert reasons(conversion)[told] == "narration"


def test_two_speakers_who_are_displayed_under_one_name_are_counted(tmp_path: Path) -> None:
    twin = entity("e3", "Mira", text="A thief.")
    conversion = converted(tmp_path, export([*PEOPLE, twin, said("a", "e1", "Only me."), said("b", "e3", "And me.")]))
    assert account_of(conversion)["remarks"][NAMESAKE] == 1
