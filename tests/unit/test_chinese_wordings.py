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
from pipeline.augmentation.questions import language_rules, reword
from pipeline.augmentation.synonyms import language_synonyms
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
