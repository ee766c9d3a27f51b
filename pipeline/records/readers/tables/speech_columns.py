"""Tables whose columns may be speakers and what they say, or people and what they are: 角色 and 内容, Name and Text.

Only the rows tell: somebody has several, which say 我, ask and call; or a column or the file is named after lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.records.column_words import NAMES, PEOPLE, SAYINGS, SPEAKS, WEAK
from pipeline.records.names import spelling
from pipeline.records.raw import ReadOptions
from pipeline.records.readers.tables.localisation import with_language
from pipeline.records.readers.tables.merged_cells import cell

Rows = Iterable[tuple[str, Mapping[str, Any]]]
TEXTS = ({"text"} | SAYINGS, WEAK)  # the first that a table has
SPEAKERS = (SPEAKS, PEOPLE, NAMES)
# Columns that only lines have, and those that the passages of a profile have, too.
OF_LINES = re.compile(
    r"(?:解锁|解鎖|触发|觸發)(?:条件|條件)?|场合|場合|情境|场景|場景|情绪|情緒|表情|语气|語氣|"
    r"(?:语音|語音|台词|台詞|臺詞|对白|對白|对话|對話|音频|音訊)(?:id|编号|編號|标题|標題|名称?|名稱|文件|檔案)|"
    r"(?:voice|line|dialog(?:ue)?|audio)[ _-]?(?:id|key|file|no\.?)|emotion|trigger|scene|occasion",
    re.IGNORECASE,
)
OF_PASSAGES = re.compile(
    r"标题|標題|分类|分類|类别|類別|模块|模塊|字段|欄位|项目?|項目?|主题|主題|条目|條目|关系|關係|"
    r"title|category|topic|field|section|key|input|relation(?:ship)?",
    re.IGNORECASE,
)
CALLED = re.compile(
    r"语音|語音|语录|語錄|台[词詞]|臺詞|[对對]白|[对對][话話]|配音|剧本|劇本|"
    r"(?<![a-z])(?:voices?|lines|quotes|dialogues?|dialogs?|script)(?![a-z])",
    re.IGNORECASE,
)
SPOKEN = re.compile(r"[我你您咱俺吾？！?!]|\b(?:I|you|your|me|my|we|us)\b", re.IGNORECASE)
DESCRIBED = re.compile(r"[他她它其](?!们|們)|(?:He|She|It|They|His|Her)\b")
LEAST_SPOKEN, LEAST_DESCRIBED = 0.25, 0.4  # of the texts
LONGEST_NAME = 30  # characters


def may_be_speech(names: Sequence[str], options: ReadOptions) -> bool:
    """Whether there is a column for a name, and one for what may be said."""
    return _speaker(names) is not None and _text(names, options) is not None


def with_speech(
    names: Sequence[str], rows: Callable[[], Rows], called: Sequence[str], options: ReadOptions
) -> ReadOptions:
    """The options with the columns of a speaker and a text where these may be so, and the rows show that they are."""
    speaker, text = _speaker(names), _text(names, options)
    if options.columns or speaker is None or text is None:
        return options
    says_lines = _says_lines(names, called)
    said = [(cell(row, speaker), cell(row, text)) for _, row in rows()]
    people = {spelling(name) for name, _ in said}
    if speaker.strip().lower() in NAMES and says_lines:  # of lines, it may be
        says_lines = True if any(spelling(name) in people for name in options.names) else None
    return replace(options, columns={"speaker": speaker, "text": text}) if _are_lines(said, says_lines) else options


def _says_lines(names: Sequence[str], called: Sequence[str]) -> bool | None:
    """Whether the file's name or another column says that the rows are lines, or passages; None if nothing does."""
    if any(CALLED.search(one) for one in called):
        return True
    if any(OF_PASSAGES.fullmatch(name.strip()) for name in names):
        return False
    return True if any(OF_LINES.fullmatch(name.strip()) for name in names) else None


def _are_lines(said: Sequence[tuple[str, str]], says_lines: bool | None) -> bool:
    """Whether the pairs of a name and a text are somebody's lines, and no descriptions of people."""
    people = [name for name, line in said if name and line]
    if says_lines is False or not people or max(map(len, people)) > LONGEST_NAME:
        return False
    lines, last, described = [line for _, line in said if line], "", 0
    for name, line in said:
        last = name or last
        described += DESCRIBED.match(line) is not None or bool(last and line.startswith(last))
    if described > LEAST_DESCRIBED * len(lines):
        return False
    spoken = sum(SPOKEN.search(line) is not None for line in lines)
    comes_again = len({*people}) < len(people) or len(lines) > len(people)
    return says_lines or (comes_again and spoken >= LEAST_SPOKEN * len(lines))


def _speaker(names: Sequence[str]) -> str | None:
    return next((name for words in SPEAKERS for name in names if name.strip().lower() in words), None)


def _text(names: Sequence[str], options: ReadOptions) -> str | None:
    """The likeliest column of what may be said."""
    named = next((name for words in TEXTS for name in names if name.strip().lower() in words), None)
    return named or with_language(names, options, are_lines=True).columns.get("text")
