"""Profiles in the forms people write them in: whose each part is, and what of it is kept."""

from pathlib import Path

import pytest

from pipeline.augmentation.passage_facts import passage_facts
from pipeline.augmentation.questions import language_rules
from pipeline.conversations.persona import make_persona
from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion


def converted(folder: Path, text: str, character: str = "许映雪", name: str = "设定.txt") -> Conversion:
    (folder / name).write_text(text, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def passages(conversion: Conversion) -> str:
    return "\n".join(one.text for one in conversion.records if one.kind == "background")


FORMS = [
    "【姓名】许映雪\n【性别】女\n【年龄】三十一\n【武器】铁伞\n",
    "姓名丨许映雪\n年龄丨三十一\n武器丨铁伞\n",
    "姓名｜许映雪\n年龄｜三十一\n武器｜铁伞\n",
    "姓名　　许映雪\n年龄　　三十一\n武器　　铁伞\n",
    "姓名  许映雪\n年龄  三十一\n武器  铁伞\n",
    "■ 姓名　许映雪\n■ 年龄　三十一\n■ 武器　铁伞\n",
    "■ 姓名：许映雪\n■ 年龄：三十一\n■ 武器：铁伞\n",
    "◆姓　名：许映雪\n◆年　龄：三十一\n◆武　器：铁伞\n",
    "许映雪\n————————\n年龄丨三十一\n武器丨铁伞\n",
    "一、许映雪\n年龄：三十一\n武器：铁伞\n",
    "女主：许映雪\n年龄：三十一\n武器：铁伞\n",
    "## 女主：许映雪\n年龄：三十一\n武器：铁伞\n",
    "【女主·许映雪】\n年龄：三十一\n武器：铁伞\n",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_profile_is_labels_in_whatever_dress(form: str, tmp_path: Path) -> None:
    said = passages(converted(tmp_path, form))
    assert "年龄：三十一\n武器：铁伞" in said


TRADITIONAL = "許映雪\n年齡：31歲\n出身：基隆\n"


@pytest.mark.parametrize("more", ["", "\n許映山\n年齡：28歲\n出身：花蓮\n", "\n許映山\n\n年齡：28歲\n出身：花蓮\n"])
def test_a_name_above_traditional_labels_is_whose_they_are(more: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, TRADITIONAL + more, "許映雪")
    assert [(one.prompt, one.text) for one in conversion.records] == [("許映雪", "年齡：31歲\n出身：基隆")]


HERS, HIS = "年龄：31\n职业：制图员\n", "年龄：40\n职业：船夫\n讨厌：热闹\n"
SEVERAL = [
    "姓名：{one}\n{a}\n姓名：{other}\n{b}",
    "【女主】\n姓名：{one}\n{a}\n【男主】\n姓名：{other}\n{b}",
    "设定卡\n\n姓名：{one}\n{a}\n————————\n姓名：{other}\n{b}",
    "一、{one}\n{a}\n二、{other}\n{b}",
    "女主：{one}\n{a}\n男主：{other}\n{b}",
    "# 人物\n\n## 女主：{one}\n{a}\n## 男主：{other}\n{b}",
    "【女主·{one}】\n{a}\n【男主·{other}】\n{b}",
    "## {one}\n{a}\n## {other}\n{b}",
    "■ 姓名：{one}\n{a}\n■ 姓名：{other}\n{b}",
]


@pytest.mark.parametrize("first", [True, False], ids=["hers first", "hers second"])
@pytest.mark.parametrize("form", SEVERAL)
def test_of_several_peoples_profiles_only_her_part_is_her_background(form: str, first: bool, tmp_path: Path) -> None:
    text = (
        form.format(one="许映雪", other="方河", a=HERS, b=HIS)
        if first
        else form.format(one="方河", other="许映雪", a=HIS, b=HERS)
    )
    said = passages(converted(tmp_path, text))
    assert "31" in said
    assert "40" not in said
    assert "方河" not in said


def test_what_is_about_others_is_left_out_with_its_reason(tmp_path: Path) -> None:
    conversion = converted(tmp_path, SEVERAL[0].format(one="许映雪", other="方河", a=HERS, b=HIS))
    reasons = [(reject.reason, reject.text.splitlines()[0]) for reject in conversion.rejects]
    assert reasons == [("a section about somebody or something else", "姓名：方河")]


def test_what_stands_under_others_headings_is_left_out_with_its_reason(tmp_path: Path) -> None:
    conversion = converted(
        tmp_path,
        "# 人物\n## 方河\n船夫，话少，爱喝酒。\n## 许映雪\n她在雾港画海图。\n## 世界观\n终年大雾，没有夏天。\n",
    )
    assert passages(conversion) == "她在雾港画海图。"
    assert [reject.text for reject in conversion.rejects] == ["船夫，话少，爱喝酒。", "终年大雾，没有夏天。"]


def test_the_sections_of_her_own_profile_are_hers_until_another_persons(tmp_path: Path) -> None:
    text = (
        "【基本信息】\n姓名：许映雪\n年龄：31\n【性格】\n嘴硬心软，怕打雷。\n【世界观】\n雾港终年大雾，没有夏天。\n"
        "【基本信息】\n姓名：方河\n年龄：40\n【性格】\n话少，爱喝酒，爱打趣。\n"
    )
    conversion = converted(tmp_path, text)
    assert [one.prompt for one in conversion.records] == ["基本信息", "性格"]
    assert "打雷" in passages(conversion)


def test_a_heading_without_a_mark_in_her_own_profile_takes_nothing_from_it(tmp_path: Path) -> None:
    text = "许映雪\n\n年龄：31\n职业：制图员\n\n外貌特征\n发色：银白\n\n战斗数据\n武器：铁伞\n"
    said = passages(converted(tmp_path, text))
    assert all(word in said for word in ("31", "银白", "铁伞"))


@pytest.mark.parametrize(
    ("name", "character"),
    [
        ("人设卡-许映雪.txt", "许映雪"),
        ("许映雪(萌百源码).txt", "许映雪"),
        ("许映雪_设定v2.md", "许映雪"),
        ("Mira Vale profile.txt", "Mira Vale"),
        ("character-sheet_mira-vale.md", "Mira Vale"),
    ],
)
def test_a_files_name_may_have_words_for_a_page_beside_the_characters(
    name: str, character: str, tmp_path: Path
) -> None:
    assert converted(tmp_path, "She mends bells on the quay.", character, name).records


@pytest.mark.parametrize("name", ["许映雪与方河的故事.txt", "Mira Valentine profile.txt", "notes on tam.txt"])
def test_a_files_name_with_other_words_is_none_of_hers(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError):
        converted(tmp_path, "She mends bells on the quay.", "许映雪" if "许" in name else "Mira Vale", name)


def test_a_note_about_the_player_and_a_sites_footer_are_not_taught(tmp_path: Path) -> None:
    text = "姓名：许映雪\n年龄：31\n皮下：小鹿，18，高三\n\n她在雾港画海图。\n"
    text += "編輯於 2023-05-01\n赞同 1.2 万 · 3 条评论\nGP 52\n"
    conversion = converted(tmp_path, text)
    assert passages(conversion) == "姓名：许映雪\n年龄：31\n她在雾港画海图。"
    assert {reject.reason for reject in conversion.rejects} == {"about the player", "a site's line below a post"}


def test_labels_of_ones_own_and_ornaments_are_read_as_what_they_are(tmp_path: Path) -> None:
    text = "╭┈┈┈┈╮\n姓名丨许映雪\n年龄丨31\n佩伞丨霜降\n╰┈┈┈┈╯\n■ 身高/体重　165cm/52kg\n【备注】慢回，请勿ooc\n"
    conversion = converted(tmp_path, text)
    assert passages(conversion) == "姓名：许映雪\n年龄：31\n佩伞：霜降\n身高/体重：165cm/52kg"
    assert [reject.reason for reject in conversion.rejects] == ["about the player"]


def test_a_label_below_her_lines_is_none_of_them(tmp_path: Path) -> None:
    text = "【姓名】许映雪\n【年龄】31\n【语录】\n“潮水退了，走吧。”\n【备注】这是第三版设定，请多指教。\n"
    records = converted(tmp_path, text).records
    assert [one.text for one in records if one.kind == "dialogue"] == ["潮水退了，走吧。"]


def test_a_script_with_a_head_of_labels_stays_a_script(tmp_path: Path) -> None:
    text = "姓名：许映雪\n\n许映雪：潮水退了。\n方河：还早。\n许映雪：那就再等等吧。\n"
    assert [one.text for one in converted(tmp_path, text).records] == ["潮水退了。", "那就再等等吧。"]


@pytest.mark.parametrize("char", ["　", " ", "姓", "■", "【", "一、", "…", ".", "—", "女主：", "(", "|"])
def test_a_profile_of_odd_lines_is_read_in_no_time(char: str, tmp_path: Path) -> None:
    odd = f"{char * 5000}\n姓名{char * 5000}许\n{char * 5000}：{char * 5000}"
    labels = "姓名：许映雪\n年龄：31\n职业：制图员\n身高：165\n武器：铁伞\n"
    assert converted(tmp_path, f"{labels}\n## 备注\n{odd}\n").records


def test_a_script_below_a_profile_is_a_script(tmp_path: Path) -> None:
    text = (
        "姓名：许映雪\n年龄：31\n职业：船医\n\n许映雪：把药喝了。\n方河：太苦。\n许映雪：苦才有用。\n方河：知道了。\n"
    )
    said = [one.text for one in converted(tmp_path, text).records if one.kind == "dialogue"]
    assert said == ["把药喝了。", "苦才有用。"]


OF_THE_FILE = [
    "角色ID：2007",
    "负责人：小顾",
    "備註：第二版已改年齡",
    "备注：年龄原29，上周改31",
    "状态：二稿",
    "声优：山下叶子",
    "版本：v0.3",
    "Character ID: 2007",
    "Artist: someone_else",
    "Assignee: someone_else",
    "Status: WIP",
    "Last updated: May 3",
    "Voiced by: A. Person",
]


@pytest.mark.parametrize("line", OF_THE_FILE)
def test_what_is_about_the_profile_itself_is_no_background(line: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"姓名：许映雪\n{line}\n年龄：31\n职业：船医\n武器：铁伞\n")
    assert passages(conversion) == "姓名：许映雪\n年龄：31\n职业：船医\n武器：铁伞"
    assert [reject.reason for reject in conversion.rejects] == ["about the profile, and not the character"]


@pytest.mark.parametrize(
    "line", ["备注：左手有一道疤", "状态：失踪多年", "编号：七号实验体", "Note: sleeps by day", "Status: alive"]
)
def test_a_remark_about_her_stays(line: str, tmp_path: Path) -> None:
    assert line in passages(converted(tmp_path, f"姓名：许映雪\n年龄：31\n职业：船医\n武器：铁伞\n{line}\n"))


@pytest.mark.parametrize(
    "line", ["禁忌：不接百合/不接ooc/不接瞬移", "雷点：不接r18，", "Rules: no godmodding, minors DNI"]
)
def test_the_players_rules_are_not_hers(line: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"姓名：许映雪\n年龄：31\n职业：船医\n武器：铁伞\n{line}\n")
    assert passages(conversion) == "姓名：许映雪\n年龄：31\n职业：船医\n武器：铁伞"
    assert [reject.reason for reject in conversion.rejects] == ["about the player"]


def test_a_table_of_people_has_no_columns_about_itself(tmp_path: Path) -> None:
    text = "角色ID,姓名,年龄,职业,负责人,备注\n7,许映雪,31,船医,小顾,年龄原29改31\n8,方河,40,船夫,小顾,怕水\n"
    assert passages(converted(tmp_path, text, name="人设.csv")) == "年龄：31\n职业：船医"
    assert passages(converted(tmp_path, text, "方河", "人设.csv")) == "年龄：40\n职业：船夫\n备注：怕水"


def test_a_drafts_status_in_front_matter_is_no_background(tmp_path: Path) -> None:
    text = "---\naliases: [小雪]\nstatus: 三稿\n---\n# 许映雪\n- 年龄：31\n- 职业：船医\n"
    assert "三稿" not in passages(converted(tmp_path, text, name="许映雪.md"))


ABOVE_A_SCRIPT = [
    ("姓名：许映雪\n年龄：31\n职业：船医\n\n台词：\n", "设定.txt", "姓名：许映雪\n年龄：31\n职业：船医"),
    ("【基本资料】\n姓名：许映雪\n年龄：31\n————\n【语录】\n", "设定.txt", "姓名：许映雪\n年龄：31"),
    (
        "# 许映雪\n年龄：31\n小时候的事：落过水\n身高：165\n\n# 第一章\n",
        "设定.md",
        "年龄：31\n小时候的事：落过水\n身高：165",
    ),
    ("年龄：31\n职业：船医\n\n", "许映雪.txt", "年龄：31\n职业：船医"),
    ("姓名：許映雪\n年齡：31\n\n", "設定.txt", "姓名：許映雪\n年齡：31"),
]
SAID = "{name}：把药喝了。\n方河：这药太苦。\n{name}：苦才有用。\n方河：我知道了。\n"


@pytest.mark.parametrize(("above", "file", "said"), ABOVE_A_SCRIPT)
def test_a_profile_above_a_script_is_her_background(above: str, file: str, said: str, tmp_path: Path) -> None:
    name = "許映雪" if "許" in above else "许映雪"
    conversion = converted(tmp_path, above + SAID.format(name=name), name, file)
    assert passages(conversion) == said
    lines = [one for one in conversion.records if one.kind == "dialogue"]
    assert [one.text for one in lines] == ["把药喝了。", "苦才有用。"]
    assert [turn.text for turn in lines[1].context] == ["把药喝了。", "这药太苦。"]
    assert lines[0].source.endswith(f":{(above + SAID).splitlines().index('{name}：把药喝了。') + 1}")
    assert {reject.reason for reject in conversion.rejects} == {"another speaker"}


def test_an_english_profile_above_a_script_is_her_background(tmp_path: Path) -> None:
    text = "Name: Mira\nAge: 27\nJob: ringer\n\nLines:\n\nMira: Sit down.\nTam: Why?\nMira: I said so.\nTam: Oh.\n"
    conversion = converted(tmp_path, text, "Mira", "sheet.txt")
    assert [one.text for one in conversion.records] == ["Name: Mira\nAge: 27\nJob: ringer", "Sit down.", "I said so."]


def test_two_peoples_profiles_above_a_script_are_each_their_own(tmp_path: Path) -> None:
    above = "姓名：许映雪\n年龄：31\n\n姓名：方河\n年龄：40\n\n正文\n"
    conversion = converted(tmp_path, above + SAID.format(name="许映雪"), "方河")
    assert passages(conversion) == "姓名：方河\n年龄：40"
    assert [one.text for one in conversion.records if one.kind == "dialogue"] == ["这药太苦。", "我知道了。"]
    assert "a section about somebody or something else" in {reject.reason for reject in conversion.rejects}


def test_somebody_elses_profile_above_a_script_is_nobodys_background(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "姓名：方河\n年龄：40\n\n" + SAID.format(name="许映雪"), "许映雪")
    assert [one.text for one in conversion.records] == ["把药喝了。", "苦才有用。"]


def test_a_profile_below_which_nobody_speaks_is_a_page(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "姓名：许映雪\n年龄：31\n职业：船医")
    assert [one.kind for one in conversion.records] == ["background"]
    with pytest.raises(UnderstudyError):
        converted(tmp_path, "姓名：许映雪\n年龄：31\n职业：船医", "方河")


def test_what_a_script_says_of_itself_is_no_profile(tmp_path: Path) -> None:
    text = (
        "Title: Low Tide\nStatus: complete\nRole: lead\n\nMira: Sit down.\nTam: But why?\nMira: I said so.\nTam: Oh.\n"
    )
    conversion = converted(tmp_path, text, "Mira", "mira.txt")
    assert [one.text for one in conversion.records] == ["Sit down.", "I said so."]


def test_a_heading_for_taboos_stays_a_heading(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "姓名：许映雪\n年龄：31\n武器：铁伞\n【禁忌】\n在她面前提起灯塔的人会被赶走。\n")
    assert [one.prompt for one in conversion.records] == ["背景", "禁忌"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("姓名：许映雪\n身高（cm）：165\n体重(kg)：52", "许映雪"),
        ("姓名：许映雪\n身高cm：165\n体重/kg：52", "许映雪"),
        ("姓名：許映雪\n身高（公分）：165\n體重（公斤）：52", "許映雪"),
        ("Name: Mira\nHeight (CM): 165\nWeight (in kg): 52", "Mira"),
    ],
)
def test_a_label_with_a_unit_is_a_profiles(text: str, name: str, tmp_path: Path) -> None:
    assert passages(converted(tmp_path, text, name, "sheet.txt")) == text


HABITS = "".join(f"她会做第{number}件小事，从来不在人前做。\n" for number in range(1, 9))


def test_a_short_profile_with_words_in_quotation_marks_is_no_story(tmp_path: Path) -> None:
    text = f"【许映雪】\n死于一场“意外”的船医。\n养了一只猫，叫“针尖”。\n口头禅：“潮水从不说谎。”\n{HABITS}"
    assert "针尖" in passages(converted(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        (f"【许映雪】\n她说：“走吧。”\n又说：“等等。”\n还说：“潮水退了。”\n{HABITS}", "give its parts headings"),
        ("“潮水退了。”\n“走吧，别等。”\n小满：“还早呢。”\n“那就再等等。”\n", "`## Quotes`"),
        ('"The tide is out."\n- "Come along."\n3. "We wait here."\n', "`## Quotes`"),
    ],
)
def test_what_is_no_story_and_no_list_of_hers_is_refused_with_what_helps(text: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=fix):
        converted(tmp_path, text, name="杂记.txt")


def test_of_a_cast_sheet_her_part_is_hers_and_who_plays_her_is_nobody(tmp_path: Path) -> None:
    text = (
        "■许映雪（CV：早川）\n雾港的船医。\n身高：158cm\n喜欢的东西：海图\n\n"
        "■方河（CV：宫野）\n雾港的船夫。\n身高：181cm\n喜欢的东西：热酒\n"
    )
    conversion = converted(tmp_path, text, name="角色介绍.txt")
    assert passages(conversion) == "雾港的船医。\n身高：158cm\n喜欢的东西：海图"
    assert [reject.reason for reject in conversion.rejects] == ["a section about somebody or something else"]


@pytest.mark.parametrize("title", ["MIRA - FACT SHEET v3", "# Mira Vale - notes", "Mira (notes)"])
@pytest.mark.parametrize("named", ["Age: 41\nBorn: Low Lane", "Full name: Miranda Vale\nAge: 41\nBorn: Low Lane"])
def test_a_title_with_words_for_a_page_is_no_line_and_says_whose_it_is(title: str, named: str, tmp_path: Path) -> None:
    """Her full name may be another than the one that she goes by, and does not make it somebody else's."""
    conversion = converted(tmp_path, f"{title}\n\n{named}\nTrade: ringer\n", "Mira", "s3.txt")
    assert passages(conversion) == f"{named}\nTrade: ringer"
    stated = passage_facts(conversion.records, make_persona("Mira", "en", {}), language_rules("en"))
    assert "I am 41 years old." in {record.text for record in stated}


def test_somebody_elses_full_name_is_not_the_characters(tmp_path: Path) -> None:
    text = "# Mira\nAge: 41\nTrade: ringer\n## Her brother\nFull name: Tam Vale\nAge: 30\nTrade: ferryman\n"
    assert passages(converted(tmp_path, text, "Mira", "all.md")) == "Age: 41\nTrade: ringer"


def test_what_is_still_to_do_makes_no_script_of_a_page_and_is_not_taught(tmp_path: Path) -> None:
    told = "Mira is the ringer of Lowdale. She lives in the tower, and rings for fog and fire.\n\n"
    conversion = converted(tmp_path, f"Mira - notes\n\n{told}TODO: what about the war\nTODO: her brother?\n", "Mira")
    assert passages(conversion) == told.strip()
    assert [reject.reason for reject in conversion.rejects] == ["about the profile, and not the character"] * 2


def test_a_known_label_may_have_a_dash_behind_it(tmp_path: Path) -> None:
    text = "Mira\n\nAge: 41\nBirthday - the second of May\nTrade: ringer\nHair - grey\n"
    records = converted(tmp_path, text, "Mira").records
    stated = passage_facts(records, make_persona("Mira", "en", {}), language_rules("en"))
    assert {"My birthday is the second of May.", "My hair is grey."} <= {record.text for record in stated}


@pytest.mark.parametrize("between", ["\n", "\n--- interview ---\n", "\n## Interview\n"])
def test_a_profile_above_questions_and_answers_is_a_passage(between: str, tmp_path: Path) -> None:
    asked = "q. what do you drink\na. Cold tea with pepper in it.\n\nq. who taught you?\na. My uncle Silas.\n"
    conversion = converted(tmp_path, f"Age: 41\nHair: grey\nHusband: Alf\n{between}{asked}", "Mira", "mira facts.txt")
    assert passages(conversion).startswith("Age: 41\nHair: grey\nHusband: Alf")
    answers = [record.text for record in conversion.records if record.kind == "setting_qa"]
    assert answers == ["Cold tea with pepper in it.", "My uncle Silas."]
