"""A document of any shape is read by a map, and the map that its error guesses reads it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.field_map import parse_maps, write_path
from pipeline.records.options import parse_columns
from pipeline.records.record import Record, Turn
from pipeline.records.shape import describe_shape, guess_maps, shape_of

SCENES = [
    [("Bram", "Who is up there in the tower?"), ("Mira", "I ring the bells of Saltmere.")],
    [("Mira", "The tide is late tonight."), ("Bram", "It is never late."), ("Mira", "Tonight it is.")],
]
BOOKS = {
    "book": "Saltmere",
    "plots": [
        {
            "summary": f"Evening {number}",
            "conversation": [{"dialogues": [{"character": who, "message": text} for who, text in scene]}],
        }
        for number, scene in enumerate(SCENES)
    ],
}
CHARACTERS = [
    {"name": who, "voice": [{"title": "Hello", "text": hello}, {"title": "Rain", "text": rain}]}
    for who, hello, rain in (
        ("Mira", "Wipe your boots first.", "Good for the bells."),
        ("Bram", "Mind the third step.", "Bad for the knees."),
    )
]
TITLED = {
    "name": "Mira",
    "voice": {"Hello": ["Wipe your boots first.", "You again, then."], "Rain": ["Good for the bells."]},
}
PROFILE = "Mira has rung the bells since the flood."
PROFILES = {
    "Mira": {"age": 31, "quotes": ["Wipe your boots first.", "Good for the bells."], "profile": PROFILE},
    "Bram": {"age": 60, "quotes": ["Mind the third step."], "profile": "Bram keeps the door of the tower."},
}
BY_NAME = {
    who: {"Hello": [f"{who} greets you kindly."], "Rain": [f"{who} hates the rain, truly."]} for who in ("Mira", "Bram")
}
DUSK = [{"角色": "布拉姆", "台词": "上面是谁？"}, {"角色": "Mira", "台词": "是我在敲钟，别怕。"}]
CHINESE = {"剧本": [{"标题": "黄昏", "对白": DUSK}]}
XML_SCENES = (
    "<?xml version='1.0' encoding='gb2312'?>\n<game>"
    + "".join(
        f'<scene title="Evening {number}">'
        + "".join(f'<line who="{who}">{text}</line>' for who, text in scene)
        + "</scene>"
        for number, scene in enumerate(SCENES)
    )
    + "</game>"
)
XML_PROFILES = (
    "<cast><person><name>Mira</name><quote>Wipe your boots first.</quote><quote>Good for the bells.</quote></person>"
    "<person><name>Bram</name><quote>Mind the third step.</quote><quote>Bad for the knees.</quote></person></cast>"
)
QUOTED = {"Wipe your boots first.", "Good for the bells."}
SCENE_LINES = {text for scene in SCENES for who, text in scene if who == "Mira"}


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1)


def as_yaml(value: Any) -> str:
    return str(yaml.safe_dump(value, allow_unicode=True, sort_keys=False))


# name, content, the lines of Mira
SHAPES: dict[str, tuple[str, str, set[str]]] = {
    "books": ("a.json", as_json(BOOKS), SCENE_LINES),
    "books on one line": ("a.json", json.dumps(BOOKS), SCENE_LINES),
    "books, one a line": ("a.jsonl", "\n".join([json.dumps(BOOKS)] * 1), SCENE_LINES),
    "books, a list": ("a.json", as_json([BOOKS]), SCENE_LINES),
    "books in YAML": ("a.yaml", as_yaml(BOOKS), SCENE_LINES),
    "characters with titled lines": ("a.json", as_json(CHARACTERS), QUOTED),
    "characters in YAML": ("a.yml", as_yaml(CHARACTERS), QUOTED),
    "one character, titles as keys": ("a.json", as_json(TITLED), QUOTED | {"You again, then."}),
    "one character in YAML": ("a.yaml", as_yaml(TITLED), QUOTED | {"You again, then."}),
    "profiles by name": ("a.json", as_json(PROFILES), QUOTED | {PROFILE}),
    "profiles in YAML": ("a.yaml", as_yaml(PROFILES), QUOTED | {PROFILE}),
    "lines by name and title": ("a.json", as_json(BY_NAME), {"Mira greets you kindly.", "Mira hates the rain, truly."}),
    "Chinese keys": ("a.json", as_json(CHINESE), {"是我在敲钟，别怕。"}),
    "scenes in XML": ("a.xml", XML_SCENES, SCENE_LINES),
    "profiles in XML": ("a.xml", XML_PROFILES, QUOTED),
    "flat, other names": ("a.json", as_json([{"npcname": w, "line": t} for s in SCENES for w, t in s]), SCENE_LINES),
}


def records(path: Path, **options: Any) -> tuple[Record, ...]:
    return convert([path], "Mira", ConversionOptions(**options)).records


def guessed(message: str) -> list[Any]:
    """The map that an error shows, as somebody pastes it."""
    pasted = message[message.index("\nmaps:") :].partition("\n\n")[0]
    return list(yaml.safe_load(pasted)["maps"])


@pytest.mark.parametrize("shape", SHAPES)
def test_the_map_that_the_error_guesses_reads_the_file(shape: str, tmp_path: Path) -> None:
    name, content, wanted = SHAPES[shape]
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnderstudyError) as told:
        records(path)
    found = records(path, maps=guessed(str(told.value)))
    assert {record.text for record in found} == wanted
    assert all(record.source.startswith(f"{path}") and "#" in record.source for record in found)


@pytest.mark.parametrize("shape", ["books", "books in YAML", "scenes in XML", "books, a list"])
def test_a_scene_stays_one_conversation_under_a_guessed_map(shape: str, tmp_path: Path) -> None:
    name, content, _ = SHAPES[shape]
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UnderstudyError) as told:
        records(path)
    by_text = {record.text: record for record in records(path, maps=guessed(str(told.value)))}
    assert by_text["Tonight it is."].context == (
        Turn("Mira", "The tide is late tonight."),
        Turn("Bram", "It is never late."),
    )
    assert by_text["I ring the bells of Saltmere."].context == (Turn("Bram", "Who is up there in the tower?"),)
    assert by_text["The tide is late tonight."].context == ()
    assert by_text["Tonight it is."].prompt == "Evening 1"


def test_rows_and_columns_alone_are_a_map_and_a_record_names_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(BOOKS), encoding="utf-8")
    columns = ["speaker=character", "text=message", "title=summary"]
    found = records(path, rows="plots[].conversation[].dialogues[]", columns=columns)
    assert [record.source for record in found] == [
        f"{path}#plots[0].conversation[0].dialogues[1]",
        f"{path}#plots[1].conversation[0].dialogues[0]",
        f"{path}#plots[1].conversation[0].dialogues[2]",
    ]
    assert found[1].scene == found[2].scene == f"{path}#plots[1].conversation[0].dialogues"


def test_profiles_become_passages_beside_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(PROFILES), encoding="utf-8")
    with pytest.raises(UnderstudyError) as told:
        records(path)
    kinds = {record.text: record.kind for record in records(path, maps=guessed(str(told.value)))}
    assert kinds == {**dict.fromkeys(QUOTED, "dialogue"), PROFILE: "background"}


def test_maps_are_for_files_by_pattern_and_leave_others_to_their_readers(tmp_path: Path) -> None:
    (tmp_path / "voices").mkdir()
    (tmp_path / "voices" / "a.json").write_text(as_json(CHARACTERS), encoding="utf-8")
    (tmp_path / "books.json").write_text(as_json(BOOKS), encoding="utf-8")
    (tmp_path / "lines.json").write_text(as_json([{"speaker": "Mira", "text": "Aye, aye, captain."}]), encoding="utf-8")
    maps = [
        {"files": "voices/*.json", "rows": "[].voice[]", "columns": ["speaker=name"]},
        {"rows": "plots[].conversation[].dialogues[]", "columns": ["speaker=character", "text=message"]},
    ]
    conversion = convert([tmp_path], "Mira", ConversionOptions(maps=maps))
    assert {record.text for record in conversion.records} == QUOTED | SCENE_LINES | {"Aye, aye, captain."}
    account = account_of(conversion)
    assert account["read"] == account["kept"] + account["duplicates"] + sum(account["rejected"].values())
    assert all(file["kept"] for file in account["files"])


def test_a_map_that_finds_nothing_beside_one_that_does_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(CHARACTERS), encoding="utf-8")
    maps = [{"rows": "[].voice[]", "columns": ["speaker=name"]}, {"rows": "[].voices[]", "columns": ["speaker=name"]}]
    assert account_of(convert([path], "Mira", ConversionOptions(maps=maps)))["unused_keys"] == {
        "the map [].voices[]": 1
    }


def test_rows_of_one_value_of_a_field_are_one_scene(tmp_path: Path) -> None:
    rows = [{"id": n, "who": who, "line": text} for n, scene in enumerate(SCENES) for who, text in scene]
    path = tmp_path / "a.json"
    path.write_text(as_json({"rows": rows}), encoding="utf-8")
    found = records(path, maps=[{"rows": "rows[]", "columns": ["speaker=who", "text=line"], "scene": "id"}])
    assert [len(record.context) for record in found] == [1, 0, 2]


def test_the_error_shows_paths_counts_and_samples(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(BOOKS), encoding="utf-8")
    with pytest.raises(UnderstudyError, match="has book, plots, which is no known form") as told:
        records(path)
    assert "plots[].conversation[].dialogues[].message  5 x 'Who is up there in the tower?'" in str(told.value)


def test_a_row_without_its_text_is_counted_and_a_key_that_changes_meaning_is_an_error(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.json"
    path.write_text(
        as_json({"rows": [{"who": "Mira", "line": "Aye, aye."}, {"who": "Mira", "lime": "Nay."}]}), encoding="utf-8"
    )
    options = ConversionOptions(rows="rows[]", columns=["speaker=who", "text=line"])
    account = account_of(convert([path], "Mira", options))
    assert account["rejected"] == {"no 'line' in its row": 1}
    assert account["unused_keys"] == {"lime": 1}
    path.write_text(as_json({"rows": [{"who": "Mira", "line": "Aye, aye.", "history": ["No."]}]}), encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"rows\[0\]: has 'history', which changes what it means"):
        convert([path], "Mira", options)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no path": ({"rows": "plots[", "columns": []}, "is no path"),
    "no such rows": ({"rows": "scenes[]", "columns": []}, r"has book, plots, which is no known form"),
    "no such star": ({"rows": "plots[].conversation[]", "columns": ["speaker=*3"]}, "no star of `rows`"),
    "no JSON on the command line": ({"maps": "plots[]"}, "maps: is no JSON"),
    "no rows": ({"maps": '{"columns": []}'}, "maps, entry 1: says not where rows lie"),
    "an unknown column": ({"rows": "plots[]", "columns": ["spaeker=who"]}, "has the column 'spaeker'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_map_is_an_error_that_says_what_is_wrong(case: str, tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(BOOKS), encoding="utf-8")
    keys, said = WRONG[case]
    with pytest.raises(UnderstudyError, match=said):
        records(path, **keys)


def test_a_yaml_list_of_known_rows_needs_no_map(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(as_yaml([{"speaker": "Mira", "text": "Aye, aye, captain."}]), encoding="utf-8")
    (record,) = records(path)
    assert (record.text, record.source) == ("Aye, aye, captain.", f"{path}#0")


def test_rows_that_are_not_there_are_an_error_where_the_map_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(as_json(BOOKS), encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"has no rows at scenes\[\]"):
        records(path, maps=[{"files": "*.json", "rows": "scenes[]"}])


BROKEN: Sequence[tuple[str, str, str]] = (
    ("a.xml", "<a>\n<b></a>", r"a\.xml:2:\d+: is broken XML"),
    ("a.xml", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "entities"),
    ("a.yaml", "a: [", r"a\.yaml:1:\d+: is broken YAML"),
)


@pytest.mark.parametrize(("name", "content", "said"), BROKEN)
def test_a_broken_document_is_an_error_with_its_place(name: str, content: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(UnderstudyError, match=said):
        records(tmp_path / name)


@pytest.mark.parametrize("key", ["a b", " ", "it's", "\\", "\x1f", "\U00010fe0", "台词", "a.b"])
def test_a_path_through_any_key_can_be_read_again(key: str) -> None:
    (one,) = parse_maps([{"rows": write_path([key, "[]"]), "columns": ["text=@"]}], None, {}, parse_columns)
    assert [row.field("@") for row in one.matches({key: ["Aye."]})] == ["Aye."]


USUAL = ("name", "text", "lines", "title", "bio", "who")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.sampled_from(USUAL), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON_VALUES)
def test_every_map_that_is_guessed_finds_rows_in_what_it_was_guessed_from(document: Any) -> None:
    for guess in guess_maps(shape_of([document])):
        (one,) = parse_maps([guess.entry()], None, {}, parse_columns)
        rows = list(one.matches(document))
        assert rows
        assert any(row.field(one.columns["text"], climb=False) for row in rows)
    assert describe_shape([document], "a.json")
