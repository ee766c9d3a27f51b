"""Labels of scenes, profiles and menus before a colon are nobody, and stand in nobody's prompt."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.assembly import clean_context
from pipeline.records.characters import convert_characters
from pipeline.records.check import format_check
from pipeline.records.classify import any_of
from pipeline.records.clean import CleaningRules
from pipeline.records.conversion import convert
from pipeline.records.options import META_SPEAKERS
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

NOBODY = any_of(META_SPEAKERS)
LABELS = (
    "时间", "地点", "场景", "场景二", "人物", "背景音乐", "BGM", "音效", "选项", "选项1", "选项A", "选择二", "注意",
    "标题", "姓名", "年龄", "性别", "生日", "身高", "体重", "喜好", "爱好", "职业", "性格", "系统消息", "Time",
    "Place", "Location", "Setting", "Scene", "Scene 3", "Music", "SFX", "Note", "Warning", "Age", "Born", "Height",
    "Birthday", "Option 2", "Choice 1", "Sound effect", "Content warning", "Background music",
)  # fmt: skip
PEOPLE = (
    "苏晚晴", "时雨", "地藏", "人鱼", "选手", "注意力", "小时", "旁白", "Agent", "Sage", "Placeholder", "Notary",
    "Borne", "Timer", "Scenery", "Narrator", "Job",
)  # fmt: skip
SCRIPT = """时间：深夜
陆知远：医生，还开门吗？
BGM：雨声
陆知远：我的手受伤了。
选项1：离开
注意：此处有动画
苏晚晴：进来吧，把门关上。
旁白：雨越下越大。
苏晚晴：坐在那边的椅子上。
"""


def converted(folder: Path, content: str, character: str = "苏晚晴") -> Conversion:
    path = folder / "scene.txt"
    path.write_text(content, encoding="utf-8")
    return convert([path], character, ConversionOptions())


@pytest.mark.parametrize("label", LABELS)
def test_a_label_is_nobody(label: str) -> None:
    assert NOBODY.fullmatch(label)


@pytest.mark.parametrize("name", PEOPLE)
def test_a_name_that_begins_like_a_label_is_somebody_and_so_is_a_narrator(name: str) -> None:
    assert not NOBODY.fullmatch(name)


def test_what_a_label_says_is_rejected_and_is_in_no_prompt_and_what_it_parted_is_one_turn(tmp_path: Path) -> None:
    conversion = converted(tmp_path, SCRIPT)
    asked = Turn("陆知远", "医生，还开门吗？\n我的手受伤了。")
    first, second = conversion.records
    assert first.context == (asked,)
    assert second.context[-2:] == (Turn("苏晚晴", "进来吧，把门关上。"), Turn("旁白", "雨越下越大。"))
    assert account_of(conversion)["rejected"] == {"a meta speaker": 4, "another speaker": 3}


def test_a_character_called_like_a_label_keeps_its_turns() -> None:
    turns = (Turn("Time", "I pass."), Turn("Note", "cut?"), Turn("Bram", "So you do."))
    assert clean_context(turns, "Time", CleaningRules(), NOBODY) == (turns[0], turns[2])


def test_turns_of_one_speaker_that_nothing_dropped_parts_stay_as_they_are() -> None:
    turns = (Turn("Bram", "One."), Turn("Bram", "Two."))
    assert clean_context(turns, "Mira", CleaningRules(), NOBODY) == turns


def test_all_characters_are_people_and_where_nobody_says_enough_the_speakers_are_listed(tmp_path: Path) -> None:
    profile = "".join(f"{label}：雾港第{n}号\n" for n in range(25) for label in ("姓名", "年龄", "喜好"))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "scene.txt").write_text(SCRIPT, encoding="utf-8")
    (tmp_path / "raw" / "profile.txt").write_text(profile, encoding="utf-8")
    with pytest.raises(
        UnderstudyError, match=r"has no speaker of 20 lines; the speakers are: 陆知远 \(2\), 苏晚晴 \(2\)"
    ):
        convert_characters([tmp_path / "raw"], tmp_path / "out", ConversionOptions())


def test_a_check_says_where_many_lines_are_left_out_for_being_short(tmp_path: Path) -> None:
    short = "苏晚晴：你来了。\n陆知远：我来晚了，路上雾很大。\n苏晚晴：我爱你。\n陆知远：我也爱你，一直都是。\n"
    long = "".join(f"苏晚晴：今天是雾季的第{n}天。\n陆知远：是吗？\n" for n in range(30))
    shown = format_check(converted(tmp_path, short + long[:60]))
    assert "odd: 2 of " in shown
    assert "`short_lines: 2` in the recipe keeps them" in shown
    assert "short_lines" not in format_check(converted(tmp_path, short + long))
