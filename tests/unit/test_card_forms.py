"""Cards in images and archives, characters, chats and lorebooks of other programs, workbooks: read, or said why not."""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.cards import webui_character
from pipeline.records.readers.tables import excel
from pipeline.records.record import Turn
from pipeline.records.result import Conversion
from tests.raw_files import (
    FORMS,
    card_fields,
    card_v2_fields,
    dumped,
    image,
    png,
    sheet,
    workbook,
    zipped,
)

LINES = [("Bram", "Who is up there?"), ("Mira", "I ring the bells of Saltmere.")]
CARD = dumped(card_v2_fields(LINES))


def converted(path: Path, character: str = "Mira", **options: object) -> Conversion:
    return convert([path], character, ConversionOptions(**options))  # type: ignore[arg-type]


def kept(conversion: Conversion) -> list[tuple[str, str]]:
    return [(record.kind, record.text) for record in conversion.records]


COMMENTS: dict[str, bytes] = {
    "with the code of ASCII": b"ASCII\0\0\0" + CARD,
    "without a code": CARD,
    "with an empty code": b"\0" * 8 + CARD,
    "in UTF-16, little end first": b"UNICODE\0" + CARD.decode().encode("utf-16-le"),
    "in UTF-16, big end first": b"UNICODE\0" + CARD.decode().encode("utf-16-be"),
    "in UTF-8 under the code of UTF-16": b"UNICODE\0" + CARD,
    "in base64": b"ASCII\0\0\0" + base64.b64encode(CARD),
    "as the numbers of its bytes": b"ASCII\0\0\0" + ",".join(map(str, CARD)).encode(),
}


@pytest.mark.parametrize("form", ["WEBP", "JPEG"])
@pytest.mark.parametrize("comment", COMMENTS)
def test_a_card_in_a_users_comment_is_the_card_in_json(form: str, comment: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(CARD)
    (tmp_path / "a.webp").write_bytes(image(form, COMMENTS[comment]))
    assert kept(converted(tmp_path / "a.webp")) == kept(converted(tmp_path / "a.json"))


@pytest.mark.parametrize("form", ["zTXt", "iTXt", "iTXt, plain"])
def test_a_card_in_a_compressed_chunk_is_the_card_in_a_plain_one(form: str, tmp_path: Path) -> None:
    content = base64.b64encode(CARD)
    chunk = {
        "zTXt": (b"zTXt", b"chara\0\0" + zlib.compress(content)),
        "iTXt": (b"iTXt", b"chara\0\1\0\0\0" + zlib.compress(content)),
        "iTXt, plain": (b"iTXt", b"chara\0\0\0\0\0" + content),
    }[form]
    (tmp_path / "plain.png").write_bytes(png([(b"tEXt", b"chara\0" + content)]))
    (tmp_path / "a.png").write_bytes(png([chunk]))
    assert kept(converted(tmp_path / "a.png")) == kept(converted(tmp_path / "plain.png"))


@pytest.mark.parametrize("name", ["a.png", "a.webp", "a.jpg", "a.charx"])
def test_an_image_is_what_its_content_says_and_not_its_name(name: str, tmp_path: Path) -> None:
    for content in (
        image("WEBP", CARD),
        image("JPEG", CARD),
        image("JPEG") + zipped({"card.json": CARD}),
        png([]) + zipped({"card.json": CARD}),
        png([(b"tEXt", b"chara\0" + base64.b64encode(CARD))]),
    ):
        if name == "a.charx" and b"PK\3\4" not in content:
            continue
        (tmp_path / name).write_bytes(content)
        assert ("dialogue", "I ring the bells of Saltmere.") in kept(converted(tmp_path))


WITHOUT_CARD: dict[str, bytes] = {
    "a JPEG": image("JPEG"),
    "a JPEG with a comment": image("JPEG", b"ASCII\0\0\0Taken by Bram, at dusk"),
    "a WebP with the settings of a picture": image("WEBP", b"UNICODE\0" + "Steps: 20, Seed: 3".encode("utf-16-be")),
    "a JPEG with JSON of another kind": image("JPEG", b'ASCII\0\0\0{"workflow": {"nodes": []}}'),
    "a JPEG with an archive of other things": image("JPEG") + zipped({"notes.txt": b"bells"}),
    "a WebP cut off": image("WEBP")[:30],
    "a PNG cut off": png([])[:40],
    "a PNG with a bit flipped": png([(b"tEXt", b"Comment\0hello")]).replace(b"hello", b"hellp"),
}


@pytest.mark.parametrize("case", WITHOUT_CARD)
@pytest.mark.parametrize("name", ["avatar.png", "avatar.jpg", "avatar"])
def test_an_image_without_a_card_ends_no_folder(case: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(CARD)
    (tmp_path / name).write_bytes(WITHOUT_CARD[case])
    conversion = converted(tmp_path)
    assert ("dialogue", "I ring the bells of Saltmere.") in kept(conversion)
    (passed_over,) = conversion.passed_over
    assert passed_over.startswith(str(tmp_path / name))
    with pytest.raises(UnderstudyError, match="To fix it: "):
        converted(tmp_path / name)


def cut(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def flipped(content: bytes, mark: bytes) -> bytes:
    return content.replace(mark, bytes([mark[0] ^ 1]) + mark[1:], 1)


DAMAGED: dict[str, Callable[[], bytes]] = {
    "a WebP cut off within its card": lambda: image("WEBP", CARD)[:-200],
    "a JPEG cut off within its card": lambda: cut(image("JPEG", CARD), 0.3),
    "a comment that is no JSON": lambda: image("WEBP", b"ASCII\0\0\0" + CARD[:-5]),
    "a comment nested without end": lambda: image("JPEG", b'{"first_mes": ' + b"[" * 50_000),
    "an archive cut off after an image": lambda: image("JPEG") + cut(zipped({"card.json": CARD}), 0.5),
    "a bomb after an image": lambda: image("JPEG") + zipped({"card.json": b'{"name": "' + b"a" * (8 << 20) + b'"}'}),
    "a path out of the archive after an image": lambda: image("JPEG") + zipped({"card.json": CARD, "../x": b""}),
    "a compressed chunk that is broken": lambda: png([(b"zTXt", b"chara\0\0" + zlib.compress(CARD)[:-9])]),
    "a compressed chunk by another method": lambda: png([(b"zTXt", b"chara\0\1" + zlib.compress(CARD))]),
    "a compressed chunk that is a bomb": lambda: png([(b"zTXt", b"ccv3\0\0" + zlib.compress(b"e" * (65 << 20)))]),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_card_is_an_error_and_in_a_folder_left_out_by_name(case: str, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(CARD)
    (tmp_path / "b.img").write_bytes(DAMAGED[case]())
    with pytest.raises(UnderstudyError, match=r"b\.img.*To fix it: ") as raised:
        converted(tmp_path / "b.img")
    assert type(raised.value) is UnderstudyError
    conversion = converted(tmp_path)
    assert ("dialogue", "I ring the bells of Saltmere.") in kept(conversion)
    assert conversion.broken == (str(raised.value),)


def test_a_yaml_character_becomes_what_a_card_becomes(tmp_path: Path) -> None:
    (tmp_path / "Mira.yaml").write_text(
        "name: Mira\n"
        "greeting: |-\n  *{{char}} looks up.*\n  You are late, {{user}}.\n"
        "context: |-\n  Mira's Persona: She rings the bells of Saltmere.\n\n"
        "  <START>\n  You: Who are you?\n  {{char}}: The one with the rope.\n"
        "your_name: Tobin\n"
        "example_dialogue: |-\n  Tobin: Who taught you?\n  Mira: Old Bram, and the weather.\n"
        "turn_template: ''\n",
        encoding="utf-8",
    )
    conversion = converted(tmp_path, user_name="Tobin")
    assert sorted(kept(conversion)) == [
        ("background", "Mira's Persona: She rings the bells of Saltmere."),
        ("dialogue", "*Mira looks up.*\nYou are late, Tobin."),
        ("dialogue", "Old Bram, and the weather."),
        ("dialogue", "The one with the rope."),
    ]
    by_text = {record.text: record.context for record in conversion.records}
    assert by_text["Old Bram, and the weather."] == (Turn("", "Who taught you?"),)
    assert by_text["The one with the rope."] == (Turn("", "Who are you?"),)
    assert account_of(conversion)["unused_keys"] == {"turn_template": 1}


def test_a_name_in_yaml_is_a_string_whatever_it_looks_like(tmp_path: Path) -> None:
    for name in ("On", "1871", "2024-13-45"):
        (tmp_path / "a.yaml").write_text(
            f"name: {name}\ncontext: ~\ngreeting: The tide has turned.\n", encoding="utf-8"
        )
        assert kept(converted(tmp_path, name)) == [("dialogue", "The tide has turned.")]


PERSONAS = {"pygmalion": "Mira rings the bells of Saltmere for Tobin.", "agnai": "job: bell ringer\nlikes: eels, dusk"}


@pytest.mark.parametrize("form", PERSONAS)
def test_a_persona_is_a_passage_and_the_notes_of_its_maker_are_none(form: str, tmp_path: Path) -> None:
    made = FORMS[form](LINES)
    (tmp_path / made.name).write_bytes(made.content)
    conversion = converted(tmp_path, user_name="Tobin")
    passages = [text for kind, text in kept(conversion) if kind == "background"]
    assert passages == [PERSONAS[form], "The tower of Saltmere, at dusk."]
    assert "SECRET" not in str(conversion.records) + str(conversion.rejects)


HOSTILE: dict[str, tuple[str, bytes, str]] = {
    "aliases that multiply": ("a.yaml", b"name: &a [b, b]\ncontext: *a\ngreeting: *a\n", "has an alias"),
    "YAML nested without end": ("a.yaml", b"name: a\ncontext: " + b"[" * 20_000, "is nested over 20 deep"),
    "YAML with an open quote": ("a.yaml", b'name: a\ncontext: "b\n', r"a\.yaml:3:1: is broken YAML"),
    "YAML of two documents": ("a.yaml", b"name: a\ncontext: b\n---\nname: c\n", "is broken YAML"),
    "a key that is a list": ("a.yaml", b"name: a\ncontext: b\n? [c]\n: d\n", "is broken YAML"),
    "a tag that makes an object": ("a.yaml", b"name: !!python/object:os.system a\ncontext: ''\n", "holds no text"),
    "a character without a name": ("a.json", b'{"char_name": "", "char_persona": "b"}', "without a 'name'"),
    "a chat whose pair is none": ("a.json", b'{"visible": [["a", "b"], ["c"]]}', r"a\.json#visible\.1: is no pair"),
    "a chat whose turn is no text": (
        "a.json",
        b'{"visible": [["a", 3]]}',
        r"a\.json#visible\.0: has 'text' that is no",
    ),
    "a chat that is cut off": ("a.json", b'{"visible": [["a", "b"]', "is broken JSON"),
    "a module whose lorebook is a number": ("a.json", b'{"type": "risuModule", "lorebook": 3}', "has no 'entries'"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    name, content, complaint = HOSTILE[case]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnderstudyError, match=complaint) as raised:
        converted(tmp_path / name)
    assert name in str(raised.value)
    assert "To fix it: " in str(raised.value)


def test_yaml_that_would_take_minutes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webui_character, "MAX_YAML", 20)
    (tmp_path / "a.yaml").write_bytes(b"name: a\ncontext: b, and more of it\n")
    with pytest.raises(UnderstudyError, match="is longer than"):
        converted(tmp_path)


def chat(*shown: list[str]) -> bytes:
    return dumped({"internal": [["<|BEGIN-VISIBLE-CHAT|>", "Not this."]], "visible": list(shown)})


def test_a_web_uis_chat_is_read_as_it_was_shown(tmp_path: Path) -> None:
    sound = '<audio src="file/a.wav" controls></audio>\n\n'
    shown = (["", "You&#x27;re late."], ["Is 1 &lt; 2 &amp; 3?", f"{sound}Aye, it is."], ["", "And <3 to you."])
    (tmp_path / "a.json").write_bytes(chat(*shown))
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["You're late.", "Aye, it is.\nAnd <3 to you."]
    assert conversion.records[1].context == (Turn("Mira", "You're late."), Turn("", "Is 1 < 2 & 3?"))


def test_a_web_uis_chat_without_what_was_shown_is_read_without_its_marker(tmp_path: Path) -> None:
    pairs = [["<|BEGIN-VISIBLE-CHAT|>", "You are late."], ["Is it &lt;?", "Aye, it is."]]
    for keys in ({"internal": pairs}, {"data": pairs, "data_visible": []}, {"internal": pairs, "visible": []}):
        (tmp_path / "a.json").write_bytes(dumped(keys))
        first, second = converted(tmp_path).records
        assert first.context == ()
        assert second.context == (Turn("Mira", "You are late."), Turn("", "Is it &lt;?"))


def test_a_long_chat_of_old_is_known_by_its_marker(tmp_path: Path) -> None:
    pairs = [
        ["<|BEGIN-VISIBLE-CHAT|>", "You are late."],
        *([f"{n}?", f"{n} bells. {'Ding! ' * 40}"] for n in range(500)),
    ]
    (tmp_path / "a.json").write_bytes(dumped({"data": pairs, "data_visible": [["", pairs[0][1]], *pairs[1:]]}))
    assert len(converted(tmp_path).records) == 501


@pytest.mark.parametrize("name", ["logs/chat/Bram/20240101-10-00-00.json", "logs/persistent/Bram_persistent.json"])
def test_another_characters_chat_is_not_taken_for_hers(name: str, tmp_path: Path) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(chat(["Who is there?", "Only old Bram."]))
    with pytest.raises(UnderstudyError, match=r"nothing usable is said by 'Mira'; the speakers are: .*Bram"):
        converted(tmp_path)
    assert kept(converted(tmp_path, "Bram")) == [("dialogue", "Only old Bram.")]


def test_a_lorebooks_decorators_and_folders_are_no_text(tmp_path: Path) -> None:
    entries = [
        {"key": "bell, rope", "comment": "", "content": "@@depth 4\n@@@position after\nNine bells hang there."},
        {"key": "b", "comment": "The tide", "content": "It turns twice.\n@@ is what the sailors carve."},
        {"key": "c", "comment": "Places", "content": "", "mode": "folder"},
    ]
    for document in (
        {"type": "risu", "ver": 1, "data": entries},
        {"type": "risuModule", "module": {"lorebook": entries}},
    ):
        (tmp_path / "a.json").write_bytes(dumped(document))
        conversion = converted(tmp_path)
        assert [(record.prompt, record.text) for record in conversion.records] == [
            ("bell", "Nine bells hang there."),
            ("The tide", "It turns twice.\n@@ is what the sailors carve."),
        ]
        assert [reject.reason for reject in conversion.rejects] == ["a folder of entries"]


def test_a_scenarios_placeholders_are_filled_in_and_its_passing_context_set_aside(tmp_path: Path) -> None:
    scenario = {
        "scenarioVersion": 2,
        "title": "The tower",
        "prompt": "The bell rings twice.",
        "placeholders": [{"key": "town", "defaultValue": "Saltmere"}],
        "context": [{"text": "Mira rings the bells of ${town}."}, {"text": ""}],
        "ephemeralContext": [{"text": "It has begun to rain in ${town}.", "startingStep": 3}],
        "lorebook": {
            "entries": [
                {"text": "Nine bells hang in ${town}, ${n} more below.", "displayName": "Town", "enabled": True}
            ]
        },
    }
    (tmp_path / "a.scenario").write_bytes(dumped(scenario))
    conversion = converted(tmp_path)
    assert [text for _, text in kept(conversion)] == ["Mira rings the bells of Saltmere."]
    rejected = {reject.reason: reject.text for reject in conversion.rejects}
    assert rejected.keys() == {"a scenario's ephemeral context", "a scenario's prompt", "an unresolved placeholder"}
    assert rejected["an unresolved placeholder"] == "Nine bells hang in Saltmere, ${n} more below."


def test_a_voice_without_its_text_is_counted_with_its_reason(tmp_path: Path) -> None:
    voices = {
        "00000405": {
            "fileName": "a.wem",
            "language": "EN",
            "npcName": "Mira",
            "text": "#Mind the third stair, {NICKNAME}.",
        },
        "00000406": {"fileName": "b.wem", "language": "EN"},
        "00000407": {"fileName": "c.wem", "language": "EN", "npcName": "Bram", "text": "Aye, aye."},
    }
    (tmp_path / "a.json").write_bytes(dumped(voices))
    conversion = converted(tmp_path, user_name="Tobin")
    assert kept(conversion) == [("dialogue", "Mind the third stair, Tobin.")]
    reasons = sorted(reject.reason for reject in conversion.rejects)
    assert reasons == ["a voice without its text", "another speaker"]


ROWS = [("speaker", "text"), ("Bram", "Who is up there?"), ("Mira", "I ring the bells of Saltmere.")]


def test_without_openpyxl_a_workbook_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    (tmp_path / "a.xlsx").write_bytes(workbook(Lines=sheet(ROWS)))
    with pytest.raises(
        UnderstudyError, match=r"is not installed\. To fix it: run `pip install openpyxl`, or save each"
    ):
        converted(tmp_path / "a.xlsx")
    (tmp_path / "a.json").write_bytes(CARD)
    (passed_over,) = converted(tmp_path).passed_over
    assert "a.xlsx (is an Excel workbook, and openpyxl, which reads it, is not installed)" in passed_over


@pytest.mark.parametrize("name", ["a.xls", "a.xlsx"])
def test_an_old_workbook_or_one_with_a_password_is_refused_with_what_to_do(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(UnderstudyError, match=r"Excel 97-2003, or one with a password.*save it as \.xlsx or csv"):
        converted(tmp_path / name)


def test_a_workbooks_sheets_are_tables(tmp_path: Path) -> None:
    notes = [("who", "phone"), ("Bram", "12")]
    (tmp_path / "a.xlsx").write_bytes(
        workbook(Lines=sheet(ROWS), More=sheet([*ROWS[:1], ("Mira", "1871")]), Notes=sheet(notes))
    )
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["I ring the bells of Saltmere.", "1871"]
    assert "a sheet of no known form" in {reject.reason for reject in conversion.rejects}
    renamed = [("wer", "satz"), *ROWS[1:]]
    (tmp_path / "a.xlsx").write_bytes(workbook(Lines=sheet(renamed)))
    with pytest.raises(UnderstudyError, match=r"a\.xlsx#Lines!2: has wer, satz, which is no known form"):
        converted(tmp_path)
    assert kept(converted(tmp_path, columns=["speaker=wer", "text=satz"])) == [
        ("dialogue", "I ring the bells of Saltmere.")
    ]


@pytest.mark.parametrize("header", [("speaker", "text"), ("speaker", "text", ""), ("", "speaker", "text")])
def test_what_stands_in_a_workbooks_column_without_a_name_is_counted(header: tuple[str, ...], tmp_path: Path) -> None:
    row = ("note", *ROWS[2]) if header[0] == "" else (*ROWS[2], "note")
    (tmp_path / "a.xlsx").write_bytes(workbook(Lines=sheet([header, row])))
    conversion = converted(tmp_path)
    assert kept(conversion) == [("dialogue", "I ring the bells of Saltmere.")]
    assert account_of(conversion)["unused_keys"] == {"": 1}


def test_a_workbook_with_a_row_far_below_the_others_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "MAX_CELLS", 1000)
    far = sheet(ROWS).replace(b"<row>", b'<row r="999999999">')
    (tmp_path / "a.xlsx").write_bytes(workbook(Lines=far))
    with pytest.raises(UnderstudyError, match=r"a\.xlsx#Lines!1001: has over 1000 cells"):
        converted(tmp_path)


@pytest.mark.parametrize("case", ["a bomb", "a part that is no XML", "a workbook without its parts"])
def test_a_hostile_workbook_is_refused(case: str, tmp_path: Path) -> None:
    content = {
        "a bomb": lambda: workbook(Lines=sheet([("speaker", "text"), ("Mira", "a" * (8 << 20))])),
        "a part that is no XML": lambda: workbook(Lines=b"<worksheet"),
        "a workbook without its parts": lambda: zipped({"xl/workbook.xml": b"<a/>"}),
    }[case]()
    (tmp_path / "a.xlsx").write_bytes(content)
    with pytest.raises(UnderstudyError, match=r"a\.xlsx: (is no sound workbook|claims to unpack)"):
        converted(tmp_path)


UNKNOWN_KEYS: dict[str, Callable[[], tuple[str, bytes]]] = {
    "a card": lambda: ("a.json", dumped({**card_fields(LINES), "mood": "dry"})),
    "a card in an image": lambda: ("a.webp", image("WEBP", dumped({**card_fields(LINES), "mood": "dry"}))),
    "a lorebook": lambda: ("a.json", dumped({"entries": [{"keys": ["a"], "content": "Nine bells.", "mood": "dry"}]})),
    "a character in YAML": lambda: ("a.yaml", b"mood: dry\nname: Mira\ngreeting: The tide has turned.\n"),
    "a character of Pygmalion": lambda: (
        "a.json",
        b'{"char_name": "Mira", "char_greeting": "Up here!", "mood": "dry"}',
    ),
    "a web UI's chat": lambda: ("a.json", dumped({"visible": [["", "Up here!"]], "mood": "dry"})),
    "a voice index": lambda: ("a.json", dumped({"1": {"npcName": "Mira", "text": "Up here!", "mood": "dry"}})),
}


def test_a_field_under_two_names_is_read_once_and_the_other_counted(tmp_path: Path) -> None:
    fields = {"char_name": "Mira", "name": "Mira", "char_greeting": "Up here!", "greeting": "Mind the third stair."}
    (tmp_path / "a.json").write_bytes(dumped(fields))
    conversion = converted(tmp_path)
    assert kept(conversion) == [("dialogue", "Mind the third stair.")]
    assert account_of(conversion)["unused_keys"] == {"char_greeting": 1}


@pytest.mark.parametrize("form", UNKNOWN_KEYS)
def test_a_key_that_no_reader_uses_is_counted_by_its_name(form: str, tmp_path: Path) -> None:
    name, content = UNKNOWN_KEYS[form]()
    (tmp_path / name).write_bytes(content)
    conversion = converted(tmp_path)
    assert conversion.records
    assert account_of(conversion)["unused_keys"]["mood"] == 1


def test_settings_that_hold_a_characters_keys_somewhere_end_no_folder(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(CARD)
    below = {"name": "x", "context": "y", "greeting": "z", "char_name": "x", "char_persona": "y", "first_mes": ""}
    (tmp_path / "settings.json").write_bytes(dumped({"power_user": below}))
    conversion = converted(tmp_path)
    assert ("dialogue", "I ring the bells of Saltmere.") in kept(conversion)
    (passed_over,) = conversion.passed_over
    assert passed_over.startswith(str(tmp_path / "settings.json"))


@pytest.mark.parametrize("form", ["card_v2", "lorebook", "voice_index"])
def test_keys_that_are_counted_equally_often_stand_in_the_files_order(form: str, tmp_path: Path) -> None:
    keys = [f"odd_{letter}" for letter in "qwertyuiopasdfgh"]
    document = json.loads(FORMS[form](LINES).content)
    inner = {"card_v2": "data", "lorebook": "entries", "voice_index": "00000000"}[form]
    inner_object = document[inner]["0"] if form == "lorebook" else document[inner]
    inner_object |= dict.fromkeys(keys, "x")
    (tmp_path / "a.json").write_bytes(dumped(document))
    assert [key for key in account_of(converted(tmp_path))["unused_keys"] if key in keys] == keys
