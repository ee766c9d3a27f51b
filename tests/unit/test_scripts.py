"""Scripts as people write them: several speakers in a line, lists of people, remarks out of character, rare forms."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.names import near_names
from pipeline.records.record import Turn
from pipeline.records.result import Conversion


def converted(
    folder: Path, content: str, character: str = "林渡", name: str = "a.txt", **options: object
) -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions(**options))  # type: ignore[arg-type]


def lines_of(folder: Path, content: str, character: str = "林渡", name: str = "a.txt") -> list[str]:
    return [record.text for record in converted(folder, content, character, name).records if record.kind == "dialogue"]


def reasons(conversion: Conversion) -> dict[str, str]:
    return {reject.text: reject.reason for reject in conversion.rejects}


@pytest.mark.parametrize(
    ("character", "line"),
    [("阿圆", "是我呀，开门。"), ("林渡", "谁在敲门？"), ("林渡", "我听出来了。")],
)
def test_a_line_glued_into_anothers_is_parted_before_the_lines_of_one_are_joined(
    character: str, line: str, tmp_path: Path
) -> None:
    script = "林渡：谁在敲门？阿圆：是我呀，开门。\n林渡：我听出来了。\n阿圆：那还不快点。\n"
    assert line in lines_of(tmp_path, script, character)


def test_what_was_said_before_in_the_same_line_is_context(tmp_path: Path) -> None:
    script = "林渡：谁在敲门？阿圆（小声）：是我呀，开门。\n林渡：我听出来了。\n阿圆：那还不快点。\n"
    records = converted(tmp_path, script, "阿圆").records
    assert [record.text for record in records] == ["是我呀，开门。", "那还不快点。"]
    assert records[0].context == (Turn("林渡", "谁在敲门？"),)


CAST = "林渡：码头的记账先生，三十岁，从不赊账。\n阿圆：林渡的邻居，卖糖水的姑娘。\n"
TALK = "林渡：账还没算完呢。\n阿圆：那我先走了。\n林渡：慢走不送。\n"


@pytest.mark.parametrize(
    "heading",
    ["人物介绍：", "# 人物小传", "【角色】", "登场人物", "人物表", "角色介紹：", "Characters:", "## Dramatis Personae"],
)
def test_an_entry_of_a_list_of_people_is_a_passage_and_no_line(heading: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"{heading}\n{CAST}\n{TALK}")
    assert [(record.kind, record.text) for record in conversion.records] == [
        ("background", "码头的记账先生，三十岁，从不赊账。"),
        ("dialogue", "账还没算完呢。"),
        ("dialogue", "慢走不送。"),
    ]
    assert reasons(conversion)["林渡的邻居，卖糖水的姑娘。"] == "a cast list"
    assert conversion.records[1].context == ()


@pytest.mark.parametrize("heading", ["CAST", "【本期出场】", "演员表：", "Voice cast:"])
def test_who_plays_somebody_is_neither_a_line_nor_a_passage(heading: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"{heading}\n林渡：阿布（CV），声音低沉\n阿圆：小七（CV）\n\n{TALK}")
    assert [record.text for record in conversion.records] == ["账还没算完呢。", "慢走不送。"]
    assert reasons(conversion)["阿布（CV），声音低沉"] == "a cast list"


def test_a_file_of_entries_about_people_is_no_script_even_without_a_heading(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text(f"{CAST}老关：码头的更夫，六十岁。\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text(TALK, encoding="utf-8")
    conversion = convert([tmp_path], "林渡", ConversionOptions())
    assert [record.text for record in conversion.records] == ["账还没算完呢。", "慢走不送。"]
    assert reasons(conversion)["码头的记账先生，三十岁，从不赊账。"] == "a cast list"


def test_a_heading_above_what_people_say_makes_no_list_of_it(tmp_path: Path) -> None:
    script = "【出场】\n阿圆：你的账呢？\n林渡：我早就算好了。\n阿圆：这么快！\n"
    assert lines_of(tmp_path, script) == ["我早就算好了。"]


@pytest.mark.parametrize(
    "heading",
    [
        "登场人物：\n林渡、阿圆\n\n",
        "Characters\n林渡, 阿圆, a night watchman\n\n",
        "人物：\n林渡——记账先生，三十岁\n阿圆——卖糖水的\n\n",
        "【人物】\n林渡、阿圆\n\n【第一场】\n",
        "人物：\n林渡：记账先生，三十岁\n阿圆：卖糖水的\n正文\n",
        "故事大纲\n林渡替阿圆算账。\n\n",
        "# Synopsis\n林渡 keeps the books of the quay.\n\n",
        "大纲：\n林渡替阿圆算账。\n正文：\n",
        "# Cast\n",
        "# Characters\n",
        "【角色】\n",
    ],
)
def test_a_list_or_an_outline_ends_where_people_begin_to_speak(heading: str, tmp_path: Path) -> None:
    talk = "林渡：账还没算完呢。\n阿圆：先走了。\n林渡：慢走不送。\n阿圆：灯别灭。\n"
    assert lines_of(tmp_path, heading + talk) == ["账还没算完呢。", "慢走不送。"]


def test_what_is_said_of_things_below_a_scenes_title_is_no_list(tmp_path: Path) -> None:
    scene = "# Cast\nMira: Hold the lamp, Tam.\nTam: The lamp is empty.\nMira: The lamp was full.\nTam: A lamp burns.\n"
    assert lines_of(tmp_path, scene, "Mira") == ["Hold the lamp, Tam.", "The lamp was full."]


def test_a_sentence_above_the_entries_of_a_list_does_not_end_it(tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"人物介绍：\n以下是码头上的人。\n\n{CAST}\n{TALK}")
    assert [record.kind for record in conversion.records] == ["background", "dialogue", "dialogue"]


@pytest.mark.parametrize("name", ["plot.txt", "Synopsis.txt", "大纲.txt"])
def test_a_file_named_as_an_outline_in_which_people_speak_is_none(name: str, tmp_path: Path) -> None:
    script = "Tam: Where do we hide the bell?\nMira: Below the ferry.\nTam: It will ring.\nMira: We wrap it in wool.\n"
    assert lines_of(tmp_path, script, "Mira", name) == ["Below the ferry.", "We wrap it in wool."]


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("Mira: The keeper of this bell sleeps downstairs.\nTam: A man who sleeps hears nothing.\n", "The keeper"),
        ("林渡：阿圆十七岁就卖糖水了。\n阿圆：他喜欢算账。\n", "阿圆十七岁"),
    ],
)
def test_two_lines_about_people_are_a_script(script: str, line: str, tmp_path: Path) -> None:
    (said,) = lines_of(tmp_path, script, script.split(":")[0].split("：")[0])
    assert said.startswith(line)


def test_two_who_speak_once_each_are_no_list_of_people(tmp_path: Path) -> None:
    assert lines_of(tmp_path, "阿圆：今天的账呢？\n林渡：算好了，放在柜台上。\n") == ["算好了，放在柜台上。"]


@pytest.mark.parametrize(
    ("name", "outline"),
    [
        ("大纲.txt", "第一章：账本丢了。\n林渡：发现账本不见，连夜去找。\n阿圆：瞒着他。\n林渡：终于找到。\n"),
        ("a.txt", "# 故事大纲\n林渡：发现账本不见，连夜去找。\n阿圆：瞒着他。\n# 正文\n" + TALK),
        ("outline.md", "林渡：发现账本不见，连夜去找。\n阿圆：瞒着他。\n林渡：终于找到。\n"),
    ],
)
def test_what_an_outline_tells_of_somebody_is_no_line(name: str, outline: str, tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text(TALK, encoding="utf-8")
    (tmp_path / name).write_text(outline, encoding="utf-8")
    conversion = convert([tmp_path], "林渡", ConversionOptions())
    assert {record.text for record in conversion.records} == {"账还没算完呢。", "慢走不送。"}
    assert reasons(conversion)["发现账本不见，连夜去找。"] == "an outline"


def test_what_follows_a_list_of_people_is_none_of_its_entries(tmp_path: Path) -> None:
    people = "CHARACTERS\n\nMIRA (54). Keeps the ferry.\n\nTONE\nDry.\n"
    bible = f"{people}\nSAMPLE\nTam: You could tell them.\nMira: And spoil it?\n"
    with pytest.raises(UnderstudyError, match="holds no raw file"):  # half of it is prose, so it is no script at all
        converted(tmp_path, bible, "Mira")
    conversion = converted(
        tmp_path, f"{bible}Tam: So?\nMira: So nothing at all.\nTam: Well.\nMira: Good.\nTam: Aye.\n", "Mira"
    )
    assert {record.kind for record in conversion.records} == {"dialogue"}


BLOCKS = (
    "[林渡]\n他看着那一页空白的账，很久没有动。\n雨一直下。\n“算了，”他说，“明天再算。”\n[阿圆]\n“早该睡了。”\n"
    "[林渡]\n（合上账本）“走吧。”\n[阿圆]\n“好。”\n"
)


def test_of_a_block_below_a_name_that_tells_and_quotes_what_is_quoted_is_said(tmp_path: Path) -> None:
    conversion = converted(tmp_path, BLOCKS)
    assert [record.text for record in conversion.records] == ["算了，明天再算。", "（合上账本）“走吧。”"]
    assert reasons(conversion)["雨一直下。"] == "narration"


def test_the_same_is_so_below_a_name_with_a_colon(tmp_path: Path) -> None:
    script = (
        "林渡：\n他看着那一页空白的账。\n“算了，明天再算。”\n阿圆：“早该睡了。”\n林渡：“你先走吧。”\n阿圆：“好。”\n"
    )
    conversion = converted(tmp_path, script)
    assert [record.text for record in conversion.records] == ["算了，明天再算。", "你先走吧。"]


def test_a_block_below_a_name_that_quotes_nothing_is_said_up_to_what_is_told(tmp_path: Path) -> None:
    script = "【林渡】\n账不对。\n少了三两。\n【阿圆】\n是我拿的。\n她低下头。\n【林渡】\n为什么？\n【阿圆】\n买糖。\n"
    conversion = converted(tmp_path, script)
    assert conversion.records[0].text == "账不对。\n少了三两。"
    assert reasons(conversion)["她低下头。"] == "narration"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("((好的，等我五分钟))", "out of character"),
        ("（（先去吃饭", "out of character"),
        ("// 明天考试先下了", "out of character"),
        ("[皮：今天卡文了]", "out of character"),
        ("【皮下请假一天】", "out of character"),
        ("(OOC: brb)", "out of character"),
        ("[OOC] gtg", "out of character"),
        ("OOC: is this before the siege?", "out of character"),
        ("/me 拔剑四顾", "a command"),
        (".ra 侦查60", "a command"),
        ("/roll 1d20", "a command"),
        ("【合上账本】", "a stage direction"),
        ("[laughs]", "a stage direction"),
        ("【她合上账本。】", "a stage direction"),
        ("[He sits down.]", "a stage direction"),
        ("(if: $mood > 1)[今天不算账。]", "a game's logic"),
        ("今天<<if $late>>不<</if>>算账。", "a game's logic"),
    ],
)
def test_what_is_said_out_of_character_is_set_aside(said: str, reason: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"阿圆：今天的账呢？\n林渡：{said}\n阿圆：人呢？\n林渡：都算好了，在这儿。\n")
    assert [record.text for record in conversion.records] == ["都算好了，在这儿。"]
    assert reasons(conversion)[said] == reason
    assert all(turn.text != said for turn in conversion.records[0].context)


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("((sorry, late)) Off my ship, now.", "Off my ship, now."),
        ("(OOC: sure!) Off my ship, now.", "Off my ship, now."),
        ("Off my ship, now. // too harsh?", "Off my ship, now."),
        ("See https://example.org/ for the chart.", "See [link: example.org] for the chart."),
    ],
)
def test_a_remark_amid_a_line_goes_and_the_line_stays(said: str, rest: str, tmp_path: Path) -> None:
    assert lines_of(tmp_path, f"Tam: Well?\nMira: {said}\nTam: Aye.\n", "Mira") == [rest]


@pytest.mark.parametrize(
    "said",
    [
        "【滴！今日账目已经送达。】",
        "[Nine barrels, keeper.]",
        "/roll those barrels up here, Tam.",
        "/run!",
        "!me first!",
    ],
)
def test_a_sentence_in_brackets_or_behind_a_mark_may_be_a_line(said: str, tmp_path: Path) -> None:
    assert lines_of(tmp_path, f"Tam: Well?\nMira: {said}\nTam: Aye.\n", "Mira") == [said]


@pytest.mark.parametrize("character", ["慕容", "慕容问"])
def test_a_longer_name_that_ends_in_a_verb_is_a_name_where_it_speaks_again(character: str, tmp_path: Path) -> None:
    script = "慕容问：这船漏了三天。\n慕容：我只管划桨呀。\n慕容问：那谁管补船？\n慕容：去问船老大。\n"
    own = {"慕容问": ["这船漏了三天。", "那谁管补船？"], "慕容": ["我只管划桨呀。", "去问船老大。"]}
    assert lines_of(tmp_path, script, character) == own[character]


def test_what_is_told_of_two_before_a_colon_is_nobodys_name(tmp_path: Path) -> None:
    script = "林渡问：账算完了没有？\n阿圆问：你说呢？\n林渡问：糖水还有没有？\n阿圆：几碗？\n林渡：两碗就好。\n"
    assert lines_of(tmp_path, script) == ["账算完了没有？", "糖水还有没有？", "两碗就好。"]
    alone = "林渡说：账算完了。\n阿圆：我看看。\n林渡说：灯别灭了呀。\n阿圆：好。\n林渡：慢走不送。\n"
    assert lines_of(tmp_path, alone) == ["账算完了。", "灯别灭了呀。", "慢走不送。"]


FORMS = {
    "numbers before the names": "001 林渡：（警觉）谁在那里？\n002 阿圆：是我，开门呀。\n003 林渡：等我一下。\n",
    "a wide space": "林渡　（警觉）谁在那里？\n阿圆　　是我，开门呀。\n林渡　等我一下。\n",
    "two spaces": "林渡  （警觉）谁在那里？\n阿圆  是我，开门呀。\n林渡  等我一下。\n",
    "a dash": "林渡——（警觉）谁在那里？\n阿圆——是我，开门呀。\n林渡——等我一下。\n",
    "pointed brackets": "<林渡> （警觉）谁在那里？\n<阿圆> 是我，开门呀。\n<林渡> 等我一下。\n",
    "times": "[00:01:02] 林渡：（警觉）谁在那里？\n[00:01:05] 阿圆：是我，开门呀。\n林渡：等我一下。\n",
    "how it is said": "林渡【抬头】：（警觉）谁在那里？\n阿圆〈笑〉：是我，开门呀。\n林渡*叹气*：等我一下。\n",
    "voices off": "林渡（抬头，压低声音）：（警觉）谁在那里？\n阿圆：是我，开门呀。\n△灯灭了。\n林渡OS：等我一下。\n",
    "no colon after a voice off": "林渡：（警觉）谁在那里？\n阿圆：是我，开门呀。\n林渡（OS）等我一下。\n林渡：好。\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_line_is_read_in_the_forms_that_scripts_have(form: str, tmp_path: Path) -> None:
    lines = "\n".join(lines_of(tmp_path, FORMS[form])).split("\n")
    assert lines[:2] == ["（警觉）谁在那里？", "等我一下。"]


@pytest.mark.parametrize(
    "script",
    [
        "TAM. Who is up there?\nMIRA. Only me and the bell.\nTAM. Come down.\n",
        "TAM - Who is up there?\nMIRA - Only me and the bell.\nTAM - Come down.\n",
    ],
)
def test_names_in_capitals_need_no_colon(script: str, tmp_path: Path) -> None:
    (record,) = converted(tmp_path, script, "Mira").records
    assert (record.text, record.context) == ("Only me and the bell.", (Turn("TAM", "Who is up there?"),))


def test_a_profile_in_columns_is_no_script(tmp_path: Path) -> None:
    profile = converted(tmp_path, "姓名　　林渡\n年龄　　三十岁\n职业　　记账先生\n住处　　码头\n喜好　　算账\n")
    assert {record.kind for record in profile.records} == {"background"}
    with pytest.raises(UnderstudyError):
        converted(tmp_path, "INFO  The ferry has left.\nWARN  The bell is out.\nINFO  Mira is on board.\n", "Mira")


def test_an_indented_quotation_goes_on_with_what_is_quoted_above(tmp_path: Path) -> None:
    script = "林渡：「……那是因為牠會怕。」\n　　　「真的啦，你看牠的耳朵。」\n阿圓：「妳才膽小！」\n「誰在說話？」\n"
    conversion = converted(tmp_path, script)
    assert [record.text for record in conversion.records] == ["……那是因為牠會怕。\n真的啦，你看牠的耳朵。"]


@pytest.mark.parametrize(
    ("words", "line"),
    [("林渡小声道", "不告诉你，自己猜。"), ("林渡问阿圆", "你猜是多少？"), ("林渡说道", "走吧，走吧。")],
)
def test_the_words_before_a_colon_that_tell_who_speaks_are_no_name(words: str, line: str, tmp_path: Path) -> None:
    script = f"林渡：“账都对上了。”\n阿圆：“差多少？”\n{words}：“{line}”\n阿圆：“那算了。”\n"
    conversion = converted(tmp_path, script)
    assert [record.text for record in conversion.records] == ["账都对上了。", line]
    assert conversion.near_names == {}


def test_who_is_told_to_speak_in_english_is_the_speaker_and_a_longer_name_is_not(tmp_path: Path) -> None:
    script = "Mira: Well?\nTam: Aye.\nMira said: Sit down.\nTam: Why?\nOld Mira: I knew it.\nTam: So?\nMira: So sit.\n"
    conversion = converted(tmp_path, script, "Mira")
    assert [record.text for record in conversion.records] == ["Well?", "Sit down.", "So sit."]
    assert conversion.near_names == {"Old Mira": 1}


def test_a_thought_before_a_colon_is_no_line(tmp_path: Path) -> None:
    script = "林渡：“账都对上了。”\n阿圆：“差多少？”\n林渡心想：“真麻烦。”\n阿圆：“那算了。”\n"
    conversion = converted(tmp_path, script)
    assert [record.text for record in conversion.records] == ["账都对上了。"]
    assert reasons(conversion)["真麻烦。"] == "a thought, or something written"


@pytest.mark.parametrize("words", ["沈阿棠心想", "裴照问沈阿棠", "老周看了看沈阿棠", "裴照指着沈阿棠", "沈阿棠小声道"])
def test_the_beginning_of_a_sentence_is_no_nearly_equal_name(words: str) -> None:
    assert near_names("沈阿棠", {words: 3}) == {}


def test_a_longer_name_is_a_nearly_equal_one_still() -> None:
    assert near_names("阿棠", {"沈阿棠": 3, "阿棠姐": 1}) == {"沈阿棠": 3, "阿棠姐": 1}
    assert near_names("Mira", {"Mira Vale": 2, "Mira said": 1}) == {"Mira Vale": 2}


def test_sounds_between_brackets_part_no_scene(tmp_path: Path) -> None:
    script = "【场景：码头】\n阿圆：今天的账呢？\n【BGM：夜雨】\n林渡：都算好了，在这儿。\n"
    (record,) = converted(tmp_path, script).records
    assert (record.prompt, record.context) == ("场景：码头", (Turn("阿圆", "今天的账呢？"),))


@pytest.mark.parametrize(
    ("heading", "begins"),
    [
        ("SCENE 3. The stage door.", True),
        ("Scene 2", True),
        ("Act II, Scene 1: the ferry", True),
        ("Scene two - the cellar", True),
        ("第三场　城门", True),
        ("第2幕：渡口", True),
        ("第十章", True),
        ("Scene 2 was never played here.", False),
        ("第三章我还没看。", False),
    ],
)
def test_a_numbered_scene_begins_one_and_a_sentence_does_not(heading: str, begins: bool, tmp_path: Path) -> None:
    script = f"Mira: The bell is gone.\nTam: And the boat?\n{heading}\nMira: It lies at the ferry.\nTam: Then we row.\n"
    records = {record.text: record for record in converted(tmp_path, script, "Mira").records}
    after = records["It lies at the ferry."]
    assert (after.prompt, bool(after.context)) == ((heading, False) if begins else ("", True))


YARN = """title: Start
tags: shop
---
// the first visit
Juno: You are back. #line:0a1b2c #happy
Mira: I never left. #line:0a1b2d // too harsh?
<<if $late>>
Mira: And it is late. #line:0a1b2e
<<else>>
Mira: And it is early. #line:0a1b2f
<<endif>>
-> Stay a while
    Mira: Then sit. #line:0a1b30
-> Leave
    Mira: Then go. #line:0a1b31
Mira: As you like. #line:0a1b32
===
"""


def test_a_line_of_yarn_has_neither_its_tags_nor_the_lines_of_another_branch(tmp_path: Path) -> None:
    conversion = converted(tmp_path, YARN, "Mira", "shop.yarn")
    assert [(record.prompt, record.text) for record in conversion.records] == [
        ("Start", "I never left."),
        ("Start", "And it is late."),
        ("Start", "And it is early."),
        ("Start", "Then sit."),
        ("Start", "Then go."),
        ("Start", "As you like."),
    ]
    assert conversion.records[0].context == (Turn("Juno", "You are back."),)
    assert all(record.context == () for record in conversion.records[1:])
    assert reasons(conversion)["-> Stay a while"] == "a menu's choice"


def test_what_is_told_of_an_inner_voice_is_no_line(tmp_path: Path) -> None:
    script = "林渡：谁在敲门？\n阿圆：是我呀。\n林渡内心一沉。\n阿圆：开门。\n林渡独白很长。\n林渡：进来坐一会儿。\n"
    assert lines_of(tmp_path, script) == ["谁在敲门？", "进来坐一会儿。"]


def test_a_number_that_belongs_to_a_name_stays(tmp_path: Path) -> None:
    script = "法官：天亮了。\n3 号玩家：昨晚很吵。\n5 号玩家：我没听见。\n3 号玩家：你在装睡吧。\n5 号玩家：没有。\n"
    assert lines_of(tmp_path, script, "3 号玩家") == ["昨晚很吵。", "你在装睡吧。"]


@pytest.mark.parametrize("said", ["Roses are red // violets are blue.", "先打一针（皮下注射），再睡。"])
def test_what_only_looks_like_an_aside_is_said(said: str, tmp_path: Path) -> None:
    assert lines_of(tmp_path, f"林渡：{said}\n阿圆：好。\n林渡：走吧。\n")[0] == said


@pytest.mark.parametrize("remark", ["【批注[编辑A]：这里太快？】", "【備註：待改】", "【Author's note: too fast?】"])
def test_a_remark_in_brackets_is_no_title_of_a_scene(remark: str, tmp_path: Path) -> None:
    script = f"林渡：会修打印机吗？\n阿圆：会一点。\n{remark}\n林渡：那明天来上班。\n阿圆：好呀。\n"
    conversion = converted(tmp_path, script)
    assert [record.prompt for record in conversion.records] == ["", ""]
    assert conversion.records[1].context[-1] == Turn("阿圆", "会一点。")
    assert remark in reasons(conversion)


@pytest.mark.parametrize("heading", ["■林渡（CV：安）", "■林渡 (CV: Ann)", "林渡（声优：安）"])
def test_who_plays_somebody_is_nobodys_line(heading: str, tmp_path: Path) -> None:
    script = f"{heading}\n\n林渡：会修打印机吗？\n阿圆：会一点。\n林渡：那明天来上班。\n"
    conversion = converted(tmp_path, script)
    assert conversion.near_names == {}
    assert [record.text for record in conversion.records] == ["会修打印机吗？", "那明天来上班。"]
