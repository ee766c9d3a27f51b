"""Valid raw files of every form, made from lines and settings: the tests' own, with how many records each holds."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Lines = Sequence[tuple[str, str]]  # (speaker, text)


@dataclass(frozen=True)
class Made:
    """A file's name and bytes, and how many raw records there are in it."""

    name: str
    content: bytes
    entries: int


def dumped(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def rows(lines: Lines) -> list[dict[str, str]]:
    return [{"speaker": speaker, "text": text, "source_title": "Dusk"} for speaker, text in lines]


def messages(lines: Lines) -> list[dict[str, str]]:
    return [{"role": "assistant" if who == "Mira" else "user", "content": text} for who, text in lines]


def turns(lines: Lines) -> int:
    """How many turns there are when lines of one speaker in a row are one."""
    return sum(index == 0 or lines[index - 1][0] != who for index, (who, _) in enumerate(lines))


def json_list(lines: Lines) -> Made:
    return Made("a.json", dumped(rows(lines)), len(lines))


def json_lines(lines: Lines) -> Made:
    return Made("a.jsonl", b"\n".join(map(dumped, rows(lines))), len(lines))


def settings(lines: Lines) -> Made:
    made = [{"input": f"Question {n}?", "speaker": who, "text": text} for n, (who, text) in enumerate(lines)]
    return Made("a.json", dumped(made), len(lines))


def alpaca(lines: Lines) -> Made:
    made = [{"instruction": f"Speak of {n}", "input": "", "output": text} for n, (_, text) in enumerate(lines)]
    return Made("a.json", dumped(made), len(lines))


def chat_messages(lines: Lines) -> Made:
    return Made("a.jsonl", dumped({"messages": messages(lines)}) + b"\n" + dumped({"messages": []}), turns(lines))


def completions(lines: Lines) -> Made:
    made = [{"prompt": messages(lines), "completion": [{"role": "assistant", "content": "The bells rang twice."}]}]
    return Made("a.json", dumped(made), turns([*lines, ("Mira", "The bells rang twice.")]))


def sharegpt(lines: Lines) -> Made:
    said = [{"from": "gpt" if who == "Mira" else "human", "value": text} for who, text in lines]
    return Made("a.json", dumped([{"conversations": said}]), turns(lines))


def comma_separated(lines: Lines) -> Made:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["speaker", "text", "source_title"])
    writer.writerows([who, text, "Dusk"] for who, text in lines)
    return Made("a.csv", file.getvalue().encode(), len(lines))


def parquet(lines: Lines) -> Made:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows(lines)), file)
    return Made("a.parquet", file.getvalue(), len(lines))


def arrow(lines: Lines) -> Made:
    import pyarrow as pa

    file, table = io.BytesIO(), pa.Table.from_pylist(rows(lines))
    with pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table)
    return Made("a.arrow", file.getvalue(), len(lines))


def transcript(lines: Lines) -> Made:
    content = "## Dusk\n" + "\n".join(f"{who}: {text}" for who, text in lines)
    return Made("a.txt", content.encode(), turns(lines))


def asked(lines: Lines) -> Made:
    return Made("a.txt", "".join(f"Q: Do you know {who}?\nA: {text}\n\n" for who, text in lines).encode(), len(lines))


def haruhi(lines: Lines) -> Made:
    scene = {"file": "a.txt", "text": "\n".join(f"{who}：「{text}」" for who, text in lines)}
    return Made("a.jsonl", dumped(scene), turns(lines))


def haruhi_lines(lines: Lines) -> Made:
    made = [
        {"input_hint": f"Title {n}...", "input": f"Bram:Why {n}?", "output": text} for n, (_, text) in enumerate(lines)
    ]
    return Made("a.txt", b"\n\n".join(map(dumped, made)), 2 * len(lines))


def chat_log(lines: Lines) -> Made:
    head = {"user_name": "Bram", "character_name": "Mira", "create_date": "2026-01-01"}
    said = [{"name": who, "is_user": who != "Mira", "mes": text, "swipes": [text, "Nay."]} for who, text in lines]
    return Made("a.jsonl", b"\n".join(map(dumped, [head, *said])), turns(lines))


def card_fields(lines: Lines) -> dict[str, object]:
    example = "\n".join(f"{{{{{'char' if who == 'Mira' else 'user'}}}}}: {text}" for who, text in lines)
    return {
        "name": "Mira",
        "description": "{{char}} rings the bells of Saltmere for {{user}}.",
        "personality": "Dry, patient, fond of eels.",
        "scenario": "The tower of Saltmere, at dusk.",
        "first_mes": "*{{char}} looks up.* Mind the third stair, {{user}}.",
        "mes_example": f"<START>\n{example}",
    }


def card_v1(lines: Lines) -> Made:
    return Made("a.json", dumped(card_fields(lines)), turns(lines) + 4)


def card_v2_fields(lines: Lines) -> dict[str, object]:
    return {
        "spec": "chara_card_v2",
        "spec_version": "2.0",
        "data": card_fields(lines)
        | {
            "creator_notes": "SECRET: best with a warm model",
            "system_prompt": "SECRET prompt",
            "post_history_instructions": "",
            "alternate_greetings": ["Up here! Hold the rope, {{user}}."],
            "character_book": {
                "entries": [
                    {"keys": ["eel"], "content": "{{char}} smokes eels over driftwood.", "enabled": True},
                    {"keys": ["ghost"], "content": "There is no ghost.", "enabled": False},
                ]
            },
            "tags": ["SECRET tag"],
            "creator": "SECRET maker",
            "character_version": "1",
            "extensions": {},
        },
    }


def card_v2(lines: Lines) -> Made:
    return Made("a.json", dumped(card_v2_fields(lines)), turns(lines) + 9)


def card_v3_fields(lines: Lines) -> dict[str, object]:
    card = card_v2_fields(lines)
    data = {**card["data"], "nickname": "Mir", "group_only_greetings": ["All of you, up!"]}  # type: ignore[dict-item]
    return card | {"spec": "chara_card_v3", "spec_version": "3.0", "data": data}


def png(chunks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """A PNG of one pixel with these chunks after its pixels."""
    body = [(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0\0"))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*body, *chunks, (b"IEND", b"")]
    )


def card_png(lines: Lines) -> Made:
    old = base64.b64encode(dumped(card_v2_fields([("Mira", "This is the old card.")])))
    new = base64.b64encode(dumped(card_v3_fields(lines)))
    return Made("a.png", png([(b"tEXt", b"chara\0" + old), (b"tEXt", b"ccv3\0" + new)]), turns(lines) + 10)


def card_png_compressed(lines: Lines) -> Made:
    card = zlib.compress(base64.b64encode(dumped(card_v2_fields(lines))))
    return Made("a.png", png([(b"zTXt", b"chara\0\0" + card)]), turns(lines) + 9)


def card_png_international(lines: Lines) -> Made:
    card = zlib.compress(base64.b64encode(dumped(card_v3_fields(lines))))
    return Made("a.png", png([(b"iTXt", b"ccv3\0\1\0en\0card\0" + card)]), turns(lines) + 10)


def whatsapp(lines: Lines) -> Made:
    content = "\n".join(f"13/06/2023, 19:{n:02d} - {who}: {text}" for n, (who, text) in enumerate(lines))
    return Made("chat.txt", content.encode(), len(lines))


def irc(lines: Lines) -> Made:
    said = [("Tam", "Anybody?"), ("Tam", "Hello."), *lines]
    content = "\n".join(f"[19:{n:02d}] <{who}> {text}" for n, (who, text) in enumerate(said))
    return Made("irc.log", content.encode(), len(said))


def times_above(lines: Lines) -> Made:
    said = [("Tam", "Anybody?"), ("Tam", "Hello."), *lines]
    content = "\n\n".join(f"2023-06-13 19:{n:02d}:00 {who}(12345678)\n{text}" for n, (who, text) in enumerate(said))
    return Made("qq.txt", content.encode(), len(said))


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def charx(lines: Lines) -> Made:
    return Made(
        "a.charx", zipped({"card.json": dumped(card_v3_fields(lines)), "assets/icon.png": b"x"}), turns(lines) + 10
    )


def image(form: str, comment: bytes = b"") -> bytes:
    """A JPEG or WebP of one pixel with this EXIF UserComment."""
    from PIL import Image

    exif, file = Image.Exif(), io.BytesIO()
    if comment:
        exif.get_ifd(0x8769)[0x9286] = comment
    Image.new("RGB", (1, 1)).save(file, form, exif=exif)
    return file.getvalue()


def card_webp(lines: Lines) -> Made:
    return Made("a.webp", image("WEBP", b"ASCII\0\0\0" + dumped(card_v2_fields(lines))), turns(lines) + 9)


def card_jpeg(lines: Lines) -> Made:
    comment = b"UNICODE\0" + json.dumps(card_v3_fields(lines)).encode("utf-16-le")
    return Made("a.jpg", image("JPEG", comment), turns(lines) + 10)


def charx_in_jpeg(lines: Lines) -> Made:
    archive = zipped({"card.json": dumped(card_v3_fields(lines)), "module.risum": b"o\0"})
    return Made("a.jpeg", image("JPEG") + archive, turns(lines) + 10)


def webui_fields(lines: Lines) -> dict[str, str]:
    card = card_fields(lines)
    return {
        "name": "Mira",
        "greeting": str(card["first_mes"]),
        "context": "Mira's Persona: {{char}} rings the bells of Saltmere.",
        "example_dialogue": str(card["mes_example"]).removeprefix("<START>\n"),
    }


def webui_yaml(lines: Lines) -> Made:
    import yaml

    return Made("Mira.yaml", yaml.safe_dump(webui_fields(lines), allow_unicode=True).encode(), turns(lines) + 2)


def webui_log(lines: Lines) -> Made:
    pairs = [["", text] if who == "Mira" else [text, ""] for who, text in lines]
    shown = [[html.escape(text) for text in pair] for pair in pairs]
    internal = [["<|BEGIN-VISIBLE-CHAT|>", "Aye, aye."], *pairs]
    visible = [["", "Aye, aye."], *shown]
    return Made("log.json", dumped({"internal": internal, "visible": visible}), turns([("Mira", ""), *lines]))


def pygmalion(lines: Lines) -> Made:
    card = card_fields(lines)
    fields = {
        "char_name": "Mira",
        "char_persona": card["description"],
        "char_greeting": card["first_mes"],
        "world_scenario": card["scenario"],
        "example_dialogue": card["mes_example"],
    }
    return Made("Mira.json", dumped(fields), turns(lines) + 3)


def agnai(lines: Lines) -> Made:
    card = card_fields(lines)
    fields = {
        "kind": "character",
        "name": "Mira",
        "description": "SECRET: for late evenings",
        "persona": {"kind": "boostyle", "attributes": {"job": ["bell ringer"], "likes": ["eels", "dusk"]}},
        "greeting": card["first_mes"],
        "scenario": card["scenario"],
        "sampleChat": card["mes_example"],
    }
    return Made("Mira.json", dumped(fields), turns(lines) + 4)


def agnai_memory(lines: Lines) -> Made:
    made = [
        {"name": f"Word {n}", "entry": text, "keywords": [f"word {n}"], "enabled": True, "weight": 1}
        for n, (_, text) in enumerate(lines)
    ]
    return Made("a.json", dumped({"kind": "memory", "name": "Saltmere", "entries": made}), len(lines))


def risu_module(lines: Lines) -> Made:
    made = [{"key": f"word {n}", "comment": "", "content": text} for n, (_, text) in enumerate(lines)]
    return Made("a.json", dumped({"name": "Saltmere", "id": "1", "lorebook": made, "type": "risuModule"}), len(lines))


def novelai_png(lines: Lines) -> Made:
    made = [{"text": text, "displayName": f"Word {n}"} for n, (_, text) in enumerate(lines)]
    book = base64.b64encode(dumped({"lorebookVersion": 5, "entries": made}))
    return Made("a.png", png([(b"tEXt", b"naidata\0" + book)]), len(lines))


def sheet(cells: Sequence[Sequence[str]]) -> bytes:
    """The XML of a sheet with these texts."""
    made = "".join(
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{html.escape(text)}</t></is></c>' for text in row) + "</row>"
        for row in cells
    )
    return f"<worksheet xmlns={SHEET_XML!r}><sheetData>{made}</sheetData></worksheet>".encode()


SHEET_XML = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE_XML = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE_XML = "http://schemas.openxmlformats.org/package/2006"
WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def workbook(**sheets: bytes) -> bytes:
    """An Excel workbook of these sheets."""
    listed = list(enumerate(sheets, 1))
    titles = "".join(f'<sheet name="{title}" sheetId="{n}" r:id="r{n}"/>' for n, title in listed)
    types = "".join(
        f'<Override PartName="/xl/s{n}.xml" ContentType="{WORKBOOK_TYPE}.worksheet+xml"/>' for n, _ in listed
    )
    links = "".join(f'<Relationship Id="r{n}" Type="{OFFICE_XML}/worksheet" Target="s{n}.xml"/>' for n, _ in listed)
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE_XML}/content-types">'
        f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{WORKBOOK_TYPE}.sheet.main+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE_XML}/relationships"><Relationship Id="r1"'
        f' Type="{OFFICE_XML}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{SHEET_XML}" xmlns:r="{OFFICE_XML}"><sheets>{titles}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE_XML}/relationships">{links}</Relationships>',
    }
    made = {f"xl/s{n}.xml": sheets[title] for n, title in listed}
    return zipped({name: part.encode() for name, part in parts.items()} | made)


def excel(lines: Lines) -> Made:
    cells = [("speaker", "text", "source_title"), *((who, text, "Dusk") for who, text in lines)]
    return Made("a.xlsx", workbook(Lines=sheet(cells)), len(lines))


def lorebook(lines: Lines) -> Made:
    made = {str(n): {"key": [f"word {n}"], "comment": "", "content": text} for n, (_, text) in enumerate(lines)}
    return Made("a.json", dumped({"entries": made}), len(lines))


def novelai(lines: Lines) -> Made:
    made = [{"text": text, "displayName": f"Word {n}", "keys": [f"word {n}"]} for n, (_, text) in enumerate(lines)]
    scenario = {"scenarioVersion": 0, "title": "The tower", "prompt": "The bell rings twice.", "context": made[:1]}
    return Made("a.scenario", dumped(scenario | {"lorebook": {"entries": made}}), len(lines) + len(made[:1]) + 1)


def risu(lines: Lines) -> Made:
    made = [
        {"key": "a, b", "comment": f"Word {n}", "content": f"@@depth 4\n{text}"} for n, (_, text) in enumerate(lines)
    ]
    return Made("a.json", dumped({"type": "risu", "ver": 1, "data": made}), len(lines))


def voice_index(lines: Lines) -> Made:
    made = {f"{n:08x}": {"fileName": "a.wem", "npcName": who, "text": text} for n, (who, text) in enumerate(lines)}
    return Made("a.json", dumped(made), len(lines))


def discord(lines: Lines) -> Made:
    made = [
        {
            "type": "Default",
            "timestamp": f"2024-01-01T00:{n:02d}:00+00:00",
            "content": text,
            "author": {"nickname": who},
        }
        for n, (who, text) in enumerate(lines)
    ]
    return Made("a.json", dumped({"guild": {"id": "1"}, "messages": made}), len(lines))


def chat_table(lines: Lines) -> Made:
    file = io.StringIO()
    table = csv.writer(file)
    table.writerow(["id", "type_name", "talker", "room_name", "msg", "CreateTime"])
    table.writerows([n, "文本", who, "room", text, f"2024/10/4 11:{n:02d}"] for n, (who, text) in enumerate(lines))
    return Made("chat.csv", file.getvalue().encode(), len(lines))


def renpy(lines: Lines) -> Made:
    names = {name: f"speaker_{number}" for number, name in enumerate(dict.fromkeys(who for who, _ in lines))}
    escape = {"\\": r"\\", '"': r"\"", "{": "{{", "[": "[["}
    script = [f'define {variable} = Character("{name}")' for name, variable in names.items()]
    script += ["", "label start:"]
    script += [f'    {names[who]} "{"".join(escape.get(char, char) for char in text)}"' for who, text in lines]
    return Made("script.rpy", "\n".join([*script, ""]).encode(), len(lines))


def ink(lines: Lines) -> Made:
    said = [(who, re.sub(r"([\\/#{}])", r"\\\1", text)) for who, text in lines]
    script = ["VAR met = false", "-> start", "=== start ===", *(f"{who}: So: {text} #id:a" for who, text in said), ""]
    return Made("a.ink", "\n".join(script).encode(), turns(lines))


def rpg_maker(lines: Lines) -> Made:
    page = [
        {"code": code, "indent": 0, "parameters": parameters}
        for who, text in lines
        for code, parameters in ((101, ["", 0, 0, 2, who]), (401, [f"So: {text}"]))
    ]
    event = {"id": 1, "name": "EV001", "pages": [{"list": page}]}
    made = {"autoplayBgm": False, "displayName": "", "parallaxName": "", "events": [None, event]}
    return Made("Map001.json", dumped(made), turns(lines))


def articy(lines: Lines) -> Made:
    people = {who: f"0x{n:016X}" for n, who in enumerate(dict.fromkeys(who for who, _ in lines), 1)}
    made: list[dict[str, object]] = [
        {"Type": "Entity", "Properties": {"TechnicalName": f"Ntt_{n}", "Id": n, "DisplayName": who, "Text": ""}}
        for who, n in people.items()
    ]
    for number, (who, text) in enumerate(lines, 100):
        pins = [{"Id": f"{number}o", "Connections": [{"Target": str(number + 1)}]}]
        said = {"TechnicalName": "DFr", "Id": str(number), "Speaker": people[who], "Text": f"So: {text}"}
        made.append({"Type": "DialogueFragment", "Properties": said | {"OutputPins": pins}})
    settings = {"set_IncludedNodes": "Packages", "ExportVersion": "1.0"}
    return Made("a.json", dumped({"Settings": settings, "Packages": [{"Name": "All", "Models": made}]}), len(lines))


def dialogue_system(lines: Lines) -> Made:
    people = {who: str(n) for n, who in enumerate(dict.fromkeys(who for who, _ in lines), 1)}

    def fields(**values: str) -> list[dict[str, str]]:
        return [{"title": title.replace("_", " "), "value": value} for title, value in values.items()]

    entries = [
        {
            "id": number,
            "fields": fields(Actor=people[who], Dialogue_Text=f"So: {text}"),
            "outgoingLinks": [{"destinationConversationID": 1, "destinationDialogueID": number + 1}],
        }
        for number, (who, text) in enumerate(lines, 1)
    ]
    actors = [{"id": int(n), "fields": fields(Name=who)} for who, n in people.items()]
    conversations = [{"id": 1, "fields": fields(Title="Tower"), "dialogueEntries": entries}]
    made = {"globalUserScript": "", "emphasisSettings": [], "actors": actors, "conversations": conversations}
    return Made("a.json", dumped(made), len(lines))


def localisation(lines: Lines) -> Made:
    made = {f"k{n}": {"speaker": who, "en": text, "zh-CN": "钟声"} for n, (who, text) in enumerate(lines)}
    return Made("a.json", dumped({"strings": made}), len(lines))


def telegram(lines: Lines) -> Made:
    made = [
        {"type": "message", "date": f"2024-01-01T00:{n:02d}:00", "from": who, "text": text}
        for n, (who, text) in enumerate(lines)
    ]
    return Made("result.json", dumped({"name": "Tower", "messages": made}), len(lines))


def telegram_html(lines: Lines) -> Made:
    said = "".join(
        f'<div class="message default clearfix" id="message{n}"><div class="body"><div class="pull_right date details"'
        f' title="13.06.2023 19:{n:02d}:00 UTC+01:00">19:{n:02d}</div><div class="from_name">{html.escape(who)} </div>'
        f'<div class="text">{html.escape(text)}</div></div></div>\n'
        for n, (who, text) in enumerate(lines)
    )
    head = "<!DOCTYPE html>\n<html><head><title>Exported Data</title></head><body>"
    content = f'{head}<div class="page_wrap"><div class="history">{said}</div></div></body></html>'
    return Made("messages.html", content.encode(), len(lines))


def discord_html(lines: Lines) -> Made:
    said = "".join(
        f'<div class="chatlog__message-group"><div class="chatlog__message-container" data-message-id="{n}">'
        f'<span class="chatlog__author">{html.escape(who)}</span><div class="chatlog__content chatlog__markdown">'
        f'<span class="chatlog__markdown-preserve">{html.escape(text)}</span></div></div></div>\n'
        for n, (who, text) in enumerate(lines, 1118226 * 10**12)
    )
    content = f'<!DOCTYPE html><html><body><div class="chatlog">{said}</div></body></html>'
    return Made("channel.html", content.encode(), len(lines))


def web_page(lines: Lines) -> Made:
    said = "<br>\n".join(html.escape(f"{who}: {text}") for who, text in lines)
    content = f"<!DOCTYPE html>\n<html><body><nav>Home</nav><h2>Dusk</h2><p>{said}</p></body></html>"
    return Made("page.html", content.encode(), turns(lines))


def web_archive(lines: Lines) -> Made:
    page = base64.encodebytes(web_page(lines).content).decode()
    head = "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n"
    part = f"--x\nContent-Type: text/html\nContent-Transfer-Encoding: base64\n\n{page}\n--x--\n"
    return Made("page.mhtml", (head + part).encode(), turns(lines))


def qq_archive(lines: Lines) -> Made:
    said = "".join(
        f"<tr><td><div style=color:#006EFE;><div style=float:left;>{html.escape(who)}"
        f"(12345678)</div>19:{n:02d}:05</div><div style=padding-left:20px;><font color='000000'>"
        f"{html.escape(text)}</font></div></td></tr>\n"
        for n, (who, text) in enumerate(lines)
    )
    head = "\ufeffFrom: <Save by Tencent MsgMgr>\nSubject: Tencent IM Message\nMIME-Version: 1.0\n"
    head += 'Content-Type:multipart/related;\n\tcharset="utf-8"\n\ttype="text/html";\n\tboundary="x"\n\n'
    page = f"<html><body><table><tr><td>日期: 2023-06-13</td></tr>{said}</table></body></html>"
    part = f"--x\nContent-Type: text/html\nContent-Transfer-Encoding:7bit\n\n{page}\n--x--\n"
    return Made("qq.mht", (head + part).encode(), len(lines))


def twine(lines: Lines) -> Made:
    passages = "".join(
        f'<tw-passagedata pid="{n}" name="{n}" tags="">{html.escape(f"{who}: {text}")}</tw-passagedata>'
        for n, (who, text) in enumerate(lines, 1)
    )
    content = f'<!DOCTYPE html><html><body><tw-storydata name="Saltmere">{passages}</tw-storydata></body></html>'
    return Made("story.html", content.encode(), len(lines))


def twee(lines: Lines) -> Made:
    passages = "".join(f"\n:: Passage {n}\n{who}: {text}\n" for n, (who, text) in enumerate(lines))
    return Made("story.twee", f":: StoryTitle\nSaltmere\n{passages}".encode(), len(lines) + 1)


def cues(lines: Lines) -> int:
    """How many turns subtitles have: what is all in brackets is a sound, one by itself."""
    said = [(who, text) for who, text in lines if not re.fullmatch(r"[(（][^()（）]*[)）]", text)]
    return turns(said) + len(lines) - len(said)


def subtitles_srt(lines: Lines) -> Made:
    blocks = [
        f"{n}\n00:00:{n:02d},000 --> 00:00:{n:02d},900\n{who}: {text}\n" for n, (who, text) in enumerate(lines, 1)
    ]
    return Made("a.srt", "\n".join(blocks).encode(), cues(lines))


def subtitles_ass(lines: Lines) -> Made:
    head = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    head += "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    events = [
        f"Dialogue: 0,0:00:{n:02d}.00,0:00:{n:02d}.90,Default,{who},0,0,0,,{{\\i1}}{text}\n"
        for n, (who, text) in enumerate(lines)
    ]
    return Made("a.ass", (head + "".join(events)).encode(), cues(lines))


FORMS: dict[str, Callable[[Lines], Made]] = {
    maker.__name__: maker
    for maker in (
        json_list, json_lines, settings, alpaca, chat_messages, completions, sharegpt, comma_separated, parquet, arrow,
        transcript, asked, haruhi, haruhi_lines, chat_log, card_v1, card_v2, card_png, card_png_compressed,
        card_png_international, charx, lorebook, subtitles_srt, subtitles_ass, whatsapp, novelai, risu,
        voice_index, discord, card_webp, card_jpeg, charx_in_jpeg, webui_yaml, webui_log, pygmalion, agnai,
        agnai_memory, risu_module, novelai_png, excel, chat_table, renpy, telegram, irc, times_above, ink, rpg_maker,
        articy, localisation, dialogue_system,
        telegram_html, discord_html, web_page, web_archive, qq_archive, twine, twee,
    )
}  # fmt: skip
