"""Rows that are no lines: not written yet, cut, or somebody else's, by their own texts or another column."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any

UNWRITTEN = re.compile(
    r"[\[(（【<]?\s*(?:tb[acd]|(?-i:TODO|FIXME)\s*(?:[:：].{0,80})?|n/a|"
    r"place ?holder(?: (?:text|line))?|dummy (?:text|line)|lorem ipsum.*|"
    r"待定|待补充?|待補充?|待填写?|待填寫?|占位[符文]?本?|佔位[符文]?本?|暂无台词|暫無台詞|无台词|無台詞)"
    r"\s*[\])）】>]?[.。]?|[\[(<]\s*(?:no (?:dialogue|line|text)|(?-i:TODO|FIXME)\b[^\[\]()<>]{0,80})\s*[\])>]",
    re.IGNORECASE | re.DOTALL,
)
# `[CUT] I never liked you.` is cut; `[Cut] the rope!` is said, and what is nothing else but the word is no line.
CUT_TEXT = re.compile(
    r"[\[(（【]\s*(?:(?:CUT|DELETED|REMOVED|UNUSED|已?删除|已?刪除|废弃|廢棄|作废|作廢)\s*[\])）】].*|"
    r"(?i:cut|deleted|removed|unused)\s*[\])）】])",
    re.DOTALL,
)
# Of the line, and not of what is made of it.
STATUS = re.compile(
    r"(?!.*(?:配音|翻[译譯]|[录錄]音|[语語]音|音[频頻]|本地化|\b(?:dub|audio|transla|record|voice|vo\b|locali)))"
    r"(?:(?:.{0,20}\s)?(?:status|state)|.{0,8}(?:状态|狀態))",
    re.IGNORECASE,
)
NOTE = re.compile(r"notes?|comments?|remarks?|备注|備註|说明|說明", re.IGNORECASE)
CUT = re.compile(
    r"cut|deleted?|removed|unused|obsolete|deprecated|已?删除|已?刪除|已?废弃|已?廢棄|弃用|棄用|作废|作廢",
    re.IGNORECASE,
)
CUT_NOTE = re.compile(
    r"(?:CUT|DELETED|REMOVED)(?:[.!]?|\s*[:：\-–—].{0,80}|\s+(?:in|from|by)\s.{1,80})|"
    r"已?(?:删除|刪除|废弃|廢棄|作废|作廢)[。.]?"
)
# What a formula that fails leaves in its cell, in Excel, LibreOffice and Google's Sheets, also in other languages.
ERROR_VALUE = re.compile(
    r"#(?:N/[AD]|NV|N\.[DV]\.|GETTING_DATA|#{2,40})|"
    r"#¡?(?:REF|VALUE|NAME|DIV/0|NULL|NUM|SPILL|CALC|FIELD|BLOCKED|UNKNOWN|CONNECT|BUSY|PYTHON|EXTERNAL|ERROR|ERR|"
    r"BEZUG|WERT|ZAHL|VALEUR|NOM|NOMBRE|VALOR)[!?]|(?:Err|错误|錯誤):\d{3}"
)
RETWEETED = re.compile(r"RT @\w{1,20}:.*", re.DOTALL)
NOT_WRITTEN, IS_CUT, OF_OTHERS = "a text not written yet", "cut, as it says itself", "somebody else's, passed on"
IS_ERROR = "a spreadsheet's error value"


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
    return IS_CUT if CUT_TEXT.fullmatch(text) or any(_says_cut(str(key), row[key]) for key in row) else ""


def _says_cut(key: str, value: Any) -> bool:
    words = _words_of(key)
    return words is not None and isinstance(value, str) and words.fullmatch(value.strip()) is not None


@functools.lru_cache(maxsize=1 << 10)  # the same keys in every row
def _words_of(key: str) -> re.Pattern[str] | None:
    """In which words a column says that a row is cut; None where it is about something else."""
    if STATUS.fullmatch(key.strip()):
        return CUT
    return CUT_NOTE if NOTE.fullmatch(key.strip()) else None
