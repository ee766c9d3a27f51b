"""What a conversion is told beside the files and the name, as plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import UnderstudyError
from pipeline.records.clean import Alternatives, CleaningRules
from pipeline.records.raw import ReadOptions

# Who never speaks: notes, guides and stage machinery that dumps file under a speaker's name.
META_SPEAKERS: tuple[str, ...] = (
    "PS|S|注|注脚|编者注|备注",
    ".*攻略.*",
    "[(（].*",
    "tips|提示|说明|描述|摘要|引言|关键词|获得|奖励|合成|愿望清单|文件内容",
    "过场动画.*|系统.?",
    "编辑|作者|整理",
    "((Editor|Translator|Author)('s )?)?notes?|System",
)


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """The recipe's keys for conversion.

    `columns` holds "ours=theirs" pairs. `near_duplicates` is keep or merge. `join` names transcripts in which lines
    find the turns before them, `reviewed` a table of decisions that `--review` wrote and somebody edited. The last four
    are those of `CleaningRules`.
    """

    context_turns: int = 6
    background_titles: Sequence[str] | None = None
    voice_only_titles: Sequence[str] | None = None
    meta_speakers: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    near_duplicates: str = "keep"
    join: Sequence[str] | None = None
    reviewed: str | None = None
    user_name: str | None = None
    alternatives: Alternatives = "split"
    short_lines: int = 0
    inner_thoughts: bool = False

    @property
    def cleaning(self) -> CleaningRules:
        """What the cleaning is told."""
        return CleaningRules(self.user_name, self.alternatives, self.short_lines, self.inner_thoughts)

    @property
    def reading(self) -> ReadOptions:
        """What the readers are told."""
        return ReadOptions(columns=parse_columns(self.columns or ()), window=self.context_turns)


def parse_columns(pairs: Sequence[str]) -> Mapping[str, str]:
    """The file's name for each of ours, from "ours=theirs" pairs.

    Raises:
        UnderstudyError: a pair has no equals sign.
    """
    for pair in pairs:
        if not all(pair.partition("=")):
            raise UnderstudyError("columns", f"has {pair!r}", fix="write ours=theirs, such as [speaker=who, text=line]")
    return {pair.partition("=")[0].strip(): pair.partition("=")[2].strip() for pair in pairs}
