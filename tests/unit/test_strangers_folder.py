"""A folder as somebody has it: what is no raw file is passed over by name and reason, and everything else is read."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.convert import LEFT_OUT, main
from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.conversion import convert
from pipeline.records.names import near_names
from pipeline.records.result import Conversion
from tests.raw_files import FORMS, card_v2_fields, png

LINES = [("Bram", "Who is up there?"), ("Mira", "I ring the bells of Saltmere.")]
AVATAR = png([(b"tEXt", b"Software\0paint")])
FOREIGN: dict[str, bytes] = {
    "User Avatars/user.png": AVATAR,
    "settings.json": b'{"theme": "dark", "power_user": {"smooth": true}}',
    "themes/Dark.json": b'{"name": "Dark", "blur_strength": 10, "main_text_color": "#fff"}',
    "groups/1700000000.json": b'{"id": "1700000000", "members": ["Mira.png", "Bram.png"], "hidden": false}',
    "backups/list.json": b'[{"path": "a", "size": 3}, {"path": "b", "size": 4}]',
    "README.md": b"Some prose about bells, which says nothing to anybody.",
    "model.bin": b"\0\1\2",
    "notes.rtf": b"{\\rtf1 bells}",
}
GROUP_CHAT: list[dict[str, Any]] = [
    {"name": "Bram", "is_user": True, "is_system": False, "mes": "Who is there?"},
    {"name": "System", "is_user": False, "is_system": False, "mes": "The door creaks.", "extra": {"type": "narrator"}},
    {"name": "Mira", "is_user": False, "mes": "Only me. Wipe your boots.", "extra": {}, "swipes": ["Go away."]},
    {"name": "Mira", "is_user": False, "is_system": True, "mes": "Chat saved."},
]


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def converted(path: Path) -> Conversion:
    return converted_as(path, "Mira")


def converted_as(path: Path, character: str) -> Conversion:
    return convert([path], character, ConversionOptions())


@pytest.mark.parametrize("form", FORMS)
def test_beside_the_files_of_other_programs_a_file_converts_as_alone(form: str, tmp_path: Path) -> None:
    made = FORMS[form](LINES)
    write(tmp_path / "alone", {f"x/{made.name}": made.content})
    write(tmp_path / "beside", {f"x/{made.name}": made.content} | FOREIGN)
    alone, beside = converted(tmp_path / "alone"), converted(tmp_path / "beside")
    assert [record.record_id for record in beside.records] == [record.record_id for record in alone.records]
    assert len(beside.files) + len(beside.passed_over) == 1 + len(FOREIGN)


def test_what_is_passed_over_is_named_with_its_reason(tmp_path: Path) -> None:
    write(tmp_path, {"a.json": FORMS["json_list"](LINES).content} | FOREIGN)
    said = format_account(account_of(converted(tmp_path)))
    assert "user.png (is an image without a card in it)" in said
    assert "settings.json (has theme, power_user, which is no known form)" in said
    assert "list.json (has path, size, which is no known form)" in said
    assert "README.md (no known form)" in said


def test_the_file_to_give_alone_is_named_whole_whatever_brackets_its_name_has(tmp_path: Path) -> None:
    unknown = b"nickname,remark (" + 300 * b"x" + b" (y)\nMira,late\nBram,early\n"
    write(tmp_path, {"a.json": FORMS["json_list"](LINES).content, "x (old)/Mira (1).csv": unknown})
    said = format_account(account_of(converted(tmp_path)))
    assert f"--raw {str(tmp_path / 'x (old)' / 'Mira (1).csv')!r})" in said


def test_a_folder_that_cannot_be_read_is_an_error_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = FORMS["json_list"](LINES).content
    write(tmp_path, {"a.json": lines, "locked/b.json": lines, ".hidden/c.json": lines})
    listed = os.scandir

    def scandir(path: str | Path) -> Any:
        if Path(path).name in ("locked", ".hidden"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)
    with pytest.raises(UnderstudyError, match=r"locked: cannot be read \(Permission denied\)"):
        converted(tmp_path)


@pytest.mark.parametrize("name", [name for name in FOREIGN if name.endswith((".png", ".json"))])
def test_named_itself_it_is_an_error(name: str, tmp_path: Path) -> None:
    write(tmp_path, FOREIGN)
    with pytest.raises(UnderstudyError, match=r"without a card|not a list of records|no known form"):
        converted(tmp_path / name)


def test_a_file_whose_later_rows_are_of_no_form_is_an_error_in_a_folder_too(tmp_path: Path) -> None:
    write(tmp_path, {"a.json": json.dumps([{"speaker": "Mira", "text": "Aye, aye."}, {"path": "b"}]).encode()})
    with pytest.raises(UnderstudyError, match=r"a\.json#1: has path, which is no known form"):
        converted(tmp_path)


NOT_KNOWN: dict[str, object] = {
    "a card of another program": {"char_persona": "She rings the bells of Saltmere.", "first_mes": ""},
    "a lorebook of another program": {"entries": [{"body": "The bells of Saltmere are nine.", "title": "Bells"}]},
    "messages with another key": [{"messages": [{"role": "assistant", "text": "I ring the bells of Saltmere."}]}],
}


@pytest.mark.parametrize("form", NOT_KNOWN)
def test_a_file_whose_texts_lie_under_keys_that_nobody_knows_never_vanishes(form: str, tmp_path: Path) -> None:
    card = {"name": "Mira"} if form.startswith("a card") else {}
    content = NOT_KNOWN[form] if isinstance(NOT_KNOWN[form], list) else card | dict(NOT_KNOWN[form])  # type: ignore[call-overload]
    write(tmp_path, {"a.json": FORMS["json_list"](LINES).content, "b.json": json.dumps(content).encode()})
    (passed_over,) = converted(tmp_path).passed_over
    assert "b.json (is taken for " in passed_over
    assert "holds no text where that form has it" in passed_over
    with pytest.raises(UnderstudyError, match="holds no text"):
        converted(tmp_path / "b.json")


def test_an_entry_of_an_unknown_form_amid_others_is_said_to_be_one(tmp_path: Path) -> None:
    entries = [
        {"keys": ["a"], "content": "Nine bells hang there."},
        {"keys": ["b"], "body": "The tower leans a little."},
    ]
    write(tmp_path, {"book.json": json.dumps({"entries": entries}).encode()})
    (reject,) = converted(tmp_path).rejects
    assert reject.reason == "an unknown form of entry (keys: keys, body)"


def test_novelais_scenario_gives_its_memory_and_book_and_no_line(tmp_path: Path) -> None:
    write(tmp_path, {"a.scenario": FORMS["novelai"](LINES).content})
    conversion = converted(tmp_path)
    assert [(record.kind, record.prompt) for record in conversion.records] == [
        ("background", "Word 0"), ("background", "Word 1"),
    ]  # fmt: skip
    assert [reject.reason for reject in conversion.rejects] == ["a scenario's prompt"]


def test_a_discord_export_is_read_by_nicknames_and_its_notices_set_aside(tmp_path: Path) -> None:
    document = json.loads(FORMS["discord"](LINES).content)
    author = {"name": "mira_1", "nickname": "Mira"}
    document["messages"] += [
        {
            "type": "ChannelPinnedMessage",
            "timestamp": "2024-01-01T00:10:00+00:00",
            "content": "Pinned.",
            "author": author,
        },
        {"type": "Reply", "timestamp": "2024-01-01T09:10:00+00:00", "content": "Up <:bell:123>!", "author": author},
        {"type": "Default", "timestamp": "2024-01-01T09:11:00+00:00", "content": "", "author": author},
    ]
    write(tmp_path, {"a.json": json.dumps(document).encode()})
    conversion = converted(tmp_path)
    assert [(record.text, len(record.context)) for record in conversion.records] == [
        (LINES[1][1], 1),
        ("Up :bell:!", 0),
    ]
    reasons = sorted(reject.reason for reject in conversion.rejects)
    assert reasons == ["a message without text", "a notice of the program", "another speaker"]


def test_a_chat_without_its_header_is_known_by_its_rows(tmp_path: Path) -> None:
    write(tmp_path, {"group.jsonl": "\n".join(map(json.dumps, GROUP_CHAT)).encode()})
    conversion = converted(tmp_path)
    (record,) = conversion.records
    assert record.text == "Only me. Wipe your boots."
    assert [(turn.speaker, turn.text) for turn in record.context] == [("Bram", "Who is there?")]
    reasons = sorted(reject.reason for reject in conversion.rejects)
    assert reasons == ["a hidden message", "a narrator's message", "another speaker"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("alternate_greetings", "1687194031049"), ("alternate_greetings", [3]), ("first_mes", 3), ("character_book", "x")],
)
def test_a_card_with_one_field_of_the_wrong_type_is_read_but_for_that_field(
    field: str, value: object, tmp_path: Path
) -> None:
    card = card_v2_fields(LINES)
    data = {key: entry for key, entry in dict(card["data"]).items() if key != field}  # type: ignore[call-overload]
    write(tmp_path, {"without.json": json.dumps(card | {"data": data}).encode()})
    write(tmp_path, {"odd.json": json.dumps(card | {"data": data | {field: value}}).encode()})
    without, odd = converted(tmp_path / "without.json"), converted(tmp_path / "odd.json")
    assert [record.text for record in odd.records] == [record.text for record in without.records]
    assert f"a card's {field} of the wrong type" in {reject.reason for reject in odd.rejects}


BROKEN: dict[str, bytes] = {
    "cut.json": b'[{"speaker": "Mira", "text": "Who',
    "x/cut.jsonl": b'{"speaker": "Mira", "text": "One."}\n{"speaker": "Mi',
    "damaged.txt": "Mira: Öl für die Glocken, und Öl für die Lampen.\n".encode() + b"Mira: \xff\n",
    "table.csv": b'speaker,text\nMira,"open\n',
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_of_a_folder_is_left_out_by_name_and_counted(name: str, tmp_path: Path) -> None:
    whole = {"a.json": FORMS["json_list"](LINES).content}
    write(tmp_path, whole | {name: BROKEN[name]} | FOREIGN)
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["I ring the bells of Saltmere."]
    assert conversion.read == len(conversion.records) + conversion.duplicates + len(conversion.rejects)
    assert len(conversion.files) + len(conversion.passed_over) + len(conversion.broken) == 2 + len(FOREIGN)
    assert "left out, broken: " in format_account(account_of(conversion))
    (error,) = conversion.broken
    assert error.startswith(str(tmp_path / name))
    assert "To fix it: " in error
    with pytest.raises(UnderstudyError) as strict:
        convert([tmp_path], "Mira", ConversionOptions(strict=True))
    assert str(strict.value) == error
    with pytest.raises(UnderstudyError) as alone:
        converted(tmp_path / name)
    assert str(alone.value) == error


def test_convert_says_by_its_exit_code_that_something_was_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exit_code(*options: str) -> object:
        command = ["convert", "--raw", str(tmp_path / "raw"), "--character", "Mira", "--out", str(tmp_path / "out")]
        monkeypatch.setattr("sys.argv", [*command, "--num_proc", "1", *options])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    write(tmp_path / "raw", {"a.json": FORMS["json_list"](LINES).content})
    assert exit_code() == 0
    write(tmp_path / "raw", {"b.json": BROKEN["cut.json"]})
    assert exit_code() == LEFT_OUT
    assert exit_code() == LEFT_OUT  # a second time, when nothing is converted anew
    assert "b.json:1:" in capsys.readouterr().out
    assert exit_code("--strict") == 2


def test_a_text_that_begins_with_brackets_is_no_json(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "script.txt": b"[[Mira]]: I ring the bells.\n[[Bram]]: Aye.\n[[The keeper|Mira]]: Every dusk.\n",
            "forum.txt": b"**Bram:** Who is there?\n**Mira:** Only the wind.\n[Mira]: And I.\n",
            "wiki.txt": b"{{Infobox|name=Mira}}\nShe rings the bells of Saltmere.\n",
        },
    )
    conversion = converted(tmp_path)
    texts = {record.text for record in conversion.records}
    assert texts == {"I ring the bells.", "Every dusk.", "Only the wind.\nAnd I."}
    assert conversion.passed_over == (f"{tmp_path / 'wiki.txt'} (no known form; Mira is named in it)",)
    assert not conversion.broken


RENPY = '''
define m = Character(_("Mira"), color="#fff")
default b = DynamicCharacter("Bram")
init python:
    def ring(times):
        return "m says nothing"
screen bells():
    text "Not said by anybody."
label start(loud=True):
    scene bg tower with fade
    play music "wind.ogg"
    voice "m_001.ogg"
    "The wind howls."
    m happy @ wink "It is {i}late{/i}, [player_name].{w=0.5} Mind the rope." with vpunch
    b "Say \\"please\\" [[sic]."
    m """
    First thing.

    Second
    thing.
    """
    extend " Third."
    m 'A line
       over two.'
    menu:
        "Ring it?" if True:
            m "Then ring."
    "Tam" "Who am I?"
    m "100%% sure." (what_size=18) # "a comment"
label end:
    m "Farewell."
'''


def test_of_a_renpy_script_what_is_said_is_read(tmp_path: Path) -> None:
    write(tmp_path, {"game/script.rpy": RENPY.encode()})
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == [
        "It is late, friend. Mind the rope.",
        "First thing.",
        "Second thing. Third.",
        "A line over two.",
        "Then ring.",
        "100% sure.",
        "Farewell.",
    ]
    by_text = {record.text: record for record in conversion.records}
    assert [turn.speaker for turn in by_text["First thing."].context] == ["Mira", "Bram"]
    assert by_text["First thing."].context[-1].text == 'Say "please" [sic].'
    assert by_text["Farewell."].context == ()
    assert by_text["Farewell."].prompt == "end"
    rejected = {reject.text for reject in conversion.rejects}
    assert {"The wind howls.", "Ring it?", "Who am I?"} <= rejected
    assert not any("Not said" in text or "nothing" in text for text in rejected)


@pytest.mark.parametrize("folder", ["", "game/", "game/definitions/"])
def test_a_game_may_define_its_characters_in_another_script(folder: str, tmp_path: Path) -> None:
    script = {"game/days/day1.rpy" if folder else "day1.rpy": b'label a:\n    m "Aye, I ring."\n'}
    write(tmp_path, {f"{folder}characters.rpy": b'define m = Character("Mira")\n'} | script)
    assert [record.text for record in converted(tmp_path).records] == ["Aye, I ring."]


@pytest.mark.parametrize(
    "defined",
    [
        'define m = Character(_("Mira"), color="#fff")',
        'define m = Character(color="#fff", image="m", name="Mira")',
        'define base = Character(None, what_prefix="(")\ndefine m = Character(kind=base, name="Mira")',
        'define other = Character("Mira")\ndefine m = Character(kind=other, color=(1, 2, "x"))',
        'default m_name = "Mira"\ndefine m = DynamicCharacter("m_name")',
        'default m_name = _("Mira")\ndefine m = Character("m_name", dynamic=True)',
        'default m_name = "Mira"\ndefine m = Character("[m_name]")',
        'define MIRA = "Mira"\ndefine m = Character(MIRA)',
    ],
)
def test_a_characters_name_may_stand_in_many_places(defined: str, tmp_path: Path) -> None:
    write(tmp_path, {"game/script.rpy": f'{defined}\nlabel a:\n    m "Aye, I ring."\n'.encode()})
    assert [record.text for record in converted(tmp_path).records] == ["Aye, I ring."]


def test_the_nearest_script_defines_a_variable_that_two_games_use(tmp_path: Path) -> None:
    games = {
        f"{name}/game/{script}.rpy": text.encode()
        for name in ("Mira", "Bram")
        for script, text in (("d", f'define e = Character("{name}")'), ("a", f'label a:\n    e "I am called {name}."'))
    }
    write(tmp_path, games)
    assert [record.text for record in converted(tmp_path).records] == ["I am called Mira."]


def test_a_games_translation_is_passed_over_unless_its_folder_is_named(tmp_path: Path) -> None:
    script = b'define m = Character("Mira")\nlabel a:\n    m "I ring the bells."\n    m "Every dusk."\n'
    german = """translate german a_12345678:

    # m "I ring the bells."
    m "Ich schlage die Glocken."

translate german a_87654321:
    m "Bei Sonnenuntergang."

translate german strings:
    old "Leave"
    new "Gehen"
"""
    write(tmp_path, {"game/script.rpy": script, "game/tl/german/script.rpy": german.encode()})
    both = converted(tmp_path)
    assert {record.text for record in both.records} == {"I ring the bells.", "Every dusk."}
    assert [passed for passed in both.passed_over if "is a translation" in passed]
    _, dusk = convert([tmp_path / "game" / "tl" / "german"], "Mira", ConversionOptions()).records
    assert (dusk.text, dusk.prompt) == ("Bei Sonnenuntergang.", "a")


def test_a_web_page_and_labels_are_no_script(tmp_path: Path) -> None:
    page = b"<!DOCTYPE html>\n<html><body>\n<nav>Mira: Aye.<br>Bram: No.</nav>\n<p>It rains.</p></body></html>\n"
    labels = b"Note: it rained.\nRemember: clocks lie.\nShe said: nothing.\nPlace: a tower.\nWhen: dusk.\n"
    write(tmp_path, {"page.html": page, "notes.txt": labels, "a.txt": b"Bram: Who?\nMira: Only me.\n"})
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["Only me."]
    assert len(conversion.passed_over) == 2


def test_a_wikis_quote_template_names_the_speaker_and_a_placeholder_stays(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": b"{{Quote|Mira}}: Late again.\nBram: Aye.\n{{char}}: I ring the bells.\n"})
    assert [record.text for record in converted(tmp_path).records] == ["Late again.", "I ring the bells."]


def test_rooms_of_a_table_are_conversations_and_a_long_pause_ends_one(tmp_path: Path) -> None:
    rows = [
        ("文本", "Bram", "a", "Who is there?", "2024/10/4 11:00"),
        ("文本", "Tam", "b", "Elsewhere.", "2024/10/4 11:01"),
        ("文本", "Mira", "a", "Only me.", "2024/10/4 11:02"),
        ("图片", "Bram", "a", "图片", "2024/10/4 11:03"),
        ("文本", "Mira", "b", "Here, too.", "2024/10/4 11:04"),
        ("文本", "Bram", "a", "And now?", "2024/10/4 11:05"),
        ("文本", "Mira", "a", "Still me.", "2024/10/4 11:06"),
        ("文本", "Mira", "a", "A new day.", "2024/10/5 11:06"),
    ]
    table = "type_name;talker;room_name;msg;CreateTime\n" + "".join(f"{';'.join(row)}\n" for row in rows)
    write(tmp_path, {"chat.csv": table.encode()})
    context = {record.text: [turn.text for turn in record.context] for record in converted(tmp_path).records}
    assert context == {
        "Only me.": ["Who is there?"],
        "Still me.": ["Who is there?", "Only me.", "And now?"],
        "A new day.": [],
        "Here, too.": ["Elsewhere."],
    }
    write(tmp_path, {"chat.csv": table.replace("talker", "von").replace("msg", "was").encode()})
    mapped = convert([tmp_path], "Mira", ConversionOptions(columns=["speaker=von", "text=was"]))
    assert {record.text for record in mapped.records} == context.keys()


def test_a_check_shows_on_one_screen_what_a_folder_was_taken_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "raw", {f"{n}.txt": f"Bram: Who is {n}?\nMira: I am {n}.\n".encode() for n in range(9)})
    write(tmp_path / "raw", {"facts.json": FORMS["settings"](LINES).content, "b.json": BROKEN["cut.json"]} | FOREIGN)
    command = ["convert", "--raw", str(tmp_path / "raw"), "--character", "Mira", "--check", "--num_proc", "1"]
    monkeypatch.setattr("sys.argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    shown = capsys.readouterr().out
    assert ended.value.code == LEFT_OUT
    assert "transcript: 9 files, 18 entries, 9 kept" in shown
    assert "Bram: Who is 0? -> I am 0." in shown
    assert "b.json:1:" in shown
    assert f"passed over: {len(FOREIGN)} files" in shown
    assert len(shown.splitlines()) < 40
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]  # nothing is written


@pytest.mark.parametrize(
    ("name", "other", "near"),
    [
        ("Orla Finch", "Orla", True),
        ("Orla Finch", "orla finch ", True),
        ("芙宁娜", "芙宁娜·德·枫丹", True),
        ("Orla Finch", "Orla Finsh", True),
        ("Mira", "Miranda", False),
        ("Mira", "Bram", False),
        ("李", "李白", False),
    ],
)
def test_names_that_may_be_the_same_are_near(name: str, other: str, near: bool) -> None:
    assert bool(near_names(name, {other: 1, name: 2})) == near


def test_who_asks_for_a_name_that_nobody_has_is_told_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, {"a.txt": b"Mira Vale: Good day.\nBram: Where is Mira?\nMira Vale: Here.\n"})
    with pytest.raises(UnderstudyError, match=r"nearest: Mira Vale \(2\).*stands first at .*a\.txt"):
        converted(tmp_path)
    assert converted_as(tmp_path, "Mira Vale").near_names == {}


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
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content), encoding="utf-8")

    def contexts(**options: Any) -> dict[str, list[str]]:
        records = convert([path], "Mira", ConversionOptions(**options)).records
        return {one.text: [turn.text for turn in one.context] for one in records}

    before = ["Is it mended?", "Not yet. Ask @bram.", "And now?"]
    assert contexts() == {"Not yet. Ask @bram.": before[:1], "Now it is.": before}
    assert contexts(scene_gap=2) == {"Not yet. Ask @bram.": before[:1], "Now it is.": before[2:]}
    rejected = {reject.reason for reject in converted(path).rejects}
    assert {"a notice of the program", "a message without text"} <= rejected


def test_ms_swifts_history_is_learnt_and_stands_before_the_reply(tmp_path: Path) -> None:
    row = {"query": "And the key.", "response": "Under the mat.", "history": [["Hello.", "Good evening."]]}
    write(tmp_path, {"a.jsonl": json.dumps(row).encode()})
    first, second = converted(tmp_path).records
    assert (first.text, second.text) == ("Good evening.", "Under the mat.")
    assert [turn.text for turn in second.context] == ["Hello.", "Good evening.", "And the key."]
