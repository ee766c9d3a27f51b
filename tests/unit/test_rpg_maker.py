"""RPG Maker's data: who speaks in a box of text, and which boxes follow one another."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

Commands = list[dict[str, Any]]
END = {"code": 0, "indent": 0, "parameters": []}
ACTORS = [
    None,
    {"id": 1, "characterName": "Actor1", "faceName": "Actor1", "faceIndex": 0, "name": "Mira", "profile": ""},
    {
        "id": 2,
        "characterName": "Actor1",
        "faceName": "Actor1",
        "faceIndex": 1,
        "name": "Bram",
        "profile": "A ferryman.",
    },
    {"id": 3, "characterName": "Actor2", "faceName": "Twins", "faceIndex": 0, "name": "Ada", "profile": ""},
    {"id": 4, "characterName": "Actor2", "faceName": "Twins", "faceIndex": 0, "name": "Ida", "profile": ""},
]


def box(*lines: str, name: str | None = None, face: str = "", index: int = 0) -> Commands:
    """A box of text: MZ's where it has a name, even an empty one, else MV's."""
    head = {"code": 101, "indent": 0, "parameters": [face, index, 0, 2, *([] if name is None else [name])]}
    return [head, *({"code": 401, "indent": 0, "parameters": [line]} for line in lines)]


def command(code: int, *parameters: object) -> Commands:
    return [{"code": code, "indent": 0, "parameters": [*parameters]}]


def game_map(commands: Commands) -> dict[str, Any]:
    pages = [{"conditions": {}, "list": [*commands, END]}]
    head = {"autoplayBgm": False, "displayName": "The Tower", "parallaxName": "", "data": [0] * 40_000}
    return {**head, "events": [None, {"id": 1, "name": "EV001", "pages": pages}]}


def converted(folder: Path, document: object, character: str = "Mira", name: str = "Map001.json") -> Conversion:
    (folder / "Actors.json").write_text(json.dumps(ACTORS), encoding="utf-8")
    (folder / name).write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def lines_of(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


def reasons(conversion: Conversion) -> dict[str, str]:
    return {reject.text: reject.reason for reject in conversion.rejects}


PAGE = [
    *box("Who is up there, \\N[1]?", name="Bram"),
    *box("\\C[2]Below\\C[0], with the", "eels.\\|\\^", name="\\N[1]"),
    *command(108, "Mira: a comment"),
    *command(355, "Mira: a script"),
    *box("The rope creaks.", name=""),
    *command(102, ["Stay", "Leave"], 1, 0, 2, 0),
    *command(402, 0, "Stay"),
    *box("Then sit \\}down.", name="Mira"),
    *command(105, 2, False),
    *command(405, "Many years later"),
]


@pytest.mark.parametrize(
    ("document", "name", "title"),
    [
        (game_map(PAGE), "Map001.json", "The Tower"),
        ([None, {"id": 1, "list": [*PAGE, END], "name": "Greeting", "trigger": 0}], "CommonEvents.json", "Greeting"),
        ([None, {"id": 1, "members": [], "name": "Bat*2", "pages": [{"list": PAGE}]}], "Troops.json", "Bat*2"),
    ],
)
def test_a_text_has_those_of_its_page_and_branch_before_it(
    document: object, name: str, title: str, tmp_path: Path
) -> None:
    conversion = converted(tmp_path, document, name=name)
    assert [(record.prompt, record.text, record.context) for record in conversion.records] == [
        (title, "Below, with the eels.", (Turn("Bram", "Who is up there, Mira?"),)),
        (title, "Then sit down.", ()),
    ]
    assert reasons(conversion) == {
        "Who is up there, Mira?": "another speaker",
        "The rope creaks.": "no speaker",
        "Stay": "a menu's choice",
        "Leave": "a menu's choice",
        "Many years later": "narration",
    }


@pytest.mark.parametrize(
    ("commands", "said"),
    [
        (box("\\n<Mira>Aye, \\fbaye\\fr."), "Aye, aye."),
        (box("\\NC<\\N[1]>\\c[1]Aye, aye."), "Aye, aye."),
        (box("Mira: Aye,", "aye."), "Aye, aye."),
        (box("\\C[3]\\N[1]\\C[0]: Aye, aye."), "Aye, aye."),
        (box("Mira:", "Aye, aye.", face="People1", index=3), "Aye, aye."),
        (box("<Mira>: Aye, aye."), "Aye, aye."),
        (box("【米拉】", "先坐下", "来吧。"), "先坐下来吧。"),
        (box("【米拉】「先坐下来吧。」"), "先坐下来吧。"),
        (box("【米拉】先坐下来吧。") + box("【布拉姆】好。") + box("【米拉】快点。"), "先坐下来吧。"),
        (box("米拉", "「先坐下来吧。", "快点。」"), "先坐下来吧。快点。"),
        (box("米拉：先坐下来吧。"), "先坐下来吧。"),
        (box("Aye, aye.", face="Actor1", index=0), "Aye, aye."),
        (box("Remember: the stairs.", face="Actor1", index=0), "Remember: the stairs."),
        (box("Aye, aye.", face="$Mira_2", index=5), "Aye, aye."),
        (box("Aye, \\\\aye.", name="Mira"), "Aye, \\aye."),
        (box("\\C[2]Mira\\C[0]", "Aye.") + command(111) + box("\\C[2]Mira", "Nay."), "Aye."),
    ],
)
def test_a_text_is_its_speakers_by_a_name_or_a_face(commands: Commands, said: str, tmp_path: Path) -> None:
    character = "米拉" if "米拉" in str(commands) else "Mira"
    assert lines_of(converted(tmp_path, game_map(commands), character))[0] == said


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        (box("You owe \\V[3] crowns.", name="Mira"), "a value of the game's"),
        (box("Fifty \\G, \\N[9].", name="Mira"), "a value of the game's"),
        (box("Take \\item[3].", name="Mira"), "a value of the game's"),
        (box("Who am I?", name="\\V[1]"), "a value of the game's"),
        (box("Who am I?", face="Twins"), "no speaker"),
        (box("Who am I?", face="People1", index=2), "no speaker"),
        (box("\\C[2]Mira\\C[0]", "Who am I?"), "no speaker"),
        (box("He told me this", "Mira: go."), "no speaker"),
        (box("【Mira】 has joined the party!"), "no speaker"),
        (box("\\C[2]Mira\\C[0]", "joined.") + command(111) + box("\\C[2]Mira\\C[0]", "left."), "no speaker"),
        (box("\\I[3]", name="Mira"), "a text without words"),
    ],
)
def test_what_is_not_surely_said_by_somebody_is_left_out(commands: Commands, reason: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, game_map([*commands, *command(111), *box("Up here.", name="Mira")]))
    assert lines_of(conversion) == ["Up here."]
    assert reason in reasons(conversion).values()


def test_a_text_with_a_value_is_before_nothing(tmp_path: Path) -> None:
    page = [*box("Well?", name="Bram"), *box("You owe \\V[3].", name="Bram"), *box("Never.", name="Mira")]
    assert converted(tmp_path, game_map(page)).records[0].context == ()


def test_faces_that_named_a_speaker_are_counted(tmp_path: Path) -> None:
    conversion = converted(tmp_path, game_map(box("Aye, aye.", face="Actor1", index=0)))
    assert list(account_of(conversion)["remarks"].values()) == [1]


def test_an_actors_profile_is_a_passage(tmp_path: Path) -> None:
    (record,) = converted(tmp_path, ACTORS, "Bram", "Actors.json").records
    assert (record.kind, record.prompt, record.text) == ("background", "Profile", "A ferryman.")


def test_a_games_other_data_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "Items.json").write_text('[null,{"id":1,"name":"Potion","description":"Heals."}]', encoding="utf-8")
    (tmp_path / "Doodads.json").write_text('[null,[],null,[{"folder":"x"}]]', encoding="utf-8")
    converted(tmp_path, game_map(PAGE))
    conversion = convert([tmp_path], "Mira", ConversionOptions())
    assert account_of(conversion)["broken"] == []
    assert lines_of(conversion) == ["Below, with the eels.", "Then sit down."]
    assert any("Items.json" in passed for passed in account_of(conversion)["passed_over"])


@pytest.mark.parametrize("commands", [[None, 3, {"code": "x"}], [{"code": 101}], [{"code": 101, "parameters": [5]}], 7])
def test_commands_of_no_known_shape_are_no_texts(commands: Sequence[object], tmp_path: Path) -> None:
    document = game_map([])
    document["events"] = [7, None, {"pages": 3}, {"pages": [None, {"list": commands}]}]
    with pytest.raises(UnderstudyError, match=r"Map001\.json"):
        converted(tmp_path, document)


@pytest.mark.parametrize("mark", ["\\", "\\C[", "\\n<", "<", "【", " ", ":", "\\C[1]", "「", "a"])
def test_repeated_marks_are_read_in_no_time(mark: str, tmp_path: Path) -> None:
    page = [*box(mark * 5000, f"{mark * 5000}x"), *command(111), *box("Up here.", name="Mira")]
    start = time.process_time()
    converted(tmp_path, game_map(page))
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("name", "box_of_two"),
    [
        ("Mira", ("Bram: Take it.", "Mira: I will not.")),
        ("米拉", ("布拉姆：「拿着。」", "米拉：「我才不要。」")),
    ],
)
def test_a_box_with_lines_of_two_people_is_each_ones_own(
    name: str, box_of_two: tuple[str, str], tmp_path: Path
) -> None:
    other = "Bram" if name == "Mira" else "布拉姆"
    after = box("Then I go alone.", name=other)
    conversion = converted(tmp_path, game_map([*box(*box_of_two), *after, *box("Go, then.", name=name)]), name)
    assert lines_of(conversion) == ["I will not." if name == "Mira" else "我才不要。", "Go, then."]


def test_whoever_is_quoted_below_her_line_in_her_box_has_said_it(tmp_path: Path) -> None:
    commands = box("米拉：「水不等人。」", "老鲟：「等等我呀。」")
    conversion = converted(tmp_path, game_map(commands), "米拉")
    assert lines_of(conversion) == ["水不等人。"]
    assert reasons(conversion) == {"等等我呀。": "another speaker"}


def test_a_name_in_brackets_above_a_quotation_has_none(tmp_path: Path) -> None:
    assert lines_of(converted(tmp_path, game_map(box("【米拉】", "「小心第三级。」")), "米拉")) == ["小心第三级。"]


@pytest.mark.parametrize("name", ["Mira:", "【Mira】", "\\C[6]Mira\\C[0]："])
def test_a_boxs_name_is_one_without_the_marks_around_it(name: str, tmp_path: Path) -> None:
    assert lines_of(converted(tmp_path, game_map(box("Mind the third stair.", name=name)))) == ["Mind the third stair."]


def test_another_persons_line_behind_three_dots_is_not_hers(tmp_path: Path) -> None:
    commands = [*box("I see... Bram: What is it?", "Mira: Nothing, go on.", name="Mira"), *box("Aye.", name="Bram")]
    assert lines_of(converted(tmp_path, game_map(commands))) == ["I see...", "Nothing, go on."]
