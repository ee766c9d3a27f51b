"""What each step of a conversion takes of its options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.assembly import AssemblyOptions
from pipeline.records.classify import any_of, compile_patterns
from pipeline.records.clean import CleaningRules
from pipeline.records.field_map import parse_maps
from pipeline.records.raw import ReadOptions
from pipeline.records.review import read_review

# Speakers who are nobody: notes, guides and stage machinery that dumps file under a speaker's name, and what stands
# before a colon in scripts, profiles and menus. A narrator (旁白, Narrator) is one who speaks.
META_SPEAKERS: tuple[str, ...] = (
    "PS|S|注|注脚|编者注|备注",
    ".*攻略.*",
    "[(（].*",
    "tips|提示|说明|描述|摘要|引言|关键词|获得|奖励|合成|愿望清单|文件内容",
    "过场动画.*|系统.?",
    "编辑|作者|整理",
    "((Editor|Translator|Author)('s )?)?notes?|System",
    "系统(消息|提示|通知)|注意(事项)?|警告|注释|标题|副标题|章节|简介|概要|前情提要|字幕",
    r"时间|日期|地点|场(景|次)[\d一二三四五六七八九十]*|场地|天气|人物|(登场|出场)人物|背景|镜头|画面|转场",
    "(背景)?音乐|背景音|配乐|音效|BGM|SE|SFX|Music|Sound effects?|Background( music)?",
    r"(选项|选择|分支)\s*[\dA-Za-z一二三四五六七八九十]*|(Choice|Option)s?\s*(\d+|[A-Za-z])?",
    "姓名|名字|昵称|年龄|性别|生日|出生(日期|地)?|身高|体重|血型|星座|种族|国籍|籍贯|职业|身份|性格|外貌|喜好|爱好|兴趣|喜欢|讨厌|特长|口头禅",
    r"Time|Date|Place|Location|Setting|Scene( \d+)?|Weather|Title|Chapter|Episode|Cast|Characters|Summary|Synopsis",
    "((Content|Trigger) )?warnings?|(Full )?name|Nickname|Age|Born|Birth(day|date| ?place)|Gender|Height|Weight",
    "Species|Occupation|(Dis)?likes|Hobb(y|ies)|Personality|Appearance|Blood type|Nationality",
)


def cleaning_rules(options: ConversionOptions) -> CleaningRules:
    """The options of cleaning."""
    return CleaningRules(
        options.user_name, options.alternatives, options.short_lines, options.inner_thoughts, options.mask_private
    )


def read_options(options: ConversionOptions, character: str | None = None) -> ReadOptions:
    """The options of the readers, who look for the records of one character, or of all.

    Raises:
        UnderstudyError: `columns` is not written as pairs, or `rows` or `maps` not as paths.
    """
    columns = parse_columns(options.columns or ())
    maps = parse_maps(options.maps or (), options.rows, columns, parse_columns)
    return ReadOptions(
        columns=columns,
        character=character,
        other_names=tuple(options.other_names or ()),
        window=options.context_turns,
        maps=maps,
        scene_gap=options.scene_gap,
        merge_messages=options.merge_messages,
        strict=options.strict,
    )


def assembly_options(options: ConversionOptions) -> AssemblyOptions:
    """The options of assembling, the patterns compiled and the reviewed table read.

    Raises:
        UnderstudyError: a pattern is no regular expression, or the table is missing or broken.
    """
    return AssemblyOptions(
        patterns=compile_patterns(options.background_titles, options.voice_only_titles),
        meta_speakers=any_of(options.meta_speakers or META_SPEAKERS),
        rules=cleaning_rules(options),
        decisions=read_review(Path(options.reviewed).expanduser()) if options.reviewed else {},
    )


def parse_columns(pairs: Sequence[str]) -> Mapping[str, str]:
    """The file's name for each of ours, from "ours=theirs" pairs.

    Raises:
        UnderstudyError: a pair has no equals sign.
    """
    for pair in pairs:
        if not all(pair.partition("=")):
            raise UnderstudyError("columns", f"has {pair!r}", fix="write ours=theirs, such as [speaker=who, text=line]")
    return {pair.partition("=")[0].strip(): pair.partition("=")[2].strip() for pair in pairs}
