"""A wiki's source as plain text, line by line: what a reader of the page sees of its templates, tables and links.

Every line keeps its place. An infobox over several lines is labels (`age: 27`), the words shown by a template stay
({{color|red|black}}), a table is its rows below a heading for lines; categories, files, references are no text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

SOURCE = re.compile(r"^\s*\{\{\w[^{}\n]{0,80}[|}\n]|^\{\||'''|^={2,5}[^=\n]+={2,5}\s*$|<ref\b", re.MULTILINE)
HEADING = re.compile(r"={2,6}\s*([^=]+?)\s*=+\s*")
# What no reader of a page sees, or only at its foot.
UNSEEN = re.compile(
    r"<!--.{0,4000}?-->|<ref[^<>]{0,200}/>|<ref\b[^<>]{0,200}>.{0,2000}?</ref>|<gallery\b.{0,8000}?</gallery>|__[A-Z]+__|"
    r"<(?:style|script|math|timeline)\b.{0,4000}?</(?:style|script|math|timeline)>|"
    r"\{\{(?:DEFAULTSORT|デフォルトソート)[^{}]{0,200}\}\}",
    re.DOTALL | re.IGNORECASE,
)
FILE_LINK = re.compile(
    r"!?\[\[:?\s*(?:file|image|media|category|文件|檔案|档案|图像|圖像|图片|圖片|分类|分類|ファイル|カテゴリ|[a-z]{2,3}(?=:[^\s/]))"
    r"\s*[:：](?:[^\[\]]|\[\[[^\[\]]{0,200}\]\]){0,500}\]\]",
    re.IGNORECASE,
)
LINK = re.compile(r"\[\[(?:[^\[\]|\n]{0,200}\|)?([^\[\]|\n]{0,300})\]\]|\[https?://\S{1,500} ([^\[\]\n]{1,200})\]")
VARIANT = re.compile(
    r"-\{(?:[\w-]{1,10}:)?([^{};\n]{0,200})(?:;[^{}\n]{0,500})?\}-"
)  # by who reads: -{zh-hans:a; zh-hant:b}-
TEMPLATE = re.compile(r"\{\{([^{}]{0,20000})\}\}")
TAG = re.compile(r"<br\s*/?>|</?[a-z][^<>]{0,200}>", re.IGNORECASE)
ENTITIES = {"&nbsp;": " ", "&mdash;": "—", "&ndash;": "–", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&amp;": "&"}
LIST_MARK = re.compile(r"^\s*(?:[*#:;]+)\s*(?=\S)")
# Templates: those whose second argument is shown, those that show none, those that say a day.
SECOND = re.compile(
    r"(?:font ?)?colou?r.*|颜色|彩色|文字颜色|lang(?:uage)?|link|size|大小|字号|背景.*|style", re.IGNORECASE
)
NONE = re.compile(
    r"(?:main|see ?also|further|hatnote|about|for|redirect|clear|stub|cite.*|reflist|references|navbox.*|toc.*|icon|"
    r"gallery|audio|voice|file|image|video|main article|主条目|参见|另见|參見|注释|註釋|语音|音频|top|需要.*|存档|"
    r"模板.*|萌百.*|欢迎.*|编辑.*|stub.*|disambig.*|tabs?|.*nav)",
    re.IGNORECASE,
)
DIALOGUE = re.compile(r"dialogues?(?: ?line)?|conversation|.*(?:对话|對話|对白)", re.IGNORECASE)  # who, what, who, what
QUOTE = re.compile(r"c?quote|quotation|blockquote|q|引用|台词|名言", re.IGNORECASE)
LISTED = re.compile(r"\n\s*\*+\s*")
DAY = re.compile(r"生日|birthday|birth date.*|誕生日", re.IGNORECASE)
SHOWN_KEYS = re.compile(r"(?:1|text|quote|quotation|content|内容|台词|臺詞|文字)", re.IGNORECASE)
SIGNED_KEYS = re.compile(r"author|source|sign|speaker|by|作者|出处|出處|说话人", re.IGNORECASE)
NAMED = re.compile(r"\s*([^=<>\[\]{}|\n]{1,40}?)\s*=\s*(.*)", re.DOTALL)
NO_TEXT = re.compile(
    r"(?:\d+(?:px|em|%)?|#[0-9a-f]{3,8}|.{0,200}\.(?:png|jpe?g|gif|svg|webp|mp3|ogg|wav))?", re.IGNORECASE
)
NO_LABEL = re.compile(
    r"(?:.* )?(?:image|img|bg|width|size|caption|align|style|display|theme|tabs?|(?<!hair )(?<!eye )(?<!eyes )colou?r)"
    r"\d*(?: .*)?|"
    r".*(?:图片|图像|圖片|圖像|背景色|文字颜色|文字顏色).*",
    re.IGNORECASE,
)
SAID = re.compile(
    r"台[词詞]|臺詞|内容|內容|文本|文字|对白|對白|语音|語音|lines?|quotes?|dialogues?|texts?|transcript", re.IGNORECASE
)
ROUNDS = 8  # templates within templates
# In place of a table that is no text, before what was a label of a template, and before what somebody says in one.
DROPPED, LABEL, ENTRY = "\0", "\1", "\2"
MOST_KEYS, NAMES = 6, ("name", "姓名", "名字")
WHO = re.compile(r"角色名?|说话人|人物|speaker|character|who", re.IGNORECASE)


def is_source(text: str) -> bool:
    """Whether the text has a wiki's markup."""
    return SOURCE.search(text) is not None


def plain_lines(lines: Sequence[str], is_of_lines: Callable[[str], bool], *, labels: bool = True) -> list[str]:
    """As many lines, as a page shows them; below a heading that `is_of_lines` tables and templates are what is said.

    Without `labels`, those of infoboxes are left out.
    """
    text = UNSEEN.sub(_breaks, "\n".join(lines))
    for entity, char in ENTITIES.items():
        text = text.replace(entity, char)
    text = VARIANT.sub(r"\1", LINK.sub(r"\1\2", FILE_LINK.sub(_breaks, text)))
    for _ in range(ROUNDS):
        shown = TEMPLATE.sub(lambda found: _shown(found[1]), text)
        if shown == text:
            break
        text = shown
    shown_lines = text.split("\n")
    kept = shown_lines if labels else ["" if line.startswith(LABEL) else line for line in shown_lines]
    return _without_marks(kept, is_of_lines)


def _breaks(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


def _shown(inside: str) -> str:
    """What a template shows, on as many lines as it had."""
    name, *arguments = (part.strip(" ") for part in inside.split("|"))
    name = name.strip().replace("_", " ")
    named = [(found[1].strip(), found[2].strip()) for one in arguments if (found := NAMED.fullmatch(one))]
    given = [one.strip() for one in arguments if not NAMED.fullmatch(one)]
    given += [value for key, value in named if SHOWN_KEYS.fullmatch(key)]
    breaks = "\n" * inside.count("\n")
    if entry := _voice_entry(name, named):
        return entry + breaks
    if breaks and named:
        return _labels(inside)
    if not given and len(named) > 1:
        return "; ".join(label for key, value in named if (label := _label(key, value))) + breaks
    signed = next((value for key, value in named if SIGNED_KEYS.fullmatch(key) and value), "")
    return _shown_of(name, given, signed) + breaks


def _shown_of(name: str, given: Sequence[str], signed: str) -> str:
    """What a template shows of its arguments that have no name; a quotation is `signed` by its last one, or by that."""
    if DAY.fullmatch(name):
        return _day([one for one in given if one.isdigit()])
    if DIALOGUE.fullmatch(name) and len(given) > 1:
        turns = (f"{who}: {said}" for who, said in zip(given[::2], given[1::2], strict=False))
        return " ".join(" ".join(turns).split())
    if NONE.fullmatch(name):
        return ""
    shown = given[1:] if SECOND.fullmatch(name) and len(given) > 1 else given
    text = next((LISTED.sub("; ", one.strip(" *\n")) for one in shown if not NO_TEXT.fullmatch(one)), "")
    text = text.replace("\n", " ")
    if not (QUOTE.fullmatch(name) and text):
        return text
    whose = " ".join((signed or next((one for one in reversed(given[1:]) if one), "")).split())
    return f"“{text}”{f' — {whose}' if whose else ''}"


def _voice_entry(name: str, named: Sequence[tuple[str, str]]) -> str:
    """Who says what, of a template that has a key for either; an infobox has more keys."""
    is_dialogue = DIALOGUE.fullmatch(name) is not None
    whose = [value for key, value in named if WHO.fullmatch(key) or (is_dialogue and key.lower() in NAMES)]
    said = next((value for key, value in named if SAID.fullmatch(key)), "")
    if not (whose and whose[0] and said) or len(named) > MOST_KEYS:
        return ""
    return f"{'' if is_dialogue else ENTRY}{whose[0]}: {' '.join(said.split())}"


def _day(numbers: Sequence[str]) -> str:
    """Month and day, in the way of Chinese wikis; nothing where that is not what the numbers are."""
    return f"{numbers[0]}月{numbers[1]}日" if len(numbers) == 2 else ""


def _labels(inside: str) -> str:
    """A template over several lines as a label a line; what goes on below one stays there."""
    rows = [""]
    for line in inside.split("\n")[1:]:
        found = NAMED.fullmatch(line.strip().removeprefix("|")) if line.lstrip().startswith("|") else None
        if found:
            label = _label(found[1], found[2])
            rows.append(label and LABEL + label)
        else:
            rows.append("" if line.lstrip().startswith("|") else line.rstrip("|"))
    return "\n".join(rows)


def _label(key: str, value: str) -> str:
    """`key: value`; nothing where it is of the page's looks, or says nothing."""
    key = key.strip().replace("_", " ")
    between = "; " if key.isascii() else "；"
    value = TAG.sub(lambda found: between if found[0].lower().startswith("<br") else "", value).strip()
    if not value or NO_LABEL.fullmatch(key) or (NO_TEXT.fullmatch(value) and not value.isdigit()):
        return ""
    return f"{key}: {value}" if key.isascii() else f"{key}：{value}"


def _without_marks(lines: Sequence[str], is_of_lines: Callable[[str], bool]) -> list[str]:
    """The lines without marks of lists, and tables as their rows' texts."""
    made: list[str] = []
    table: list[str] | None = None
    said = False
    for line in lines:
        bare = line.strip()
        heading = HEADING.fullmatch(bare)
        if table and (heading or bare.startswith("{|")):  # one that has no end
            made += _of_table(table, said)
            table = None
        said = is_of_lines(heading[1]) if heading else said
        if bare.startswith("{|"):
            table = []
        if table is None:
            made.append(line if heading else _plain(line, said))
            continue
        table.append(bare)
        if bare.startswith("|}"):
            made += _of_table(table, said)
            table = None
    return [*made, *(_of_table(table, said) if table else [])]


def _of_table(table: Sequence[str], said: bool) -> list[str]:
    return _rows(table) if said else [DROPPED, *[""] * (len(table) - 1)]


def _plain(line: str, said: bool) -> str:
    """The line without its marks; of a template's label below a heading for lines, what is said."""
    if line.startswith(LABEL):
        return re.split("[:：]", line, maxsplit=1)[1].strip() if said else line[1:]
    return LIST_MARK.sub("", TAG.sub(_space_for_break, line))


def _space_for_break(found: re.Match[str]) -> str:
    return " " if found[0].lower().startswith("<br") else ""


def _rows(table: Sequence[str]) -> list[str]:
    """For each row of a table what is said in it, on the row's last line."""
    column: int | None = None
    rows = [""] * len(table)
    cells, heads = list[str](), list[str]()
    for number, line in enumerate([*table[1:], "|-"]):
        if line.startswith(("|-", "|}")):
            if cells:
                rows[number] = _cell(cells, column)
            cells = []
        elif line.startswith("!"):
            heads += [one.split("|")[-1].strip() for one in re.split(r"!!|\|\|", line[1:])]
            column = next((at for at, one in enumerate(heads) if SAID.fullmatch(one)), column)
        elif line.startswith("|"):
            cells += [one.split("|")[-1].strip() for one in line[1:].split("||")]
        elif cells:
            cells[-1] = f"{cells[-1]} {line}".strip()
    return rows


def _cell(cells: Sequence[str], column: int | None) -> str:
    """The cell that its column's head says is what is said, or else the longest."""
    text = cells[column] if column is not None and column < len(cells) else max(cells, key=len)
    return TAG.sub(_space_for_break, text)
