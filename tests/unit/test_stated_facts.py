"""What is taught of a passage is whole, an answer to its question, and taken from lists in any of their dresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.extraction import extract_facts
from pipeline.conversations.persona import Language

SU, MIRA = "苏晚晴", "Mira Vell"
SAYS_ZH = ["住在", "最怕", "讨厌", "喜欢", "来自", "出生在", "最爱吃", "的师父是", "是一位", "的生日是", "的眼睛是"]
SAYS_EN = [" hates", " loves", " fears", " lives in the", " is a", " repairs", "'s favourite food is", " was born in"]
CHINESE = st.text(
    st.sampled_from("雾港灯塔最东边那座废弃的地下室里听旧唱片给病人写药方时是了在红年月猫、"), min_size=2, max_size=45
)
WORDS = ["sea", "of", "the", "old", "bells", "and", "sings", "Harrow", "in", "with", "who", "rain", "to", "is", "her"]
ENGLISH = st.lists(st.sampled_from(WORDS), max_size=16)


def stated(passage: str, language: Language, title: str = "") -> list[tuple[str, str]]:
    facts = extract_facts(passage, SU if language == "zh" else MIRA, language, title=title)
    return [(fact.questions[0], fact.answer) for fact in facts]


def replies(passage: str, language: Language, title: str = "") -> list[str]:
    return [answer for _, answer in stated(passage, language, title)]


@given(st.sampled_from(SAYS_ZH), CHINESE, st.sampled_from(["。", "，", "；", "！", "\n", "\n\n", ""]))
def test_a_chinese_value_is_all_of_its_clause_or_none_of_it(says: str, rest: str, end: str) -> None:
    for fact in extract_facts(f"{SU}{says}{rest}{end}", SU, "zh"):
        assert f"{says}{rest}".endswith(fact.value)
        assert fact.value in fact.answer


@given(st.sampled_from(SAYS_EN), ENGLISH, st.sampled_from([".", "!", ", even at sea.", "\n\n", ""]))
def test_an_english_value_ends_where_its_clause_ends(says: str, words: list[str], end: str) -> None:
    clause = f"{says} {' '.join(words)}".rstrip()
    for fact in extract_facts(f"{MIRA}{clause}{end}", MIRA, "en"):
        after = clause.split(fact.value, 1)[1].strip()
        assert after.startswith(("and", "with her", "who", "in", "is", "to")) or not after
        assert not fact.value.endswith((" the", " of", " and", " with", " to"))


@given(st.lists(st.tuples(st.sampled_from([SU, "她", ""]), st.sampled_from(SAYS_ZH), CHINESE), max_size=5), st.data())
def test_every_value_stands_in_the_passage(clauses: list[tuple[str, str, str]], data: st.DataObject) -> None:
    ends = st.sampled_from(["，", "。", "；", "\n"])
    passage = "".join(f"{who}{says}{rest}{data.draw(ends)}" for who, says, rest in clauses)
    assert all(fact.value in passage for fact in extract_facts(passage, SU, "zh"))


@pytest.mark.parametrize(
    ("clause", "question", "answer"),
    [
        ("住在雾港最东边那座废弃灯塔的地下室里", "你住在哪里？", "我住在雾港最东边那座废弃灯塔的地下室里。"),
        ("最怕半夜里木头被火烧得噼啪作响的声音", "你最怕什么？", "我最怕半夜里木头被火烧得噼啪作响的声音。"),
        ("喜欢一边听旧唱片一边给病人写很长的药方", "你喜欢什么？", "我喜欢一边听旧唱片一边给病人写很长的药方。"),
        ("喜欢猫、狗和鱼", "你喜欢什么？", "我喜欢猫、狗和鱼。"),
        ("最怕被人抛弃", "你最怕什么？", "我最怕被人抛弃。"),
        ("喜欢诚实的人", "你喜欢什么？", "我喜欢诚实的人。"),
        ("最喜欢的颜色是青色", "你最喜欢的颜色是什么？", "我最喜欢的颜色是青色。"),
        ("最怕的是火", "你最怕什么？", "我最怕火。"),
        ("的师父是雾港人人敬重的顾老先生", "你的师父是谁？", "我的师父是雾港人人敬重的顾老先生。"),
        ("的师父叫顾清", "你的师父是谁？", "我的师父是顾清。"),
        ("出生在灯塔脚下", "你出生在哪里？", "我出生在灯塔脚下。"),
        ("来自雾港", "你来自哪里？", "我来自雾港。"),
        ("来自遥远的异国", "你来自哪里？", "我来自遥远的异国。"),
        ("生于1998年", "你是哪一年出生的？", "我出生于1998年。"),
        ("出生于1998年3月5日", "你是哪一年出生的？", "我出生于1998年3月5日。"),
        ("生于霜月初九", "你的生日是哪天？", "我的生日是霜月初九。"),
        ("的生日在冬至", "你的生日是哪天？", "我的生日是冬至。"),
        ("的眼睛是琥珀色的", "你的眼睛是什么样的？", "我的眼睛是琥珀色的。"),
        ("是一位在雾港行医的药师", "你是什么人？", "我是一位在雾港行医的药师。"),
        ("是个孤儿", "你是什么人？", "我是个孤儿。"),
        ("，人类，今年二十七岁", "你多大了？", "我今年二十七岁。"),
    ],
)
def test_a_chinese_clause_answers_what_it_says(clause: str, question: str, answer: str) -> None:
    assert stated(f"{SU}{clause}。", "zh") == [(question, answer)]
    assert stated(f"{SU}{clause}，门前有一棵树。", "zh") == [(question, answer)]


@pytest.mark.parametrize(
    "clause",
    [
        *("出生在战争年代", "出生在一个下雪的冬夜", "出生在一个医生家庭", "出生在学者世家", "来自一个渔民家庭"),
        *("住在青鸥号时捡到了阿九", "住在雾港三年", "住在雾港开药铺", "住在雾港很久了", "住在那里"),
        *("喜欢的人是林舟", "讨厌的人是陆知远", "喜欢读的书，后来烧了", "喜欢林舟已经很多年", "喜欢上了林舟"),
        *("喜欢这个名字", "喜欢你的回答", "讨厌下雨时出门", "喜欢吃好吃的有什么错", "喜欢雾港就行", "喜欢雾港……"),
        *("是一个人长大的", "是一个怎样的人", "是一位年轻的…奶奶", "的生日是在海上度过的", "的生日是最难熬的一天"),
        *("的母亲是十年前去世的", "的父亲是在海难里死的", "的哥哥叫醒了林舟", "的母亲是雾港人", "的头发是母亲剪的"),
        *("今年二十七岁的弟弟住在海边", "，据说住在雾港", "住在雾港，据说", "住在雾港吗？"),
    ],
)
def test_a_chinese_clause_that_answers_no_question_is_not_taught(clause: str) -> None:
    assert stated(f"{SU}{clause}。", "zh") == []


def test_what_somebody_says_or_supposes_is_not_taught() -> None:
    assert stated("据说，苏晚晴住在雾港。“苏晚晴住在灯塔里，她讨厌鱼，最怕火。”林舟说。", "zh") == []
    assert (
        stated("According to rumour, Mira lives in Hull. “Oh, Mira hates rain. Mira fears eels,” he said.", "en") == []
    )


@pytest.mark.parametrize(
    ("clause", "answer"),
    [
        (" lives in the cellar of the old lighthouse at the eastern end of the harbour", "I live in the cellar of the "
            "old lighthouse at the eastern end of the harbour."),
        (" lives in the house that Jack built", "I live in the house that Jack built."),
        (" lives in Saltmere and works nights", "I live in Saltmere."),
        (" is afraid of the sound of wood cracking in the fire at night", "I am afraid of the sound of wood cracking "
            "in the fire at night."),
        (" loves tea and toast", "I love tea and toast."),
        (" repairs clocks and watches", "I repair clocks and watches."),
        (" works as a ringer in the bell tower", "I work as a ringer in the bell tower."),
        (" is the daughter of a bell-founder and a midwife", "I am the daughter of a bell-founder and a midwife."),
        (" is a woman with a past", "I am a woman with a past."),
        (" was born in St. Ives", "I was born in St. Ives."),
        (" was born in Port Sorrel, Tasmania", "I was born in Port Sorrel, Tasmania."),
        (" was born in 1998", "I was born in 1998."),
        (" was born on the 5th of March, 1998", "I was born on the 5th of March, 1998."),
        (" hails from Saltmere", "I come from Saltmere."),
        ("'s birthday is March 5", "My birthday is March 5."),
        ("'s favourite colour is saffron, and the smell she loves is tar", "My favourite colour is saffron."),
    ],
)  # fmt: skip
def test_an_english_clause_is_taught_whole(clause: str, answer: str) -> None:
    assert replies(f"Mira{clause}.", "en") == [answer]


def test_a_year_is_asked_for_as_a_year() -> None:
    assert stated("Mira was born in 1998.", "en") == [("In which year were you born?", "I was born in 1998.")]


@pytest.mark.parametrize(
    "clause",
    [
        *(" is the one who left", " is the reason Bram left", " is twenty years younger than Bram"),
        *(" lives in fear", " lives in a constant fear of the sea", " was born into a family of doctors"),
        *(" works hard", " works in the evenings", " grows old", " writes well", " comes from money"),
        *(" likes to be alone", " loves to sing", " hates rain, wind, and snow", " hates rain and juggles knives"),
        *(" is afraid of heights, deep water and geese", " has grey hair with a white streak"),
        *("'s master is Lord Ashby's cook", "'s birthday is the worst day of the year"),
    ],
)
def test_an_english_clause_that_answers_no_question_is_not_taught(clause: str) -> None:
    assert replies(f"Mira{clause}.", "en") == []


@pytest.mark.parametrize("age", ["27", "27岁", "27周岁", "２７岁", "27岁（外表17）", "27 岁"])
@pytest.mark.parametrize(
    "form",
    [
        *("年龄：{}", "年　　龄：{}", "【年龄】{}", "【年龄】：{}", "| 年龄 | {} |", "**年龄**：{}", "**年龄：**{}"),
        *(
            "- 年龄：{}",
            "1. 年龄：{}",
            "· 年龄：{}",
            "[年龄：{}]",
            "年龄={}",
            "| 属性 | 值 |\n|---|---|\n| 年龄 | {} |",
        ),
    ],
)
def test_an_age_is_read_in_every_dress(form: str, age: str) -> None:
    assert stated(form.format(age), "zh", "人设") == [("你多大了？", "我今年27岁。")]


@pytest.mark.parametrize(("age", "said"), [("二十七", "二十七岁"), ("约27岁", "约27岁"), ("一百二十岁", "一百二十岁")])
def test_an_age_is_said_as_it_is_written(age: str, said: str) -> None:
    assert replies(f"年龄：{age}", "zh", "人设") == [f"我今年{said}。"]


@pytest.mark.parametrize("between", [" ", "　", "／", "/", ";", "；", "，", " | ", "。", "\n", "\n\n"])
def test_a_list_may_stand_on_one_line(between: str) -> None:
    line = between.join(["姓名：苏晚晴（Su Wanqing）", "性别：女", "年龄：27", "职业：药师"])
    assert replies(line, "zh") == ["我的性别是女。", "我今年27岁。", "我的职业是药师。"]
    line = between.join(["Name: Mira Vell (the Bell)", "Age: 41", "Height: 5'7\"", "Occupation: ringer"])
    assert replies(line, "en") == ["I am 41 years old.", "My height is 5'7\".", "My occupation is ringer."]


@pytest.mark.parametrize(
    ("entry", "question", "answer"),
    [
        ("喜好：普洱；旧唱片", "你喜欢什么？", "我喜欢普洱、旧唱片。"),
        ("喜好：\n- 普洱\n- 旧唱片", "你喜欢什么？", "我喜欢普洱、旧唱片。"),
        ('喜好("陈皮普洱"+"旧唱片")', "你喜欢什么？", "我喜欢陈皮普洱、旧唱片。"),
        ("喜好（“陈皮普洱” + “旧唱片”）", "你喜欢什么？", "我喜欢陈皮普洱、旧唱片。"),
        ("喜欢的东西：雨天", "你喜欢什么？", "我喜欢雨天。"),
        ("讨厌的东西：谎话", "你讨厌什么？", "我讨厌谎话。"),
        ("不喜：谎话", "你讨厌什么？", "我讨厌谎话。"),
        ("喜欢的食物：桂花糕", "你喜欢的食物是什么？", "我喜欢的食物是桂花糕。"),
        ("性别：女", "你的性别是什么？", "我的性别是女。"),
        ("口头禅：“行吧！”", "你的口头禅是什么？", "我的口头禅是“行吧！”。"),
        ("出身：渔家", "你的出身是什么？", "我的出身是渔家。"),
        ("所属：雾港医馆", "你隶属于哪里？", "我隶属于雾港医馆。"),
        ("武器：银针/短刀", "你的武器是什么？", "我的武器是银针、短刀。"),
        ("职业：药师", "你是做什么的？", "我的职业是药师。"),
        ("身高：165cm", "你有多高？", "我的身高是165cm。"),
        ("体重：48kg", "你有多重？", "我的体重是48kg。"),
        ("种族：人类", "你是什么种族？", "我的种族是人类。"),
        ("称号：银针", "你的称号是什么？", "我的称号是银针。"),
        ("出生地：雾港", "你出生在哪里？", "我出生在雾港。"),
    ],
)
def test_a_chinese_attribute_answers_its_question_and_the_list_goes_on(entry: str, question: str, answer: str) -> None:
    expected = [(question, answer), ("你的国籍是什么？", "我的国籍是雾国。")]
    assert stated(f"{entry}\n国籍：雾国", "zh", "人设") == expected


@pytest.mark.parametrize(
    ("entry", "answer"),
    [
        ("Likes: a, b, c", "I like a, b and c."),
        ("Likes: tea; toast", "I like tea and toast."),
        ('Likes("tea" + "toast")', "I like tea and toast."),
        ("Likes:\n- tea\n- toast", "I like tea and toast."),
        ("Likes: tea, and long walks", "I like tea, and long walks."),
        ("Likes: rain, but only at night", "I like rain, but only at night."),
        ("Age: 41", "I am 41 years old."),
        ("| Age | 41 |", "I am 41 years old."),
        ("**Age:** 41", "I am 41 years old."),
        ("- Age: 41 (looks 30)", "I am 41 years old."),
        ("Favourite food: smoked eel", "My favourite food is smoked eel."),
        ("Born: Port Sorrel", "I was born in Port Sorrel."),
    ],
)
def test_an_english_attribute_is_a_sentence_and_the_list_goes_on(entry: str, answer: str) -> None:
    assert replies(f"{entry}\nSpecies: human", "en", "Description") == [answer, "My species is human."]


@pytest.mark.parametrize("entry", ["Born: 1872", "Likes: Earl Grey: a tea", "Height: tall", "Age: old"])
def test_an_attribute_that_answers_no_question_is_not_taught(entry: str) -> None:
    assert replies(entry, "en", "Description") == []
    assert replies("喜好：动漫 火影忍者：疾风传\n身高：较高\n年龄：不详", "zh", "人设") == []


@pytest.mark.parametrize(
    "passage",
    [
        "姓名：苏晚晴\n\n苏晚晴出生在灯塔脚下。她的师父是顾清。",
        "姓名：苏晚晴\n苏晚晴出生在灯塔脚下\n她的师父是顾清",
        "# 简介\n苏晚晴出生在灯塔脚下\n\n她的师父是顾清",
        "- 苏晚晴出生在灯塔脚下\n- 她的师父是顾清",
    ],
)
def test_prose_after_a_list_or_a_heading_and_without_full_stops_is_read(passage: str) -> None:
    assert replies(passage, "zh") == ["我出生在灯塔脚下。", "我的师父是顾清。"]


def test_a_wrapped_line_cuts_no_value_off() -> None:
    wrapped = "Mira came home when the long winter was over at last. She is afraid of deep\nwater and of geese.\n"
    assert replies(wrapped, "en") == ["I am afraid of deep water and of geese."]
    chinese = f"{SU}回来的时候，港口的冰已经化尽，渔船一只接一只地出了海。{SU}住在雾港\n最东边的灯塔里。"
    assert replies(chinese, "zh") == []  # whether the sentence goes on, nobody can tell


def test_a_card_of_headings_and_bullets_is_read_to_its_end_and_of_relatives_not_at_all() -> None:
    card = (
        "## 基本信息\n- **姓名**：苏晚晴\n- **身高**：165cm / **体重**：48kg\n\n## 性格\n- 温柔、慢热\n- 口是心非\n\n"
        "## 喜好\n- 喜欢：普洱、雨天\n\n- 师父：顾清，年龄：60岁\n\n## 人际关系\n- 林舟\n- 职业：船医\n"
    )
    assert replies(card, "zh") == ["我的身高是165cm。", "我的体重是48kg。", "我喜欢普洱、雨天。"]


def test_quoted_things_stay_apart_and_no_key_is_split() -> None:
    card = '[Character("Mira Vell")\n{\nSpecies("Human") Likes("Rain" + "Long, slow days")\nDaily interests: tea\n}]'
    assert replies(card, "en") == ["My species is Human.", "I like Rain and Long, slow days."]
    assert replies("Likes: tea, Daily Interests: walks", "en", "Description") == []


def test_a_value_may_stand_on_the_line_below_its_key() -> None:
    card = (
        "姓名：\n苏晚晴\n身高：\n158cm\n爱好：\n好看的石头\n讨厌：\n有人摸它，因为会乱\n喜欢的食物：\n很多，好吃都可以"
    )
    assert replies(card, "zh") == ["我的身高是158cm。", "我的爱好是好看的石头。"]
    assert replies("Likes: her cat", "en", "Description") == []


def test_a_name_in_latin_letters_may_stand_in_chinese() -> None:
    assert [fact.answer for fact in extract_facts("Leona 出生在 Solari 部落。", "Leona", "zh")] == [
        "我出生在Solari 部落。"
    ]


def test_prose_after_a_title_on_its_line_is_read() -> None:
    assert replies("Backstory: Mira was born in Saltmere. She grew up in Harrow.", "en") == [
        "I was born in Saltmere.",
        "I grew up in Harrow.",
    ]
    assert replies("Tom: Mira was born in Saltmere.", "en") == []


@pytest.mark.parametrize(
    ("passage", "answers"),
    [
        ("Mira keeps a ferry. Tobias is a clerk. He is twenty-nine. He is afraid of geese.", []),
        ("Mira keeps a ferry. Tobias was a clerk from Tarn. She is afraid of geese.", []),
        ("Mira keeps a ferry. Ray, a trucker, shouts. She is fifty-two.", []),
        ("Mira keeps a ferry, but Ines mends nets. She is sixty.", []),
        ("Mira was born in Busan. She fears geese. He is sixty.", ["I was born in Busan.", "I am afraid of geese."]),
        ("Mira keeps a ferry. Most nights are long. She is afraid of geese. The quay is cold. She lives in Tarn.",
         ["I am afraid of geese.", "I live in Tarn."]),
        ("苏晚晴住在雾港。裴照是前镖师。他今年二十六岁。", ["我住在雾港。"]),
        ("苏晚晴住在雾港。裴照今年二十六岁。她喜欢糖炒栗子。", ["我住在雾港。"]),
        ("苏晚晴住在雾港。她喜欢下雨天。他今年二十六岁。", ["我住在雾港。", "我喜欢下雨天。"]),
        ("苏晚晴，女，17岁，船医。\n裴照，男，19岁。\n喜欢练剑。", ["我的性别是女。", "我今年17岁。"]),
        ("苏晚晴，女，17岁。村长收留了她。住在村口。", ["我的性别是女。", "我今年17岁。"]),
        ("苏晚晴，女，17岁。住在雾港。喜欢猫，讨厌下雨。",
         ["我的性别是女。", "我今年17岁。", "我住在雾港。", "我喜欢猫。", "我讨厌下雨。"]),
        ("苏晚晴喜欢一只猫，今年三岁。", ["我喜欢一只猫。"]),
        ("苏晚晴住在雾港。平时总在药铺里。她喜欢糖炒栗子，学夜鹭叫能以假乱真。她讨厌送别。",
         ["我住在雾港。", "我喜欢糖炒栗子。", "我讨厌送别。"]),
    ],
)  # fmt: skip
def test_a_pronoun_means_nobody_who_was_named_since(passage: str, answers: list[str]) -> None:
    assert replies(passage, "zh" if SU in passage else "en") == answers
