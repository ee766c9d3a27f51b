"""Pages of a wiki as text copied out of a browser: headings without a mark, menus, contents, tables of tabs, notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

CHINESE = """闻溪
跳到导航
灯塔百科欢迎您参与完善本条目
闻溪立绘.png
目录
1⇥简介
2⇥台词一览
简介[编辑]
闻溪是雾港的守塔人，怕打雷[1]。
经历[编辑]
她在码头上长大。
初次见面
小满：你写诗？
闻溪：写得不好。
小满：那就接着写。
台词一览[编辑]
折叠/展开
场合⇥台词
获得⇥塔灯亮了，靠岸吧。
深夜⇥雾要散了，再等等。
小满互动⇥
小满：你又不睡？
闻溪：灯还没有灭呢。
注释[编辑]
1. 官方设定集里写着。
分类：雾港守塔人
此页面最后编辑于2023年3月1日。
隐私政策关于灯塔百科免责声明
""".replace("⇥", "\t")
ENGLISH = """Mira Vale
Jump to navigation
Contents
1⇥Biography
2⇥Quotes
Biography[edit]
Mira Vale rings the bells of Saltmere.
Quotes[edit | edit source]
Occasion⇥Line
Greeting⇥The tide is late today.
Storm⇥Mind the ropes, all of you.
First meeting
Bram: You rang?
Mira Vale: Twice, in fact.
References[edit]
1. From the second volume.
Categories: Ringers
This page was last edited on 1 March 2023.
Privacy policy About Disclaimers
""".replace("⇥", "\t")


def converted(folder: Path, text: str, character: str = "闻溪", name: str = "闻溪.txt") -> Conversion:
    (folder / name).write_text(text, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions(short_lines=99))


def lines_of(conversion: Conversion) -> list[str]:
    return [one.text for one in conversion.records if one.kind == "dialogue"]


def passages(conversion: Conversion) -> dict[str, str]:
    return {one.prompt: one.text for one in conversion.records if one.kind == "background"}


@pytest.mark.parametrize("name", ["闻溪.txt", "闻溪-百科.txt", "page.txt"])
def test_a_copied_chinese_page_is_its_sections_its_lines_and_its_skits(name: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, CHINESE, name=name)
    assert passages(conversion) == {"简介": "闻溪是雾港的守塔人，怕打雷。", "经历": "她在码头上长大。"}
    assert lines_of(conversion) == [
        "写得不好。",
        "塔灯亮了，靠岸吧。",
        "雾要散了，再等等。",
        "灯还没有灭呢。",
    ]
    assert [one.prompt for one in conversion.records if one.text.startswith(("塔灯", "雾要"))] == ["获得", "深夜"]
    assert [one.context for one in conversion.records if one.prompt == "初次见面"] == [(Turn("小满", "你写诗？"),)]


def test_a_copied_english_page_is_its_sections_its_lines_and_its_skits(tmp_path: Path) -> None:
    conversion = converted(tmp_path, ENGLISH, "Mira Vale", "page.txt")
    assert passages(conversion) == {"Biography": "Mira Vale rings the bells of Saltmere."}
    assert lines_of(conversion) == ["The tide is late today.", "Mind the ropes, all of you.", "Twice, in fact."]
    assert conversion.records[-1].context == (Turn("Bram", "You rang?"),)


@pytest.mark.parametrize(("text", "character"), [(CHINESE, "闻溪"), (ENGLISH, "Mira Vale")])
def test_menus_contents_notes_and_footers_are_left_out_with_a_reason(text: str, character: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, text, character, "page.txt")
    sites = {one.text for one in conversion.rejects if one.reason == "a site's own words"}
    shown = [
        line for line in text.splitlines() if any(word in line for word in ("导航", "1.", "编辑于", "last edited"))
    ]
    assert {line for line in shown if "[" not in line} <= sites


@pytest.mark.parametrize(
    ("text", "character", "name"),
    [
        ("闻溪\n简介\n闻溪是雾港的守塔人。\n语录\n塔灯亮了，靠岸吧。\n注释\n见第一章。\n", "闻溪", "闻溪.txt"),
        ("聞溪\n簡介\n聞溪是霧港的守塔人。\n語錄\n塔燈亮了，靠岸吧。\n", "聞溪", "聞溪.txt"),
        ("# 闻溪\n## 简介[编辑]\n闻溪是雾港的守塔人。\n## 语录[编辑]\n塔灯亮了，靠岸吧。\n", "闻溪", "a.md"),
        ("Overview\nMira rings the bells.\nQuotes\nThe tide is late.\n", "Mira", "Mira.txt"),
    ],
)
def test_usual_headings_need_no_mark(text: str, character: str, name: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, text, character, name)
    assert (len(passages(conversion)), len(lines_of(conversion))) == (1, 1)


def test_what_only_a_sites_menu_calls_so_is_no_heading(tmp_path: Path) -> None:
    text = (
        "View source\nHistory\nGallery\nTalk (0)\nMira Vale rings the bells of Saltmere.\nBiographical information\n"
        "Age\t34\nContents\n1 Looks\n2 Quotes\nLooks[]\nShe is tall, and never late.\nQuotes[]\n“The tide is late.”\n"
    )
    conversion = converted(tmp_path, text, "Mira Vale", "mira vale.txt")
    said = passages(conversion)
    assert (said["Biographical information"], said["Looks"]) == ("Age: 34", "She is tall, and never late.")
    assert "Mira Vale rings the bells" in "".join(said.values())
    assert lines_of(conversion) == ["The tide is late."]


def test_of_a_table_of_tabs_a_column_says_who_speaks(tmp_path: Path) -> None:
    told = "".join(f"那年第{number}个月，她换了一盏灯。\n" for number in range(1, 13))
    rows = "场合\t角色\t台词\n深夜\t闻溪\t雾要散了。\n深夜\t小满\t你又不睡？\n"
    text = f"闻溪\n经历[编辑]\n{told}台词[编辑]\n{rows}"
    conversion = converted(tmp_path, text)
    assert lines_of(conversion) == ["雾要散了。"]
    assert [(one.speaker, one.text) for one in conversion.rejects if one.speaker != "闻溪"] == [("小满", "你又不睡？")]


def test_a_page_of_her_own_with_a_skit_is_read(tmp_path: Path) -> None:
    text = "闻溪\n简介\n闻溪是雾港的守塔人。\n台词\n小满：你好猜。\n闻溪：……下次不会了。\n"
    assert lines_of(converted(tmp_path, text)) == ["……下次不会了。"]


def test_several_peoples_sheets_are_no_page_of_hers(tmp_path: Path) -> None:
    text = "闻溪\n性格\n话少，怕打雷。\n小满\n性格\n爱笑，爱写诗。\n"
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        converted(tmp_path, text, name="人物.txt")


@pytest.mark.parametrize("char", ["[编辑]", "\t", " ", "1", ".", "目录", "百科", "a"])
def test_a_copied_page_of_odd_lines_is_read_in_no_time(char: str, tmp_path: Path) -> None:
    text = f"闻溪\n简介[编辑]\n闻溪是雾港的守塔人。\n{char * 5000}x\n台词[编辑]\n场合\t台词\n{char * 5000}\n"
    assert passages(converted(tmp_path, text))
