"""Every form is recognised by its content, in any encoding; and nothing in a hostile file gets its way."""

from __future__ import annotations

import base64
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.raw import ReadOptions
from pipeline.records.raw_file import open_raw
from pipeline.records.readers import READERS, recognise
from pipeline.records.readers.cards import charx, png_card
from pipeline.records.readers.rows.row_forms import ROW_FORMS
from pipeline.records.readers.texts import TEXTS
from pipeline.records.record import Turn
from pipeline.records.result import Conversion
from tests.raw_files import FORMS, card_fields, card_v2_fields, card_v3_fields, dumped, png, zipped

LINES = [("Bram", "Who is up there?"), ("Mira", "I ring the bells of Saltmere.")]
FORM_NAMES = {
    "transcript": "transcript", "chat_log": "chat history", "card_v1": "character card", "card_v2": "character card",
    "card_png": "character card in a PNG", "card_png_compressed": "character card in a PNG",
    "card_png_international": "character card in a PNG", "whatsapp": "WhatsApp chat",
    "novelai": "lorebook", "risu": "lorebook", "voice_index": "voice index", "discord": "Discord channel",
    "charx": "character card in a .charx", "lorebook": "lorebook",
    "subtitles_srt": "subtitles", "subtitles_ass": "subtitles", "comma_separated": "table", "parquet": "parquet",
    "arrow": "arrow", "card_webp": "character card in a JPEG or WebP", "card_jpeg": "character card in a JPEG or WebP",
    "charx_in_jpeg": "character card in a .charx", "novelai_png": "character card in a PNG",
    "webui_yaml": "text-generation-webui, Pygmalion or Agnai character",
    "pygmalion": "text-generation-webui, Pygmalion or Agnai character",
    "agnai": "text-generation-webui, Pygmalion or Agnai character", "webui_log": "text-generation-webui chat",
    "chat_table": "chat in a table", "renpy": "Ren'Py script",
    "telegram": "Telegram chat", "irc": "chat with times", "times_above": "chat with times",
    "agnai_memory": "lorebook", "risu_module": "lorebook", "excel": "Excel workbook", "asked": "questions and answers",
    "ink": "Ink script", "rpg_maker": "RPG Maker data", "articy": "articy:draft export",
    "localisation": "localisation", "dialogue_system": "Dialogue System database",
    "twine": "Twine story", "twee": "Twine story", "telegram_html": "Telegram chat in HTML",
    "discord_html": "Discord channel in HTML", "web_page": "web page", "web_archive": "web page",
    "qq_archive": "QQ chat in a web archive",
}  # fmt: skip


def converted(path: Path, character: str = "Mira", **options: object) -> Conversion:
    return convert([path], character, ConversionOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_recognised_by_its_content_under_any_name(form: str, tmp_path: Path) -> None:
    made = FORMS[form](LINES)
    for name in (made.name, "download", "download.bin", "readme.md"):
        (tmp_path / name).write_bytes(made.content)
        known = recognise(tmp_path / name, ReadOptions())
        assert known is not None
        assert known.reader.name == FORM_NAMES.get(form, "JSON records")


def test_every_reader_and_every_form_of_row_is_tested() -> None:
    # In test_maps.py, test_profiles.py, test_peoples_files.py, test_wiki_source.py, test_screenplays.py, test_prose.py,
    # test_scripts.py, test_boards_and_players.py, test_copied_chats.py.
    elsewhere = {"YAML or XML", "document with a map", "page about the character", "Word document"}
    elsewhere |= {
        "script or questions below a profile",
        "screenplay",
        "prose fiction",
        "Yarn script",
        "wiki's page of lines",
    }
    elsewhere |= {"post of PTT", "subtitles of a web player", "chat of a tabletop game", "Foundry actor or journal"}
    elsewhere |= {"chat copied without times"}
    assert {reader.name for reader in READERS} == set(FORM_NAMES.values()) | {"JSON records"} | elsewhere
    assert len(ROW_FORMS) == 11


@pytest.mark.parametrize("name", ["photo.jpg", "model.bin", "page.html", "notes.md"])
def test_what_is_no_raw_file_is_passed_over_in_a_folder_and_refused_by_itself(name: str, tmp_path: Path) -> None:
    content = b"\xff\xd8\xff\0\0" if name != "notes.md" else b"Some prose about bells, which says nothing to anybody."
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        converted(tmp_path / name)
    (tmp_path / "a.txt").write_text("Mira: Aye, I am up here.", encoding="utf-8")
    assert converted(tmp_path).passed_over == (f"{tmp_path / name} (no known form)",)


CHINESE = """## 黄昏
老鲟：钟楼上的风这么大，你还不下来？
敲钟人：我在这里敲了三十年的钟，还没有被风吹走过。
老鲟：那你唱一段。
"""
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gb18030", "gbk"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_files_encoding_is_detected(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(CHINESE.encode(encoding))
    (record,) = converted(tmp_path, "敲钟人").records
    assert record.text == "我在这里敲了三十年的钟，还没有被风吹走过。"
    assert record.context == (Turn("老鲟", "钟楼上的风这么大，你还不下来？"),)


def test_other_legacy_encodings_are_detected(tmp_path: Path) -> None:
    (tmp_path / "big5.txt").write_bytes(("船家：鐘樓上的鐘又響了三下，可是沒有人去敲。\n" * 3).encode("big5"))
    (tmp_path / "latin.txt").write_bytes("Mira: “Très bien”, said the café owner — naïve as ever.\n".encode("cp1252"))
    assert open_raw(tmp_path / "big5.txt").encoding == "big5"
    assert open_raw(tmp_path / "latin.txt").encoding == "cp1252"


@pytest.mark.parametrize("lines", [8, 200, 2000])
@pytest.mark.parametrize("each", [2, 5, 20])
@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman"])
def test_an_apostrophe_in_english_is_no_chinese_character(encoding: str, each: int, lines: int, tmp_path: Path) -> None:
    """The bytes of `’t` are a Chinese character in GB18030."""
    said = ["Mira: I don’t know, do you?" if number % each == 0 else "Bram: Aye." for number in range(lines)]
    (tmp_path / "t.txt").write_bytes("\n\n".join(said).encode(encoding))
    assert open_raw(tmp_path / "t.txt").encoding == encoding
    assert {record.text for record in converted(tmp_path).records} == {"I don’t know, do you?"}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Mira: El señor no viene, ¿verdad?\nBram: Où ça ? À côté de l'église.\n", "cp1252"),
        ("ミラ：アイスクリームトケーキヲクダサイ\n", "shift_jis"),
        ("米拉：我在這裡敲了三十年的鐘。\n船家：鐘又響了。\n", "big5"),
        ('{"speaker": "Mira", "text": "See 你好 there"}\n' * 9, "gb18030"),
    ],
)
@pytest.mark.parametrize("times", [1, 40])
def test_east_asian_texts_are_not_taken_for_western_ones(text: str, encoding: str, times: int, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes((text * times).encode(encoding))
    found = open_raw(tmp_path / "t.txt")
    assert found.text() == text * times, found.encoding


def test_one_wrong_byte_in_utf8_is_an_error_and_no_other_encoding(tmp_path: Path) -> None:
    damaged = bytearray(CHINESE.encode())
    damaged[-20] ^= 0x40
    (tmp_path / "t.txt").write_bytes(damaged)
    with pytest.raises(UnderstudyError, match=r"t\.txt:4: is not UTF-8 text \(byte \d+ of the file\)"):
        converted(tmp_path, "敲钟人")


def test_a_table_with_columns_of_its_own_is_mapped(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("wer;satz\nMira;Mind the third stair.\nBram;Aye.\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"a\.csv:2: has wer, satz, which is no known form.*set `columns`"):
        converted(tmp_path)
    (record,) = converted(tmp_path, columns=["speaker=wer", "text=satz"]).records
    assert record.text == "Mind the third stair."
    with pytest.raises(UnderstudyError, match="columns: has 'who'"):
        converted(tmp_path, columns=["who"])


def test_a_saved_dataset_is_read(tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_list([{"speaker": "Mira", "text": "Mind the third stair."}]).save_to_disk(tmp_path / "set")
    conversion = converted(tmp_path)
    assert [record.text for record in conversion.records] == ["Mind the third stair."]
    assert {Path(path).name.split()[0] for path in conversion.passed_over} == {"dataset_info.json", "state.json"}


def test_the_originals_own_rows_keep_their_kinds(tmp_path: Path) -> None:
    rows = [
        {"instruction": "以下是关于Mira的背景故事和设定描述。", "input": "往事", "output": "她三十岁那年开始敲钟。"},
        {
            "instruction": "你现在是Mira。请根据你的背景设定回答问题。",
            "input": "喜好",
            "output": "我只喜欢烟熏的鳗鱼。",
        },
        {
            "instruction": "你现在是Mira。请模仿Mira的语气、口癖和性格进行对话。",
            "input": "",
            "output": "小心第三级台阶。",
        },
        {"instruction": "Who taught you?", "input": "", "output": "Old Bram taught me the bells."},
        {"instruction": "Good evening!", "input": "", "output": "Up here, mind the stair."},
    ]
    (tmp_path / "a.json").write_bytes(dumped(rows))
    records = converted(tmp_path).records
    assert [r.kind for r in records] == ["background", "setting_qa", "dialogue", "setting_qa", "dialogue"]
    assert records[1].prompt == "喜好"
    assert records[4].context == (Turn("", "Good evening!"),)


def test_a_conversation_in_roles_gives_each_reply_its_real_context(tmp_path: Path) -> None:
    said = [
        {"role": "system", "content": "Be salty."},
        {"role": "user", "content": "Who is up there?"},
        {"role": "assistant", "content": "It is me, with the bells."},
        {"role": "user", "content": [{"type": "text", "text": "Come down!"}, {"type": "image"}]},
        {"role": "assistant", "content": "Not before the tide turns."},
    ]
    (tmp_path / "a.json").write_bytes(dumped([{"messages": said}]))
    conversion = converted(tmp_path)
    first, second = conversion.records
    assert first.context == (Turn("", "Who is up there?"),)
    assert second.context == (*first.context, Turn("Mira", "It is me, with the bells."), Turn("", "Come down!"))
    assert account_of(conversion)["rejected"] == {"another speaker": 2, "a system prompt": 1}


CARDS = {
    "V1": lambda folder: (folder / "a.json").write_bytes(dumped(card_fields(LINES))),
    "V2": lambda folder: (folder / "a.json").write_bytes(dumped(card_v2_fields(LINES))),
    "V3": lambda folder: (folder / "a.json").write_bytes(dumped(card_v3_fields(LINES))),
    "V3 in a PNG": lambda folder: (folder / "a.png").write_bytes(FORMS["card_png"](LINES).content),
    "V3 in a .charx": lambda folder: (folder / "a.charx").write_bytes(FORMS["charx"](LINES).content),
}


@pytest.mark.parametrize("version", CARDS)
def test_a_card_becomes_background_and_dialogue_ready_to_train(version: str, tmp_path: Path) -> None:
    CARDS[version](tmp_path)
    conversion = converted(tmp_path, user_name="Tobin")
    called = "Mir" if "V3" in version else "Mira"
    by_prompt = {record.prompt: record.text for record in conversion.records if record.kind == "background"}
    assert by_prompt["Description"] == f"{called} rings the bells of Saltmere for Tobin."
    assert by_prompt["Scenario"] == "The tower of Saltmere, at dusk."
    lines = {record.text: record for record in conversion.records if record.kind == "dialogue"}
    assert f"*{called} looks up.* Mind the third stair, Tobin." in lines
    assert lines["I ring the bells of Saltmere."].context == (Turn("", "Who is up there?"),)
    if version != "V1":
        assert by_prompt["eel"] == f"{called} smokes eels over driftwood."
        assert "Up here! Hold the rope, Tobin." in lines
        assert account_of(conversion)["rejected"]["a disabled entry"] == 1
    written = json.dumps([[str(r) for r in conversion.records], [str(r) for r in conversion.rejects]])
    for forbidden in ("SECRET", "{{", "<START>", "creator", "old card"):
        assert forbidden not in written.replace("a card's creator_notes, withheld", "").replace("#creator_notes", "")


def test_a_lorebook_and_a_world_become_background(tmp_path: Path) -> None:
    entries = [{"keys": ["tide"], "content": "The tide turns twice a day.", "enabled": True, "insertion_order": 1}]
    (tmp_path / "book.json").write_bytes(dumped({"spec": "lorebook_v3", "data": {"entries": entries}}))
    world = {
        "0": {"key": ["bell"], "comment": "The bells", "content": "@@depth 4\nThere are nine bells.", "disable": False}
    }
    (tmp_path / "world.json").write_bytes(dumped({"entries": world}))
    assert {(r.kind, r.prompt, r.text) for r in converted(tmp_path).records} == {
        ("background", "tide", "The tide turns twice a day."),
        ("background", "The bells", "There are nine bells."),
    }


def test_a_hidden_message_of_a_chat_is_neither_kept_nor_context(tmp_path: Path) -> None:
    said = [
        {"user_name": "Tobin", "character_name": "Mira"},
        {"name": "Tobin", "is_user": True, "mes": "Are you there?"},
        {"name": "Mira", "is_system": True, "mes": "A note to myself."},
        {"name": "Mira", "is_user": False, "mes": "Where else would I be?"},
    ]
    (tmp_path / "chat.jsonl").write_bytes(b"\n".join(map(dumped, said)))
    conversion = converted(tmp_path)
    assert [(r.text, r.context) for r in conversion.records] == [
        ("Where else would I be?", (Turn("Tobin", "Are you there?"),))
    ]
    assert account_of(conversion)["rejected"] == {"another speaker": 1, "a hidden message": 1}


@pytest.mark.parametrize("form", ["chat_messages", "sharegpt", "chat_log", "transcript", "haruhi", "subtitles_ass"])
def test_what_one_says_in_a_row_is_one_turn(form: str, tmp_path: Path) -> None:
    made = FORMS[form]([("Bram", "Who is up there?"), ("Mira", "It is me."), ("Mira", "Who else?")])
    (tmp_path / made.name).write_bytes(made.content)
    (record,) = converted(tmp_path).records
    assert record.text == "It is me.\nWho else?"
    assert [turn.text for turn in record.context] == ["Who is up there?"]


def test_a_long_chat_keeps_only_a_window_of_turns_before_each_line(tmp_path: Path) -> None:
    turns = [f"{'Mira' if n % 2 else 'Bram'}: The bell rang {n} times tonight." for n in range(400)]
    (tmp_path / "a.txt").write_text("\n".join(turns), encoding="utf-8")
    records = converted(tmp_path, context_turns=3).records
    assert len(records) == 200
    assert {len(record.context) for record in records[1:]} == {3}


def test_a_double_spaced_script_is_one_scene_and_a_spaced_one_several(tmp_path: Path) -> None:
    turns = [f"{who}: The bell rang {n} times." for n, who in enumerate(["Bram", "Mira"] * 4)]
    (tmp_path / "a.txt").write_text("\n\n".join(turns), encoding="utf-8")
    assert [len(record.context) for record in converted(tmp_path).records] == [1, 3, 5, 6]
    (tmp_path / "a.txt").write_text("\n\n".join(["\n".join(turns[:4]), "\n".join(turns[4:])]), encoding="utf-8")
    assert [len(record.context) for record in converted(tmp_path).records] == [1, 3, 1, 3]


def test_subtitles_are_parted_where_nobody_speaks_for_long(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text(
        "1\n00:00:01,000 --> 00:00:02,000\nBram: Who is there?\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\n<i>Mira: Only the bells.</i>\n\n"
        "3\n00:01:00,000 --> 00:01:02,000\nMira: The tide has turned.\n",
        encoding="utf-8",
    )
    first, second = converted(tmp_path).records
    assert (first.text, first.context) == ("Only the bells.", (Turn("Bram", "Who is there?"),))
    assert (second.text, second.context) == ("The tide has turned.", ())


def bomb() -> bytes:
    return zipped({"card.json": b'{"name": "' + b"a" * (8 << 20) + b'"}'})


def encrypted() -> bytes:
    content = bytearray(zipped({"card.json": dumped(card_v2_fields(LINES))}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    return bytes(content)


def chunk_too_long() -> bytes:
    content = bytearray(png([(b"tEXt", b"chara\0e30=")]))
    at = content.index(b"tEXt")
    content[at - 4 : at] = struct.pack(">I", 0x7FFFFFFF)
    return bytes(content)


HOSTILE = {
    "an archive that unpacks to a thousand times its size": ("a.charx", bomb, "packed 1[0-9]{2,3} to 1"),
    "a path out of the archive": ("a.charx", lambda: zipped({"../../x": b"", "card.json": b"{}"}), "points out of it"),
    "an absolute path": ("a.charx", lambda: zipped({"/etc/x": b"", "card.json": b"{}"}), "points out of it"),
    "an archive without a card": ("a.charx", lambda: zipped({"b.json": b"{}"}), "holds no card.json"),
    "an encrypted card": ("a.charx", encrypted, "is no sound archive"),
    "no archive at all": ("a.charx", lambda: b"PK\x03\x04", "is no sound archive"),
    "a chunk that claims two gigabytes": ("a.png", chunk_too_long, "is cut off or damaged"),
    "a wrong checksum": ("a.png", lambda: png([(b"tEXt", b"chara\0e30=")]).replace(b"e30=", b"e31="), "is cut off"),
    "an image without a card": ("a.png", lambda: png([(b"tEXt", b"Comment\0hello")]), "without a card"),
    "a card that is no base64": ("a.png", lambda: png([(b"tEXt", b"chara\0***")]), "is no base64 of JSON"),
    "a card that is no JSON": ("a.png", lambda: png([(b"tEXt", b"chara\0" + base64.b64encode(b"{"))]), "no base64 of"),
    "JSON nested without end": ("a.json", lambda: b"[" * 200_000, "is broken JSON"),
    "a number without end": ("a.json", lambda: b"[" + b"9" * 10_000 + b"]", "is broken JSON"),
    "half a character": ("a.json", lambda: b'[{"speaker": "Mira", "text": "\\ud800"}]', "half a character"),
    "a card without a name": ("a.json", lambda: dumped({"spec": "chara_card_v2", "data": {}}), "without a 'name'"),
    "a greeting that is a number": ("a.json", lambda: dumped({"name": "Mira", "first_mes": 3}), "holds no text"),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_is_refused(case: str, tmp_path: Path) -> None:
    name, make, complaint = HOSTILE[case]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(UnderstudyError, match=complaint) as raised:
        converted(tmp_path / name)
    assert "To fix it: " in str(raised.value)
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_no_more_of_an_archive_or_an_image_is_unpacked_than_a_card_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charx, "MAX_CARD", 1000)
    monkeypatch.setattr(png_card, "MAX_CARD", 1000)
    card = dumped(card_fields([("Mira", "x" * 2000)]))
    (tmp_path / "a.charx").write_bytes(zipped({"card.json": card}))
    (tmp_path / "a.png").write_bytes(png([(b"tEXt", b"chara\0" + base64.b64encode(card))]))
    for name in ("a.charx", "a.png"):
        with pytest.raises(UnderstudyError, match="larger than 0 MiB"):
            converted(tmp_path / name)


def test_an_archive_that_lies_about_a_members_size_is_not_believed(tmp_path: Path) -> None:
    content = bytearray(zipped({"card.json": b"a" * 5000}))
    with zipfile.ZipFile(tmp_path / "x.charx", "w") as archive:
        archive.writestr("card.json", zlib.compress(b""))
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.index(mark) + offset
        content[at : at + 4] = struct.pack("<I", 10)
    (tmp_path / "x.charx").write_bytes(content)
    with pytest.raises(UnderstudyError, match=r"is no sound archive|is broken JSON"):
        converted(tmp_path / "x.charx")


def with_key(value: Any, key: str) -> Any:
    """The value with one more key in every mapping that has a text."""
    if isinstance(value, list):
        return [with_key(one, key) for one in value]
    if not isinstance(value, dict):
        return value
    has_text = any(isinstance(one, str) and " " in one for one in value.values())
    return {name: with_key(one, key) for name, one in value.items()} | ({key: "calm"} if has_text else {})


KEYED = (
    "voice_index", "discord", "telegram", "chat_log", "card_v1", "card_v2", "lorebook", "novelai", "risu",
    "pygmalion", "agnai", "agnai_memory", "risu_module", "json_list", "sharegpt", "alpaca", "settings",
)  # fmt: skip


@pytest.mark.parametrize("form", KEYED)
def test_a_key_that_a_form_does_not_have_is_counted_by_name(form: str, tmp_path: Path) -> None:
    made = FORMS[form](LINES)
    texts = made.content.decode().splitlines() if form == "chat_log" else [made.content.decode()]
    path = tmp_path / made.name
    path.write_text("\n".join(json.dumps(with_key(json.loads(text), "zz_mood")) for text in texts), encoding="utf-8")
    conversion = converted(path)
    assert account_of(conversion)["unused_keys"].get("zz_mood", 0) > 0
    assert conversion.entries == made.entries


def test_texts_made_of_documents_are_looked_at_by_the_readers_in_the_same_order() -> None:
    """A profile above questions is a profile in a Word document, too."""
    places = [next(at for at, one in enumerate(READERS) if one.recognises is text.recognises) for text in TEXTS]
    assert places == sorted(places)
