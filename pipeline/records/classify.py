"""The kind of a record, classified by the title or question that it is filed under, with the reason kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.errors import UnderstudyError
from pipeline.records.comparable import letters
from pipeline.records.record import Kind

# Titles under which games and people file background passages (「孤心沙龙」 is 芙宁娜's own in the original's list).
BACKGROUND_TITLES: tuple[str, ...] = (
    "更多描述",
    r"(角色|人物|个人)?(详细|故事|背景|背景故事|介绍|简介|设定|资料|档案|经历|履历|小传|传记)\s*[0-9一二三四五六七八九十]*",
    "人设|身世|生平|来历|出身背景|世界观|基本(信息|资料|设定)|性格(特点|特征)?|外貌(特征|描写)?|外观|场景|人际关系|人物关系",
    "神之眼",
    "孤心沙龙",
    r"(Character |Personal |My |Her |His )?(Stor(y|ies)|Back ?story|Biograph(y|ies)|Bio|History|Profile|Background|"
    r"Details|Summary|Overview|Introduction|Info(rmation)?)( \d+)?",
    r"More About .+",
    "Personality( traits)?|(Physical )?(Appearance|Description)|Scenario|Relationships|Origins?|Early life|Abilities",
)
# Titles of lines shouted in play: the voice, but never a setting, however they are filed.
VOICE_ONLY_TITLES: tuple[str, ...] = tuple(
    rf"{title}(·其?[0-9一二三四五六七八九十]+)?"
    for title in (
        "元素战技", "元素爆发", "打开宝箱", "生命值低", "同伴生命值低", "倒下", "重受击", "轻受击", "加入队伍",
        "战斗开始", "战斗胜利", "战斗失败", "胜利", "失败", "击败", "击杀", "阵亡", "受伤", "复活", "升级", "施放技能",
        "冲刺", "冲刺开始", "冲刺结束", "滑翔", "打开风之翼", "普通攻击", "中攻击", "重攻击", "攀爬", "跳跃", "待机",
        "Elemental Skill", "Elemental Burst", "Opening Treasure Chest", "Low HP", "Ally at Low HP", "Fallen",
        "Heavy Hit Taken", "Light Hit Taken", "Joining Party", "Sprint", "Deploying Wind Glider",
    )
)  # fmt: skip
# Titles of remarks on the hour, the weather, a gift: asked for like settings, but no facts about the character.
AMBIENT_TITLES: tuple[str, ...] = (
    "闲聊.*",
    ".*(下雨|打雷|下雪|起风|刮大风|沙漠|雪山)的?时?候?.*",
    "阳光很好|雨过天晴",
    "(早上|中午|下午|晚上)好|晚安",
    "收到赠礼.*",
    "生日",
    "突破的感受.*",
    "Chat: .+",
    "When (It|the|Thunder).+",
    "Good (Morning|Afternoon|Evening|Night)",
    "Receiving a Gift.*",
    "Birthday",
    "Feelings About Ascension.*",
)
AMBIENT = re.compile("|".join(f"(?:{title})" for title in AMBIENT_TITLES), re.IGNORECASE)
FIRST_PERSON = re.compile(r"[我俺吾咱]|\b(?:I|me|my|mine|I'm|I've|myself)\b")
LONG = 60  # letters; in a shorter line a missing pronoun means nothing


@dataclass(frozen=True, slots=True)
class TitlePatterns:
    """Compiled patterns; a title has to match one from end to end, whatever its case."""

    background: re.Pattern[str]
    voice_only: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Classification:
    """A kind, the reason for it, and what it is within the kind (passage, persona, ambient, cry, line)."""

    kind: Kind
    why: str
    subkind: str


@dataclass(frozen=True, slots=True)
class Doubt:
    """A reason to doubt a kind, and the kind that it suggests instead."""

    proposed: Kind
    because: str


def compile_patterns(background: Sequence[str] | None = None, voice_only: Sequence[str] | None = None) -> TitlePatterns:
    """The recipe's patterns, or the defaults where it has none.

    Raises:
        UnderstudyError: a pattern is no regular expression.
    """
    return TitlePatterns(any_of(background or BACKGROUND_TITLES), any_of(voice_only or VOICE_ONLY_TITLES))


def classify(title: str, patterns: TitlePatterns) -> Classification:
    """A record's kind by its title: none is a line, a known one a passage or a shout, any other a settings question."""
    title = title.strip()
    if not title:
        return Classification("dialogue", "it stands under no title or question", "line")
    if patterns.voice_only.fullmatch(title):
        return Classification("dialogue", f"{title!r} is a voice-only title", "cry")
    if patterns.background.fullmatch(title):
        return Classification("background", f"{title!r} is a background title", "passage")
    subkind = "ambient" if AMBIENT.fullmatch(title.rstrip(".…")) else "persona"
    return Classification("setting_qa", f"{title!r} asks for it, and is no known title", subkind)


def doubt(kind: Kind, prompt: str, text: str, character: str) -> Doubt | None:
    """What in the wording contradicts the kind, if anything does: it is proposed to a reviewer, never decided."""
    first_person, named = FIRST_PERSON.search(text) is not None, character in text
    if kind == "setting_qa" and named and not first_person and letters(text) >= LONG:
        return Doubt("background", f"speaks of {character} in the third person, and never of itself")
    if kind == "background" and first_person and not named:
        return Doubt("setting_qa", f"speaks of itself, and never of {character}")
    if kind == "dialogue" and named and not first_person and letters(text) >= LONG and not prompt:
        return Doubt("background", f"speaks of {character} in the third person, and never of itself")
    return None


def any_of(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for all of them.

    Raises:
        UnderstudyError: one is no regular expression.
    """
    for pattern in patterns:
        try:
            re.compile(f"(?:{pattern})")
        except re.error as error:
            raise UnderstudyError(
                f"title pattern {pattern!r}", f"is no regular expression ({error})", fix="correct it in the recipe"
            ) from error
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
