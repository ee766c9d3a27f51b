"""Which values of a profile's labels, and which clauses of a line about somebody, are facts."""

from __future__ import annotations

import logging

import pytest

from pipeline.augmentation.extraction import extract_facts
from pipeline.augmentation.passage_facts import passage_facts
from pipeline.augmentation.questions import language_rules
from pipeline.conversations.persona import Language, make_persona
from pipeline.records.record import Record


def answers(passage: str, language: Language = "zh", name: str = "许映雪") -> list[str]:
    return [fact.answer for fact in extract_facts(passage, name, language, title=name)]


@pytest.mark.parametrize(
    "line",
    [
        "生日：未定",
        "讨厌：待补",
        "讨厌：待补充",
        "籍贯：不详，师父捡的",
        "武器：无（以前有一把伞）",
        "身高：保密！",
        "年龄：18（暂定）",
        "年龄：19（第一卷）→22（第二卷）",
        "身份：表面是掌柜，实际是公主",
        "阵营：中立善良",
        "喜欢：TBD",
        "喜欢：N/A",
        "出身：unknown",
        "种族：？？？",
        "職業：待補",
        "生日：不詳",
    ],
)
def test_a_value_that_says_nothing_sure_is_no_fact(line: str) -> None:
    assert answers(line) == []


@pytest.mark.parametrize(
    "line",
    ["Birthday: TBD", "Age: 19 -> 22", "Likes: rain (won't admit)", "Hair: see Look", "Job: unknown, for now"],
)
def test_an_english_value_that_says_nothing_sure_is_no_fact(line: str) -> None:
    assert answers(line, "en", "Mira") == []


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("职业：无业游民", "我的职业是无业游民。"),
        ("发色：黑", "我的头发是黑色的。"),
        ("发色：银白", "我的头发是银白色的。"),
        ("髮色：銀白", "我的頭髮是銀白色的。"),
        ("发色：深棕色", "我的头发是深棕色的。"),
        ("发型：双马尾", "我的头发是双马尾。"),
        ("瞳色：琥珀色", "我的眼睛是琥珀色的。"),
        ("阵营：雾港议会", "我隶属于雾港议会。"),
        ("誕生日：3月9日", "我的生日是3月9日。"),
        ("寵物：逗點（橘貓）", "我的寵物是逗點（橘貓）。"),
    ],
)
def test_a_value_is_said_as_chinese_says_it(line: str, answer: str) -> None:
    assert answers(line) == [answer]


LISTS: list[tuple[str, list[str]]] = [
    ("年龄：31\n（第三版）\n武器：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年龄：31\n她在雾港画海图。\n武器：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年龄：31\n许映雪向来守时。\n武器：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年龄：31\n体重：\n武器：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年龄：31\n惯用称呼\t许先生\n武器\t铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年龄：31\n惯用称呼　　许先生\n武器　　铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("> [!note]+ 速览\n> **年龄**：31\n> **武器**：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("╭┈┈╮\n人　设　卡\n╰┈┈╯\n年龄：31\n武器：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年龄：31\n速览\n武器：铁伞", ["我今年31岁。", "我的武器是铁伞。"]),
    ("年齡：31\n（第三版）\n武器：鐵傘", ["我今年31歲。", "我的武器是鐵傘。"]),
    ("喜欢：雨声、\n旧海图、茶\n武器：铁伞", ["我喜欢雨声、旧海图、茶。", "我的武器是铁伞。"]),
    ("喜欢：雨声、\n武器：铁伞", ["我喜欢雨声。", "我的武器是铁伞。"]),
    ("爱好：画海图 修伞 喝茶", ["我的爱好是画海图、修伞、喝茶。"]),
    # Of others, or nobody knows whose.
    ("年龄：31\n她收了一个徒弟。\n武器：匕首", ["我今年31岁。"]),
    ("年龄：31\n方河\n武器：匕首", ["我今年31岁。"]),
    ("年龄：31\n方河：\n武器：匕首", ["我今年31岁。"]),
    ("年龄：31\n（下面是旧稿）\n武器：匕首\n年龄：12", ["我今年31岁。"]),
]


@pytest.mark.parametrize(("passage", "stated"), LISTS)
def test_a_list_goes_on_behind_a_line_that_states_nothing(passage: str, stated: list[str]) -> None:
    assert answers(passage) == stated


@pytest.mark.parametrize(
    ("passage", "stated"),
    [
        ("Age: 27\n(second draft)\nWeapon: a boathook", ["I am 27 years old.", "My weapon is a boathook."]),
        ("Age: 27\nMira keeps the light.\nWeapon: a boathook", ["I am 27 years old.", "My weapon is a boathook."]),
        ("Age: 27\nWeight:\nWeapon: a boathook", ["I am 27 years old.", "My weapon is a boathook."]),
        ("Age: 27\nOwes\tsix crowns\nWeapon\ta boathook", ["I am 27 years old.", "My weapon is a boathook."]),
        ("Likes: rain,\neels, old maps", ["I like rain, eels and old maps."]),
        ("Age: 27\nShe has a brother.\nWeapon: an axe", ["I am 27 years old."]),
        ("Age: 27\nTam\nWeapon: an axe", ["I am 27 years old."]),
    ],
)
def test_an_english_list_goes_on_behind_a_line_that_states_nothing(passage: str, stated: list[str]) -> None:
    assert answers(passage, "en", "Mira") == stated


@pytest.mark.parametrize(
    ("line", "answer", "language"),
    [
        ("身高(cm)：165", "我的身高是165cm。", "zh"),
        ("身高（cm）：165", "我的身高是165cm。", "zh"),
        ("身高/cm：165", "我的身高是165cm。", "zh"),
        ("身高cm：165", "我的身高是165cm。", "zh"),
        ("体重（公斤）：52", "我的体重是52公斤。", "zh"),
        ("體重（kg）：52", "我的體重是52kg。", "zh"),
        ("年龄（岁）：31", "我今年31岁。", "zh"),
        ("| 身高(cm) | 165 |", "我的身高是165cm。", "zh"),
        ("身高(cm)：165cm", "我的身高是165cm。", "zh"),
        ("Height (cm): 165", "My height is 165 cm.", "en"),
        ("Height (in cm): 165", "My height is 165 cm.", "en"),
        ("Weight (lbs): 120", "My weight is 120 lbs.", "en"),
        ("Age (years): 27", "I am 27 years old.", "en"),
    ],
)
def test_a_label_may_have_the_unit_of_its_value(line: str, answer: str, language: Language) -> None:
    name = "Mira" if language == "en" else "许映雪"
    assert answers(line, language, name) == [answer]


def test_a_label_in_brackets_that_are_no_unit_is_another_label() -> None:
    assert answers("年龄（外表）：17\n武器：铁伞") == ["我的武器是铁伞。"]


DOUBTFUL = [
    "武器：见决战篇",
    "讨厌：详见第三章",
    "讨厌：参见附录",
    "年龄：31（上周改33）",
    "弱点：怕猫（不承认）",
    "发色：#1C1C1C",
    "血型：O？",
    "星座：双鱼（大概）",
    "国籍：雾港（存疑）",
    "喜欢：方河（误）",
    "年龄：17岁（外表）",
    "住址：花莲（第九章前）",
    "职业：船医（第二卷开始）",
    "身高：方河180，许映雪165",
    "身高：方河180，她165",
    "身高：比方河矮一个头",
    "生日：和方河同一天",
    "生日：她自己也忘了",
    "职业：她师父是船医，她也是",
    "职业：学徒（明）／密探（暗）",
    "口头禅：方河常说“潮水退了”",
    "住址：许映雪的画室",
]


@pytest.mark.parametrize("line", DOUBTFUL)
def test_a_value_that_is_elsewhere_in_doubt_or_about_several_people_is_no_fact(line: str) -> None:
    assert answers(f"{line}\n种族：人类") == ["我的种族是人类。"]


@pytest.mark.parametrize(
    "line",
    [
        "Age: 27 (now 29)",
        "Age: 17 (physically)",
        "Home: Saltmere (until ch. 9)",
        "Hair: #1c1c1c",
        "Species: human?",
        "Height: Tam 180, Mira 165",
        "Residence: Mira's own workshop",
        "Birthday: same day as Tam",
        "Birthday: she forgot",
        "Home: as above",
        "Gender: woman (probably)",
        'Catchphrase: Tam says "tide is out"',
    ],
)
def test_an_english_value_in_doubt_or_about_several_people_is_no_fact(line: str) -> None:
    assert answers(f"{line}\nNationality: Saltish", "en", "Mira") == ["My nationality is Saltish."]


@pytest.mark.parametrize(
    ("line", "answer", "language"),
    [
        ("职业：船医（前海盗，第三章揭晓）", "我的职业是船医。", "zh"),
        ("家乡：花莲（详见地图）", "我的家乡是花莲。", "zh"),
        ("武器：铁伞（方河用的是匕首）", "我的武器是铁伞。", "zh"),
        ("发色：银白（#EEEEEE）", "我的头发是银白色的。", "zh"),
        ("身高：165cm（穿木屐）", "我的身高是165cm（穿木屐）。", "zh"),
        ("年龄：31（外表17）", "我今年31岁。", "zh"),
        ("年龄：31（原29）", "我今年31岁。", "zh"),
        ("Age: 27 (was 25 in draft 1)", "I am 27 years old.", "en"),
        ("身高：约165", "我的身高是约165。", "zh"),
        ("身高：一米六五", "我的身高是一米六五。", "zh"),
        ("职业：见习船医", "我的职业是见习船医。", "zh"),
        ("口头禅：“潮水退了？”（对谁都说）", "我的口头禅是“潮水退了？”。", "zh"),
        ("口头禅：你说呢？", "我的口头禅是“你说呢？”。", "zh"),
        ("Home: Saltmere (see the map)", "I live in Saltmere.", "en"),
        ("Species: human (revealed in chapter 9)", "My species is human.", "en"),
        ("Catchphrase: Who are you?", "My catchphrase is “Who are you?”", "en"),
    ],
)
def test_what_its_author_noted_beside_a_value_is_no_part_of_it(line: str, answer: str, language: Language) -> None:
    name = "Mira" if language == "en" else "许映雪"
    assert answers(line, language, name) == [answer]


@pytest.mark.parametrize(
    ("passage", "language"),
    [
        ("许映雪今年不上船，出生在花莲\n城外的渔村。", "zh"),
        ("许映雪守着灯塔，也画海图，出生在花莲\n城外的渔村。她住在\n北堤。", "zh"),
        ("Mira was born in Salt\nHarbour.", "en"),
    ],
)
def test_what_a_lines_end_cuts_off_is_no_fact(passage: str, language: Language) -> None:
    name = "Mira" if language == "en" else "许映雪"
    assert "出生" not in "".join(found := answers(passage, language, name))
    assert "born" not in "".join(found)


@pytest.mark.parametrize("char", ["（", "(", "\t", " ", "　", "、", "：", "年龄", "身高(", "?", "”", ".", "> ", "[!"])
def test_a_list_of_odd_lines_is_read_in_no_time(char: str) -> None:
    odd = f"{char * 5000}\n喜欢{char * 5000}雨\n喜欢：{char * 5000}\n{char * 5000}：{char * 5000}x\n"
    odd += f"{char}\n" * 5000
    assert answers(f"年龄：31\n{odd}")[:1] == ["我今年31岁。"]


LABELS = [
    ("性格：嘴硬心软、慢热", "我的性格是嘴硬心软、慢热。", "zh"),
    ("禁忌：姜、迟到", "我的禁忌是姜、迟到。", "zh"),
    ("弱点：怕打雷", "我的弱点是怕打雷。", "zh"),
    ("惯用手：左", "我惯用左手。", "zh"),
    ("惯用手：右手", "我惯用右手。", "zh"),
    ("惯用手：左撇子", "我是左撇子。", "zh"),
    ("母校：花莲女中", "我毕业于花莲女中。", "zh"),
    ("别号：雪先生", "我的别号是雪先生。", "zh"),
    ("父亲：许望山，船夫", "我的父亲是许望山。", "zh"),
    ("師父：顧青", "我的師父是顧青。", "zh"),
    ("搭档：方河（警员）", "我的搭档是方河。", "zh"),
    ("座右铭：潮水会退，你呢？", "我的座右铭是“潮水会退，你呢？”。", "zh"),
    ("Personality: calm, stubborn", "I would call myself calm and stubborn.", "en"),
    ("Weakness: salted eel", "My weakness is salted eel.", "en"),
    ("Dominant hand: left", "I am left-handed.", "en"),
    ("Skills: rowing, knots", "I am good at rowing and knots.", "en"),
    ("Education: Harrow School", "I studied at Harrow School.", "en"),
    ("Mother: Ines Vell, a weaver", "My mother is Ines Vell.", "en"),
    ("Pets: a goat", "I have a goat.", "en"),
    ("Motto: Why not?", "My motto is “Why not?”", "en"),
]


@pytest.mark.parametrize(("line", "answer", "language"), LABELS)
def test_what_many_profiles_have_is_a_fact(line: str, answer: str, language: Language) -> None:
    name = "Mira" if language == "en" else "许映雪"
    assert answers(line, language, name) == [answer]


@pytest.mark.parametrize(
    ("lines", "language"),
    [
        ("父亲：早逝", "zh"),
        ("师父：不详", "zh"),
        ("父亲：\n年龄：60\n职业：船夫", "zh"),
        ("父亲：许望山，年龄：60", "zh"),
        ("禁忌：别人碰她的伞", "zh"),
        ("性格：看似冷淡，其实心软", "zh"),
        ("Mother: deceased", "en"),
        ("Father: Tam Vell (deceased)", "en"),
        ("Education: High school diploma", "en"),
        ("Skills: can fly", "en"),
        ("Father:\nAge: 60\nJob: boatman", "en"),
        ("Skills: she rows", "en"),
    ],
)
def test_what_is_said_of_relatives_or_as_a_sentence_is_no_fact(lines: str, language: Language) -> None:
    assert answers(lines, language, "Mira" if language == "en" else "许映雪") == []


CLAUSES = [
    ("她是左撇子，解剖时用右手。", ["我是左撇子。"]),
    ("许映雪擅长修伞。", ["我擅长修伞。"]),
    ("许映雪毕业于花莲女中。", ["我毕业于花莲女中。"]),
    ("许映雪会弹古琴。", ["我会弹古琴。"]),
    ("许映雪怕打雷。", ["我怕打雷。"]),
    ("許映雪怕打雷。", ["我怕打雷。"]),
    ("许映雪养了一只玳瑁猫。", ["我养了一只玳瑁猫。"]),
    ("许映雪的武器是一把铁伞。", ["我的武器是一把铁伞。"]),
    ("许映雪最好的朋友是方河。", ["我最好的朋友是方河。"]),
    ("女，31岁，雾港船医。身高165。左眉有一道疤。她是左撇子。",
     ["我的性别是女。", "我今年31岁。", "我的身高是165。", "我是左撇子。"]),
    # Of others, of another time, or no statement.
    ("方河是船夫。她是左撇子。", []),
    ("母亲早逝。她是左撇子。", []),
    ("许映雪怕是来不了。", []),
    ("许映雪会说起从前的事。", []),
    ("许映雪会拉着她的手。", []),
    ("许映雪怕他生气。", []),
    ("许映雪以前擅长修伞。", []),
]  # fmt: skip


@pytest.mark.parametrize(("passage", "stated"), CLAUSES)
def test_what_is_often_said_of_somebody_in_a_sentence_is_a_fact(passage: str, stated: list[str]) -> None:
    assert answers(passage, name="許映雪" if "許" in passage else "许映雪") == stated


@pytest.mark.parametrize(
    ("passage", "stated"),
    [
        ("She is left-handed.", ["I am left-handed."]),
        ("Mira is good at knots.", ["I am good at knots."]),
        ("Mira plays the fiddle.", ["I play the fiddle."]),
        ("Mira studied at Harrow College.", ["I studied at Harrow College."]),
        ("Mira has an old tabby cat.", ["I have an old tabby cat."]),
        ("Her weapon is a boathook.", ["My weapon is a boathook."]),
        ("Mira's best friend is Tam.", ["My best friend is Tam."]),
        ("Tam is a boatman. She is left-handed.", []),
        ("Her mother is left-handed. She is fifty.", []),
        ("Mira is good at nothing.", []),
    ],
)
def test_what_is_often_said_of_somebody_in_an_english_sentence_is_a_fact(passage: str, stated: list[str]) -> None:
    assert answers(passage, "en", "Mira") == stated


def test_a_line_about_somebody_states_what_it_lists() -> None:
    line = "许映雪，女，31岁，美术生，生日3月9日，身高165cm，双鱼座，B型血。住在花莲。喜欢画海图和猫，讨厌热闹。"
    assert answers(line) == [
        "我的性别是女。",
        "我今年31岁。",
        "我的生日是3月9日。",
        "我的身高是165cm。",
        "我的星座是双鱼座。",
        "我的血型是B型。",
        "我住在花莲。",
        "我喜欢画海图和猫。",
        "我讨厌热闹。",
    ]


@pytest.mark.parametrize(
    ("line", "stated"),
    [
        ("许映雪，女，31岁。父亲是船夫，喜欢喝酒。讨厌热闹。", ["我的性别是女。", "我今年31岁。"]),
        ("许映雪出生在花莲，七岁，父母双亡。", ["我出生在花莲。"]),
        ("许映雪的妹妹，9岁，喜欢画画。", []),
        ("许映雪喜欢海。讨厌热闹的人走了。", ["我喜欢海。"]),
    ],
)
def test_what_may_be_somebody_elses_or_of_another_time_is_no_fact(line: str, stated: list[str]) -> None:
    assert answers(line) == stated


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("Favourite colour: green, like the booth", "My favourite colour is green, like the booth."),
        ("Birthday: Oct 13 🎂", "My birthday is Oct 13."),
        ("Likes: rain, eels", "I like rain and eels."),
    ],
)
def test_an_english_value_is_said_as_it_stands(line: str, answer: str) -> None:
    assert answers(line, "en", "Mira") == [answer]


def test_a_number_among_things_is_none_of_them() -> None:
    assert answers("Role: owner, 46", "en", "Mira") == []


def test_of_two_ages_in_two_passages_neither_is_taught(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []
    monkeypatch.setattr(
        logging.getLogger("pipeline.augmentation.passage_facts"), "warning", lambda *say: warned.append(say[1])
    )
    texts = ["Mira is thirty years old.", "Age: 34\nHome: Saltmere", "Age: 46", "Home: Saltmere"]
    passages = [
        Record(f"{n}", "background", "Mira", text, (), "Mira", "a.md", "a section") for n, text in enumerate(texts)
    ]
    made = passage_facts(passages, make_persona("Mira", "en", {}), language_rules("en"))
    assert "46" not in " ".join(record.text for record in made)
    assert "34" not in " ".join(record.text for record in made)
    assert "I live in Saltmere." in [record.text for record in made]
    assert warned == ["How old are you?"]
