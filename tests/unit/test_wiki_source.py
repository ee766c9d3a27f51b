"""A wiki's source as a page shows it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.readers.pages.wiki import is_source, plain_lines
from pipeline.records.result import Conversion

CHINESE = """{{人物信息
|姓名 = 许映雪
|图片 = Xu.png
|年龄 = 31<ref>设定集第12页</ref>
|发色 = {{color|#fff|银白}}
|生日 = {{生日|3|9}}
|相关人 = 方河（友）<br/>许映山（弟）
}}
'''许映雪'''是《[[雾港]]》的[[角色|登场角色]]。

== 轶事 ==
养了一只{{color|red|黑}}猫，今年{{lj|三岁}}。{{ruby|灯塔|とうだい}}的灯是她点的。
*她怕{{黑幕|打雷}}。

{| class="wikitable"
! 版本 !! 日期
|-
| 1.0 || 三月
|}

== 经典台词 ==
*潮水退了，走吧。
*{{cquote|别碰我的海图。}}

== 语音 ==
{| class="wikitable"
! 场合 !! 台词
|-
| 登录 || 灯亮着呢，进来吧。
|-
| 战败 || 灯要灭了，快走。
|}
{{角色语音
|初次见面 = 你就是新来的？
}}

[[分类:雾港]]
[[Category:虚构人物]]
{{DEFAULTSORT:许映雪}}
"""

ENGLISH = """{{Character
| name = Mira Vale
| image = Mira.png
| age = 27
| hair_color = Grey
| occupation = Captain<br />Smuggler
}}
'''Mira Vale''' ({{nihongo|Mira|ミラ}}) mends bells.<ref name="a">S2E4</ref> {{Quote|I count twice.|Mira}}

==History==
She came to [[Saltmere (town)|Saltmere]] at nine&nbsp;with {{color|blue|two}} bells.
[[File:Mira_young.png|thumb|left|200px|Mira at [[nine]]]]

==Quotes==
*"Nobody whistles on my ship."
*''"You're late."''
:"I counted."
::— ''To Ozan''
*"Then you pay." (Act 2)
*"It looked like a light." — Old Hal
*"You never listen," said Hal. "I do now," said Mira.

==Dialogue==
{| class="wikitable"
! When !! Line
|-
| Morning || Up with you, the tide is out.
|}

[[Category:Captains]]
[[Category:People of Saltmere]]
"""


def converted(folder: Path, text: str, character: str, name: str) -> Conversion:
    (folder / name).write_text(text, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def test_a_chinese_wikis_page_is_its_labels_its_passages_and_its_lines(tmp_path: Path) -> None:
    conversion = converted(tmp_path, CHINESE, "许映雪", "许映雪.mediawiki")
    assert [(one.kind, one.text) for one in conversion.records] == [
        (
            "background",
            "姓名：许映雪\n年龄：31\n发色：银白\n生日：3月9日\n相关人：方河（友）；许映山（弟）\n许映雪是《雾港》的登场角色。",
        ),
        ("background", "养了一只黑猫，今年三岁。灯塔的灯是她点的。\n她怕打雷。"),
        ("dialogue", "潮水退了，走吧。"),
        ("dialogue", "别碰我的海图。"),
        ("dialogue", "灯亮着呢，进来吧。"),
        ("dialogue", "灯要灭了，快走。"),
        ("dialogue", "你就是新来的？"),
    ]
    assert [reject.reason for reject in conversion.rejects] == ["a wiki's table"]


def test_an_english_wikis_page_is_its_labels_its_passages_and_its_lines(tmp_path: Path) -> None:
    conversion = converted(tmp_path, ENGLISH, "Mira Vale", "Mira Vale.txt")
    lead = "name: Mira Vale\nage: 27\nhair color: Grey\noccupation: Captain; Smuggler\nMira Vale (Mira) mends bells."
    assert [(one.kind, one.text) for one in conversion.records] == [
        ("background", f"{lead} “I count twice.” — Mira"),
        ("background", "She came to Saltmere at nine with two bells."),
        ("dialogue", "Nobody whistles on my ship."),
        ("dialogue", "You're late."),
        ("dialogue", "I counted."),
        ("dialogue", "Then you pay."),
        ("dialogue", "Up with you, the tide is out."),
    ]
    rejects = {(reject.speaker, reject.reason) for reject in conversion.rejects}
    assert rejects == {("Old Hal", "another speaker"), ("Mira Vale", "a quotation with what is told")}


def test_templates_that_say_who_speaks_are_a_script(tmp_path: Path) -> None:
    text = "== 灯塔 ==\n{{剧情对话|方河|谁在那里？}}\n"
    text += "{{剧情对话|name=许映雪|text=是我，别怕。|face=笑}}\n{{剧情对话|方河|进来吧。}}\n"
    record = converted(tmp_path, text, "许映雪", "剧情.txt").records[0]
    assert (record.text, [turn.text for turn in record.context]) == ("是我，别怕。", ["谁在那里？"])


def test_an_infobox_is_no_script(tmp_path: Path) -> None:
    text = "{{人物信息\n|姓名 = 许映雪\n|年龄 = 31\n|外号 = 阿雪\n}}\n她在雾港画海图。\n"
    assert converted(tmp_path, text, "许映雪", "许映雪.txt").records[0].kind == "background"


def test_a_wikis_voice_entries_are_lines_that_stand_alone(tmp_path: Path) -> None:
    entry = "{{{{角色语音条\n|角色={}\n|标题=闲聊\n|内容={}\n}}}}\n"
    text = entry.format("许映雪", "灯塔有三百级台阶。") + entry.format("方河", "她怕打雷，别说出去。")
    text += "{{角色语音条|角色=许映雪|标题=早安|内容=潮水退了，走吧。}}\n"
    conversion = converted(tmp_path, text, "许映雪", "语音.txt")
    assert [(one.kind, one.text, one.context) for one in conversion.records] == [
        ("dialogue", "灯塔有三百级台阶。", ()),
        ("dialogue", "潮水退了，走吧。", ()),
    ]


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("{{color|red|黑}}猫", "黑猫"),
        ("-{zh-hans:计算机;zh-hant:電腦}-", "计算机"),
        ("{{lang|ja|灯台}}", "灯台"),
        ("{{small|{{color|red|a}} b}}", "a b"),
        ("a{{clear}}b", "ab"),
        ("{{Main|History of bells}}", ""),
        ("{{Infobox|age=27|home=Saltmere}}", "age: 27; home: Saltmere"),
        ("[https://a.example Bells]", "Bells"),
        ("text<!-- hidden -->", "text"),
        ("{{剧情对话|许映雪|谁在那里？}}", "许映雪: 谁在那里？"),
        ("{{Dialogue|Hal|Well?|Mira|No.}}", "Hal: Well? Mira: No."),
    ],
)
def test_what_a_template_shows_stays(source: str, shown: str) -> None:
    assert plain_lines([source], lambda _: False) == [shown]


def test_every_line_keeps_its_place() -> None:
    lines = CHINESE.split("\n")
    made = plain_lines(lines, lambda title: title in {"语音", "经典台词"})
    assert len(made) == len(lines)
    assert made[lines.index("*她怕{{黑幕|打雷}}。")] == "她怕打雷。"


def test_markdown_is_no_wikis_source() -> None:
    assert not is_source("# Mira\n**Age:** 34\n[[Saltmere]] is [her town](a.md).\n- a\n")


@pytest.mark.parametrize(
    "part",
    ["{{", "}}", "[[", "{|", "<ref>", "{{a|", "|a=", "'''", "<!--", "-{", "[[File:", "==", "<", "&nbsp;", "\n{|"],
)
def test_odd_source_is_read_in_no_time(part: str, tmp_path: Path) -> None:
    text = f"'''Mira Vale''' mends bells.\n{part * 5000}\n== History ==\nShe came to Saltmere at nine.\n"
    assert converted(tmp_path, text, "Mira Vale", "Mira Vale.txt").records


MARKS = [
    "{{",
    "}}",
    "[[",
    "]]",
    "|",
    "=",
    "\n",
    "-{",
    "}-",
    ";",
    "<ref>",
    "</ref>",
    "{|",
    "|}",
    "|-",
    "对话",
    "Q",
    "x",
    " ",
]


@given(st.lists(st.sampled_from(MARKS), max_size=40).map("".join))
def test_as_many_lines_are_shown_as_the_source_has(source: str) -> None:
    lines = source.split("\n")
    assert len(plain_lines(lines, lambda _: True)) == len(lines)


def test_a_quotation_is_whose_its_template_says(tmp_path: Path) -> None:
    page = "'''Mira''' is the captain of the [[ferry]] at [[Saltmere]].\n\n== Quotes ==\n"
    page += "{{Quote|Mind the ropes.|Mira, to Tom}}\n{{Quote|She knows it.|Tom}}\n"
    page += "{{Quote|text=She never smiles.|author=Ines}}\n{{Cquote|Who taught her?|||Ines}}\n{{Quote|All aboard.}}\n"
    (tmp_path / "Mira.wiki").write_text(page, encoding="utf-8")
    records = convert([tmp_path / "Mira.wiki"], "Mira", ConversionOptions()).records
    assert [record.text for record in records if record.kind == "dialogue"] == ["Mind the ropes.", "All aboard."]
