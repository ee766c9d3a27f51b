"""The Chinese wordings of a settings question ask for its own fact, in Chinese that is spoken today."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

import pipeline.augmentation
from pipeline.augmentation.answered import sort_of_answer
from pipeline.augmentation.boundaries import read_boundaries
from pipeline.augmentation.facts import Fact
from pipeline.augmentation.items import Wordings, in_another_setting, other_wordings
from pipeline.augmentation.questions import language_rules, reword, rule_of
from pipeline.augmentation.spoken import as_written
from pipeline.augmentation.subjects import with_subject
from pipeline.augmentation.synonyms import in_other_words, language_synonyms
from pipeline.conversations.persona import make_persona
from pipeline.records.record import Record

FILES = [
    file
    for file in sorted(Path(pipeline.augmentation.__file__).parent.glob("*.zh.json"))
    if file.name.startswith(("topics", "questions", "synonyms"))
]
WORDINGS = Wordings(read_boundaries("zh"), language_rules("zh"), language_synonyms("zh"), frames=False)
PERSONA = make_persona("陆知远", "zh", {})
OLD_OR_DIALECT = re.compile("甚么|几多|几许|何人|咋|怎的|自个|当儿|晓得|唤作|中意|是否是")
OF_ONE_WORLD = re.compile("博格特|过安检|身份证号|奶茶|春运|阿喀琉斯|登录|存档|回档|朋友圈|微信")


def asked_in_other_words(question: str) -> set[str]:
    fact = Fact("答", (Record("r0", "setting_qa", question, "答", (), "陆知远", "a.json#0"),))
    found = {wording.text for wording in other_wordings(fact, PERSONA, WORDINGS, random.Random(1))}  # noqa: S311
    return found | {wording.text for wording in reword(question, "陆知远", language_rules("zh"))}


@pytest.mark.parametrize(
    ("of_then", "of_now"),
    [
        ("你小时候的梦想是什么？", "你的理想是什么？"),
        ("你曾经的理想是什么？", "你的理想是什么？"),
        ("你左手上的疤是怎么来的？", "你右脸上的疤是怎么来的？"),
        ("你左手上的疤是怎么来的？", "你的疤是怎么来的？"),
        ("你以前养宠物吗？", "你养宠物吗？"),
        ("你小时候师从何人？", "你师从何人？"),
        ("你以前属于哪个组织？", "你属于哪个组织？"),
        ("你小时候有什么绰号？", "你有什么绰号？"),
        ("你小时候最崇拜的人是谁？", "你最崇拜的人是谁？"),
        ("你以前是哪个学校的？", "你是哪个学校的？"),
        ("你小时候最喜欢什么动物？", "你最喜欢什么动物？"),
        ("你以前最喜欢的歌是哪首？", "你最喜欢的歌是哪首？"),
        ("你小时候最讨厌什么？", "你最讨厌什么？"),
        ("你小时候学过什么乐器？", "你会什么乐器？"),
        ("你小时候最后悔的事是什么？", "你最后悔的事是什么？"),
        ("你小时候最骄傲的事是什么？", "你最骄傲的事是什么？"),
        ("你小时候发过什么誓？", "你发过什么誓？"),
        ("你小时候是怎么认识苏晚晴的？", "你是怎么认识苏晚晴的？"),
        ("你小时候有什么病？", "你有什么病？"),
        ("你以前住在哪里？", "你住在哪里？"),
        ("你以前的职业是什么？", "你的职业是什么？"),
        ("你毕业于哪所学校？", "你在哪里上学？"),
        ("你在哪里出生？", "你老家在哪里？"),
        ("你有孩子吗？", "你有几个孩子？"),
        ("你的缺点是什么？", "你的弱点是什么？"),
        ("你和船长是什么关系？", "你和船长的关系怎么样？"),
    ],
)
def test_two_facts_share_no_wording(of_then: str, of_now: str) -> None:
    then, now = asked_in_other_words(of_then), asked_in_other_words(of_now)
    assert then
    assert now
    assert not then & now


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("你第一次杀人是什么时候？", "首战|第一架|对手|经过"),
        ("你毕业于哪所学校？", "上学|早自习|校服"),
        ("你小时候的梦想是什么？", "拿命|人生目标"),
        ("你后悔过吗？", "存档|哪件|什么|追悔"),
        ("你信神吗？", "哪尊|什么神|拜的"),
        ("你有几个孩子？", "生过|传宗|有没有"),
        ("说说你的母亲。", "姓甚|肚子|叫什么|是谁"),
        ("你最得意的案子是哪个？", "官司"),
        ("你给人看病吗？", "就医"),
        ("你为什么离开省城？", "别离"),
        ("你的优点是什么？", "好处"),
        ("你第一次见到苏晚晴是什么时候？", "开始|时候起|时起|首次瞧|涉及|苏晚晴时。"),
        ("你住在哪里？", "不遇|上哪儿等"),
        ("你的身高是多少？", "门框|低头"),
        ("你的口头禅是什么？", "惯说|何语|口头语"),
        ("你的职业是什么？", "客官|生意"),
        ("谁教你针灸？", "^教我"),
        ("你抽烟吗？", "^要问我|^说到"),
        ("你养宠物吗？", "养爱|养家|养养"),
        ("你的理想型是什么样的？", "抱负|志向|梦想型|看上去"),
        ("你为什么当医生？", "说法|衣裳|思量|琢磨"),
        ("你的生日是什么日子？", "日子是你的"),
        ("你多久没回家了？", "没回家里"),
        ("你和苏晚晴是什么关系？", "是个.?.?关系|关系怎么样"),
        ("你的枪法怎么样？", "到底枪法"),
        ("陆知远以前在哪里工作？", "到底以前|究竟以前|陆知远到底"),
        ("什么是“道”？", "说讲"),
        ("你最喜欢喝什么？", "排在头|饮(?!料|品)"),
        ("你怎么看待死亡？", "评判"),
        ("你最讨厌什么？", "生理"),
        ("你的保温杯里装着什么？", "常年"),
        ("你几点起床？", "什么点|睁眼"),
        ("你今年多大了？", "贵庚"),
        ("你怎么过年？", "办法|方法|法子"),
        ("你最近在忙什么？", "让你|才是"),
        ("你的武功是谁教的？", "是是"),
        ("你的徒弟现在在哪里？", "如今？|是哪儿|是什么地方"),
        ("你什么时候生日？", "生辰|过生辰"),
        ("你几点睡觉？", "睡的时间|那睡呢"),
        ("你会哭吗？", "哭不会哭|是否是"),
        ("你最得意的一幅画是什么？", "哪个|哪一个|一个一幅"),
        ("你结婚了吗？", "是不是你"),
    ],
)
def test_a_wording_that_asks_for_something_else_or_is_no_chinese_is_not_made(question: str, never: str) -> None:
    found = asked_in_other_words(question)
    assert len(found) >= 8
    assert not [text for text in found if re.search(never, text)]
    assert not [text for text in found if OLD_OR_DIALECT.search(text)]


@pytest.mark.parametrize(
    "question",
    [
        "你以前的徒弟在哪里？",
        "你小时候几点睡觉？",
        "你以前抽烟吗？",
        "你曾经有几个徒弟？",
        "你以前跟谁学的剑？",
        "你小时候最喜欢去哪里？",
        "你以前的武器是什么？",
        "你小时候怎么过年？",
        "你当初为什么离开？",
        "你以前的船叫什么名字？",
    ],
)
def test_a_question_about_then_is_asked_about_then_in_every_wording(question: str) -> None:
    then = re.compile("小时候|小的时候|儿时|以前|从前|过去|之前|当初|当年|曾")
    assert not [text for text in asked_in_other_words(question) if not then.search(text)]


def test_what_the_character_completes_is_framed_wherever_it_says_i() -> None:
    for rule in language_rules("zh"):
        for wording in rule.wordings:
            if wording.family == "statement" and "我" in wording.text:
                assert wording.text.startswith("请接着说："), (rule.name, wording.text)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_wording_or_synonym_is_of_one_world_alone_or_of_another_time(file: Path) -> None:
    table = json.loads(file.read_text(encoding="utf-8"))
    groups = (
        [(key, other) for key, others in table.items() for other in others]
        if file.name.startswith("synonyms")
        else [(rule["name"], text) for rule in table["rules"] for texts in rule["wordings"].values() for text in texts]
    )
    assert not [(where, text) for where, text in groups if OF_ONE_WORLD.search(text) or OLD_OR_DIALECT.search(text)]


def test_a_closer_never_follows_a_chinese_question_without_a_stop() -> None:
    boundaries, rng = read_boundaries("zh"), random.Random(1)  # noqa: S311
    for _ in range(200):
        for message in in_another_setting("你的孩子的数目", boundaries, rng):
            assert not re.search("数目(?:简单|方便|我朋友|谢啦|就问问|我很好奇)", message["content"])


@pytest.mark.parametrize(
    ("question", "sort"),
    [
        ("你有孩子吗？", "yes_no"),
        ("能不能告诉我你有没有孩子？", "yes_no"),
        ("我很好奇你有没有孩子。", "yes_no"),
        ("你后悔没后悔过？", "yes_no"),
        ("你有几个孩子？", "number"),
        ("能不能说说你的孩子？", "open"),
        ("你信的神是哪一位？", "open"),
        ("Do you have children?", "open"),
    ],
)
def test_a_question_is_answered_with_yes_or_no_a_number_or_something_else(question: str, sort: str) -> None:
    assert sort_of_answer(question) == sort


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("抽烟吗", "你抽烟吗"),
        ("中午几点吃饭", "你中午几点吃饭"),
        ("擅长什么运动", "你擅长什么运动"),
        ("为什么离开故乡", "你为什么离开故乡"),
        ("当初为什么会当记者", "你当初为什么会当记者"),
        ("怎么看待输赢", "你怎么看待输赢"),
        ("最舍不得的东西是什么", "你最舍不得的东西是什么"),
        ("有什么怕的东西吗", "你有什么怕的东西吗"),
        ("有没有骗过人", "你有没有骗过人"),
        ("破过最难的案子是哪个", "你破过最难的案子是哪个"),
        ("和搭档是怎么认识的", "你和搭档是怎么认识的"),
        ("难过的时候会做什么", "你难过的时候会做什么"),
        ("左手为什么缠着布", "你的左手为什么缠着布"),
        ("家里有几口人", "你家里有几口人"),
        ("是左撇子吗", "你是左撇子吗"),
        ("什么血型", "你是什么血型"),
        ("身高", "你的身高"),
        ("瞳色是什么", "你的瞳色是什么"),
        ("目前的职业是什么", "你目前的职业是什么"),
        ("请问，性格怎么样", "请问，你的性格怎么样"),
        ("说说童年", "说说你的童年"),
        ("用三个词形容自己", "用三个词形容你自己"),
        ("如果捡到钱会怎么办", "如果捡到钱，你会怎么办"),
        ("如果有机会重来想做什么", "如果有机会重来，你想做什么"),
    ],
)
def test_a_question_without_a_subject_is_asked_of_you(question: str, asked: str) -> None:
    assert with_subject(question) == asked


@pytest.mark.parametrize(
    "question",
    [
        "为什么会下雨",
        "为什么人会死",
        "为什么天是蓝的",
        "有哪些门派",
        "有鬼吗",
        "有谁知道那件事",
        "种族有哪些",
        "能力是怎么划分的",
        "爱是什么",
        "花是什么颜色的",
        "画家是谁",
        "学姐为什么走了",
        "爱丽丝几岁了",
        "会议几点开始",
        "雾城在哪里",
        "世界是怎么诞生的",
        "怎么打开宝箱",
        "明天会下雪吗",
        "在哪里能买到药",
        "你喜欢什么",
        "喜欢她吗",
        "阁下擅长什么",
        "人类为什么打仗",
        "弱点是什么意思",
        "能聊聊吗",
        "晚安",
    ],
)
def test_a_question_with_a_subject_or_about_the_world_stays_as_it_is(question: str) -> None:
    assert with_subject(question) == question


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("名字？", "你的名字是什么？"),
        ("你的名字是？", "你的名字是什么？"),
        ("姓名：", "你的姓名是什么？"),
        ("角色名：", "你的名字是什么？"),
        ("养宠物吗？", "你养宠物吗？"),
        ("几点起床？", "你几点起床？"),
        ("擅长什么？", "你擅长什么？"),
        ("性别是？", "你的性别是什么？"),
        ("口头禅是？", "你的口头禅是什么？"),
        ("年龄是？", "你的年龄是多少？"),
        ("年龄多大？", "你的年龄是多少？"),
        ("生日是？", "你的生日是哪天？"),
        ("最好的朋友是？", "你最好的朋友是谁？"),
        ("有什么弱点吗？", "你有什么弱点？"),
        ("介绍一下自己吧。", "介绍一下你自己吧。"),
        ("阁下的名讳是？", "你的名字是什么？"),
        ("最后一个问题，梦想是什么？", "你的梦想是什么？"),
        ("想請教您有什麼愛好？", "你有什麼愛好？"),
        ("興趣愛好是？", "你的愛好是什麼？"),
        ("妳的武器是？", "你的武器是什麼？"),
    ],
)
def test_a_short_question_is_known_as_the_full_one(short: str, full: str) -> None:
    rules = language_rules("zh")
    known = rule_of(short, rules)
    assert known is not None
    assert known == rule_of(full, rules)
    assert len(asked_in_other_words(short)) >= 16


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("能介绍一下你的家乡吗？", "说说你的家乡"),
        ("可以给大家讲讲你的师父吗？", "说说你的师父"),
        ("请谈谈你的童年。", "说说你的童年"),
        ("能不能说一说你的第一把剑？", "说说你的第一把剑"),
        ("方便透露一下你的真实身份吗？", "说说你的真实身份"),
        ("可以請您介紹一下自己嗎？", "說說自己"),
        ("能分享一件你小时候的糗事吗？", "说说你小时候的糗事"),
        ("能说说你为什么不回家吗？", "你为什么不回家"),
        ("能告诉我你有没有孩子吗？", "你有没有孩子"),
        ("方便问一下您贵庚吗？", "您贵庚"),
    ],
)
def test_a_request_is_other_words_for_what_it_asks_for(question: str, asked: str) -> None:
    if "嗎" not in question:
        assert as_written(question) == asked
    rules = language_rules("zh")
    assert rule_of(question, rules) == rule_of(asked, rules)
    made = {wording.text for wording in reword(question, "陆知远", rules)}
    assert len(made) >= 10
    ability = re.compile("[听聽]人?[说說]|我猜(?!不)|[对對]不[对對]|真的|[吗嗎][吗嗎。]|能不能[讲講说說谈談].*能不能")
    assert not [text for text in made if ability.search(text)]


@pytest.mark.parametrize("question", ["能聊聊天吗？", "能说说话吗？", "可以聊聊吗？", "你能介绍一个朋友给我吗？"])
def test_what_is_no_request_to_tell_something_stays_as_it_is(question: str) -> None:
    assert as_written(question) == question.rstrip("？")


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("你的名字是？", "来历|为什么叫|盼头|怎么来|含义"),
        ("有什么怕的东西吗？", "吗吗|吗。|你的怕"),
        ("有收藏什么东西吗？", "吗吗|吗。"),
        ("城里有什么规矩吗？", "吗吗|吗。"),
        ("手机壁纸是什么？", "什么是手机|解释|说明|是个什么"),
        ("飞梭是什么？", "什么是|解释|说明"),
        ("介绍一下自己吧。", "^我一直好奇自己|^自己呢|^问起自己"),
        ("有恋人吗？", "爱人"),
        ("你的别名是什么？", "念"),
        ("别名有哪些？", "辞"),
        ("你的体重是多少？", "斤"),
        ("发色是什么？", "造型|长发|短发"),
        ("是左撇子吗？", "惯用左手"),
        ("最讨厌的食物是什么？", "吃的东西(?=是什么|到底)(?<!爱吃的东西)(?<!厌吃的东西)(?<!欢吃的东西)"),
        ("你是什么种族？", "哪一种种"),
        ("性别是什么？", "要说|，那是|哪一种"),
        ("养猫吗？", "^(?:听人?说|我猜|人家说|有人[^你]*)养"),
        ("工资够花吗？", "^(?:听人?说|我猜)"),
        ("右耳怎么没了？", "按陆知远|照你知道|知不知道"),
        ("说过最大的谎是什么？", "是什[^么]|是什$"),
        ("和同事关系好吗？", "和事|跟事"),
        ("战斗中受过伤吗？", "有没有战斗"),
        ("童年过得好吗？", "有没有(?:童年|幼年|孩提)"),
        ("最重要的人是谁？", "^谁你最|哪个人你最"),
        ("工作多久了？", "你的工作多"),
        ("初恋几岁？", "今年|年龄"),
        ("吃火锅必点什么？", "必什么|必的"),
        ("无聊的时候干什么？", "目的|图的"),
        ("为什么而战？", "而战呢"),
        ("说说看，你喜欢什么？", "说一说看|谈谈看|讲讲看"),
        ("小时候的梦想是什么？", "^小时候有|扒一扒"),
        ("怎么称呼？", "你怎?[么样]?怎?[么样]称呼。"),
    ],
)
def test_a_questionnaires_question_gets_no_wording_that_asks_for_something_else(question: str, never: str) -> None:
    made = asked_in_other_words(question)
    assert made
    assert not [text for text in made if re.search(never, text)]


@pytest.mark.parametrize(
    ("question", "never"),
    [
        ("你知不知道别名？", "辞别|告别"),
        ("你对什么感兴趣？", "感爱好"),
        ("你会说普通话吗？", "平常话|一般话"),
        ("你失去过亲人吗？", "失到"),
        ("你梦到底是什么样的？", "梦见底"),
        ("杀第一个人的时候你几岁？", "第独"),
        ("你怎么说服他们？", "怎么讲服|怎么回答服"),
        ("你擅长什么乐器？", "在行乐器|是什么乐器"),
        ("你为什么喜欢擅长的事？", "善于的"),
        ("你有起床气吗？", "起来气"),
    ],
)
def test_a_synonym_is_no_part_of_another_word(question: str, never: str) -> None:
    assert not [text for text in in_other_words(question, language_synonyms("zh")) if re.search(never, text)]


def test_a_question_in_some_words_is_asked_in_as_many() -> None:
    made = asked_in_other_words("用三个词形容自己。")
    assert "用三个词说说你自己吧。" in made
    assert not [text for text in made if "三个词" not in text]


def test_no_closer_says_what_nobody_says_of_a_question_he_has_just_asked() -> None:
    assert not {"就问问。", "我想了一整天了。"} & set(read_boundaries("zh").closers)


@pytest.mark.parametrize("letter", ["说", "吗", "是", "的", "么", "有", "最", "如果", "什么"])
def test_a_long_line_of_one_letter_takes_no_time(letter: str) -> None:
    assert with_subject(as_written(f"请谈谈{letter * 5000}"))
