"""Which kind of record it is, told from its `input` alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import UnderstudyError
from pipeline.records.record import Kind

# Titles under which games file their background passages (「孤心沙龙」 is 芙宁娜's own in the original's list).
BACKGROUND_TITLES: tuple[str, ...] = (
    "更多描述",
    r"角色详细",
    r"角色故事\s*[0-9一二三四五六七八九十]*",
    "神之眼",
    "孤心沙龙",
    r"Character Stor(y|ies)( \d+)?",
    "Character Details",
    r"More About .+",
    "(Personality|Description|Scenario|Background|Profile)",
)
# Titles of lines shouted in play: the voice, but never a setting, however they are filed.
VOICE_ONLY_TITLES: tuple[str, ...] = tuple(
    rf"{title}(·其?[0-9一二三四五六七八九十]+)?"
    for title in (
        "元素战技", "元素爆发", "打开宝箱", "生命值低", "同伴生命值低", "倒下", "重受击", "轻受击", "加入队伍",
        "冲刺", "冲刺开始", "冲刺结束", "滑翔", "普通攻击", "中攻击", "重攻击", "攀爬", "跳跃", "待机",
        "Elemental Skill", "Elemental Burst", "Opening Treasure Chest", "Low HP", "Ally at Low HP", "Fallen",
        "Heavy Hit Taken", "Light Hit Taken", "Joining Party", "Sprint",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TitlePatterns:
    """Compiled patterns; a title has to match one from end to end, whatever its case."""

    background: re.Pattern[str]
    voice_only: re.Pattern[str]


def compile_patterns(background: Sequence[str] | None = None, voice_only: Sequence[str] | None = None) -> TitlePatterns:
    """The recipe's patterns, or the defaults where it has none.

    Raises:
        UnderstudyError: a pattern is no regular expression.
    """
    return TitlePatterns(_any_of(background or BACKGROUND_TITLES), _any_of(voice_only or VOICE_ONLY_TITLES))


def classify(input_text: str, patterns: TitlePatterns) -> Kind:
    """Tell a record's kind: no `input` is a line, a known title a passage or a shout, anything else is asked for."""
    title = input_text.strip()
    if not title or patterns.voice_only.fullmatch(title):
        return "dialogue"
    return "background" if patterns.background.fullmatch(title) else "setting_qa"


def _any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise UnderstudyError(
                f"title pattern {pattern!r}", f"is no regular expression ({error})", fix="correct it in the recipe"
            ) from error
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
