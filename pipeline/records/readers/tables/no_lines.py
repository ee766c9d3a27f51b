"""Rows that are no lines: not written yet, cut, or somebody else's, by their own texts or another column."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

UNWRITTEN = re.compile(
    r"[\[(（【<]?\s*(?:tb[acd]|(?-i:TODO|FIXME)\s*(?:[:：].{0,80})?|n/a|"
    r"place ?holder(?: (?:text|line))?|dummy (?:text|line)|lorem ipsum.*|"
    r"待定|待补充?|待補充?|待填写?|待填寫?|(?:[占佔]位(?:[符文]?本?|文字|台[词詞])){1,20}|暂无台词|暫無台詞|无台词|無台詞|"
    r"(?:[测測][试試](?:用|文本|文字|台[词詞]|[语語]音|[数數][据據])?){1,20}[\s_]{0,3}\d{0,8}|"
    r"test (?:line|text|dialogue|string)\s{0,3}\d{0,8}|[x×]{2,40})"
    r"\s*[\])）】>]?[.。]?|[\[(<]\s*(?:no (?:dialogue|line|text)|(?-i:TODO|FIXME)\b[^\[\]()<>]{0,80})\s*[\])>]",
    re.IGNORECASE | re.DOTALL,
)
# `[CUT] I never liked you.` is cut; `[Cut] the rope!` is said, and what is nothing else but the word is no line.
CUT_TEXT = re.compile(
    r"[\[(（【]\s*(?:(?:CUT|DELETED|REMOVED|UNUSED|[已待]?[删刪]除?|[弃棄]用?|[废廢][弃棄]?|作[废廢])\s*[\])）】].*|"
    r"(?i:cut|deleted|removed|unused)\s*[\])）】])",
    re.DOTALL,
)
# Of the line, and not of what is made of it.
STATUS = re.compile(
    r"(?!.*(?:配音|翻[译譯]|[录錄]音|[语語]音|音[频頻]|本地化|\b(?:dub|audio|transla|record|voice|vo\b|locali)))"
    r"(?:(?:.{0,20}[\s_])?(?:status|state|progress)|.{0,8}(?:状态|狀態|进度|進度))",
    re.IGNORECASE,
)
# Of its recording: what is recorded no more is cut, in these words.
RECORDING = re.compile(r".{0,4}(?:配音|[录錄]音|[语語]音).{0,4}(?:状态|狀態|进度|進度)")
# A yes or a no to whether a line is in use, or is cut.
IN_USE = re.compile(
    r"(?:是否|有否)?(?:已?[启啟]用|使用|[采採]用|有效|保留)|"
    r"(?:is[ _-]?)?(?:enabled|in[ _-]use|in[ _-]game)\??|is[ _-]?used\??",
    re.IGNORECASE,
)
OUT_OF_USE = re.compile(
    r"(?:是否)?已?(?:[删刪]除|[废廢][弃棄]|[弃棄]用|作[废廢]|停用|禁用)(?:[标標][记記志]|[标標][识識])?|"
    r"(?:is[ _-]?)?(?:deleted|removed|disabled|unused|obsolete|deprecated)(?:[ _-]flag)?\??|"
    r"is[ _-]?cut\??|cut\?",  # a column Cut may number a film's
    re.IGNORECASE,
)
YES = re.compile(r"1(?:\.0)?|true|yes|y|x|是|[√✓✔☑对對]", re.IGNORECASE)
NO = re.compile(r"0(?:\.0)?|false|no|n|否|[×✗✘☐]|不|不是", re.IGNORECASE)
NOTE = re.compile(r"notes?|comments?|remarks?|备注|備註|说明|說明|批注|批註|附注|附註", re.IGNORECASE)
CUT = re.compile(
    r"cut|deleted?|removed|unused|obsolete|deprecated|disabled|dropped|scrapped|shelved|"
    r"[已待]?[删刪]除?|已?[废廢][弃棄]?|已?[弃棄]用?|已?作[废廢]|已?停用|已?禁用|不[采使]?用|不採用|已?砍掉?|[搁擱]置|[驳駁]回",
    re.IGNORECASE,
)
SCRAPPED = re.compile(r"已?[废廢][弃棄]|已?[弃棄]用|已?作[废廢]|已?[删刪]除")
OPEN = re.compile(
    r"tb[adc]|not final|on hold|placeholder|待定|未定稿?|待[补補][充写寫]?|[占佔]位[符文]?本?", re.IGNORECASE
)
CUT_NOTE = re.compile(
    r"(?:CUT|DELETED|REMOVED)(?:[.!]?|\s*[:：\-–—].{0,80}|\s+(?:in|from|by)\s.{1,80})|"
    r"(?:[已待]?[删刪]除?|已?(?:[废廢][弃棄]|[弃棄]用|作[废廢]))[。.]?|"
    r"[旧舊]版(?:台[词詞]|文案|文本)?(?:[。.]?|[，,、；;：:].{0,80})|"
    r"(?:[Oo]ld|OLD|[Pp]revious) version(?:[.!]?|[,;:].{0,80})|[Ss]uperseded(?:[.!]?|\s+by\s.{1,80})",
    re.DOTALL,
)
# How a line is said, or where its recording stands, beside what is said.
MANNERS = (
    r"[愤憤生]怒|生[气氣]|[开開]心|高[兴興]|喜[悦悅]|悲[伤傷]|[难難][过過]|[惊驚][讶訝]|震[惊驚]|害羞|害怕|恐[惧懼]|[厌厭][恶惡]|"
    r"平[静靜]|冷[静靜淡]|沉[稳穩默思]|[温溫]柔|[严嚴][肃肅]|疑惑|困惑|[无無]奈|委屈|得意|[微大冷苦嗤]笑|笑|[叹嘆][气氣]|哭泣?|哽咽|"
    r"[低小大轻輕][声聲]|喘息|思考|[紧緊][张張]|焦急|不屑|嘲[讽諷]|激[动動]|[兴興][奋奮]|虚弱|虛弱|默[认認]|正常|普通|"
    r"angry|happy|sad|neutral|calm|surprised|shocked|scared|afraid|embarrassed|excited|tired|serious|worried|"
    r"annoyed|amused|sarcastic|whisper(?:s|ing)?|shout(?:s|ing)?|laugh(?:s|ing)?|sigh(?:s|ing)?|smil(?:es|ing)|cry(?:ing)?"
)
RECORDED = r"[待未已][录錄]音?|[待未已]配音?|to be recorded|(?:not )?recorded"
MARKS = re.compile(rf"\s*[\[【](?:{MANNERS})[\]】]\s*(?=\S)|[（(【\[](?:{RECORDED})[)）】\]]$", re.IGNORECASE)
# What a formula that fails leaves in its cell, in Excel, LibreOffice and Google's Sheets, also in other languages.
ERROR_VALUE = re.compile(
    r"#(?:N/[AD]|NV|N\.[DV]\.|GETTING_DATA|#{2,40})|"
    r"#¡?(?:REF|VALUE|NAME|DIV/0|NULL|NUM|SPILL|CALC|FIELD|BLOCKED|UNKNOWN|CONNECT|BUSY|PYTHON|EXTERNAL|ERROR|ERR|"
    r"BEZUG|WERT|ZAHL|VALEUR|NOM|NOMBRE|VALOR)[!?]|(?:Err|错误|錯誤):\d{3}"
)
RETWEETED = re.compile(r"RT @\w{1,20}:.*", re.DOTALL)
NOT_WRITTEN, IS_CUT, OF_OTHERS = "a text not written yet", "cut, as it says itself", "somebody else's, passed on"
IS_ERROR, NOT_FINAL = "a spreadsheet's error value", "not final, as its row says"
NOT_IN_USE = "not in use, as its row says"


def is_error_value(text: str) -> bool:
    """Whether it is what a spreadsheet shows where a formula fails: #N/A, #REF!."""
    return ERROR_VALUE.fullmatch(text) is not None


def reason_of_no_line(text: str, row: Mapping[str, Any]) -> str:
    """Why a row's text is nobody's line; empty where it may be one."""
    if is_error_value(text):
        return IS_ERROR
    if UNWRITTEN.fullmatch(text):
        return NOT_WRITTEN
    if RETWEETED.fullmatch(text) or str(row.get("retweeted", "")).lower() == "true":
        return OF_OTHERS
    if CUT_TEXT.fullmatch(text):
        return IS_CUT
    return next((reason for key, value in row.items() if (reason := reason_of_status(str(key), value))), "")


def without_row_marks(text: str) -> str:
    """The text without how it is said before it, and whether it is recorded behind it: [愤怒], （待录）."""
    before = MARKS.match(text)
    rest = text[before.end() :] if before and before.end() < len(text) else text
    behind = next((found for found in MARKS.finditer(rest, max(0, len(rest) - 20)) if found.end() == len(rest)), None)
    return rest[: behind.start()].rstrip() if behind and behind.start() else rest


def reason_of_status(key: str, value: Any) -> str:
    """Why a row is no line by one of its other columns; empty where that says nothing of it."""
    said = str(value).strip() if isinstance(value, str | bool | int | float) else ""
    words = _words_of(key) if said else ()
    return next((reason for one, reason in words if one.fullmatch(said)), "")


@functools.lru_cache(maxsize=1 << 10)  # the same keys in every row
def _words_of(key: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """In which words a column says that a row is no line, and why; none where it is about something else."""
    columns = (
        (RECORDING, ((SCRAPPED, IS_CUT),)),
        (STATUS, ((CUT, IS_CUT), (OPEN, NOT_FINAL))),
        (NOTE, ((CUT_NOTE, IS_CUT),)),
        (IN_USE, ((NO, NOT_IN_USE),)),
        (OUT_OF_USE, ((YES, IS_CUT),)),
    )
    return next((words for names, words in columns if names.fullmatch(key.strip())), ())
