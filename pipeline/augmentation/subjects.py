"""A Chinese question with the subject that it leaves out: `养宠物吗` in a questionnaire asks whether you keep a pet.

Rules know `你养宠物吗`, and so does whoever asks in a chat. A question has a subject of its own unless it begins with
what only a person does (`喜欢`, `为什么离开`), has (`身高`) or feels most (`最讨厌的`); then it stays as it is. The words
are in `subjects.zh.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path


def with_subject(question: str) -> str:
    """The simplified Chinese question asked of 你, where it leaves its subject out; any other as it is."""
    somebody, builds = _builds()
    if not somebody.search(question):
        for pattern, subject in builds:
            if found := pattern.match(question):
                return question[: found.end(1)] + subject + question[found.end(1) :]
    return question


@cache
def _builds() -> tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], str], ...]]:
    """What names a subject, and the builds without one: what stands before it is their first group, then it."""
    words = json.loads(Path(__file__).with_name("subjects.zh.json").read_text(encoding="utf-8"))
    one = {key: _any_of(listed) for key, listed in words.items()}
    opening, attribute = f"((?:{one['opening']}[，,：:]?)?)", one["attribute"]
    when = f"(?:{one['circumstance']}[，,]?){{0,4}}"
    most = f"最{one['superlative']}"
    short = f"(?!{one['thing']}){one['short_deed']}(?!是(?!不是))"
    deed = f"(?:{one['deed']}(?!是)|{most}|{short})"
    because = f"{one['why']}{one['aux']}{{0,3}}(?:{one['deed']}|(?!{one['thing']}){one['short_deed']})(?<!会|能|要|想)"
    has = f"有(?!(?:哪些|什么|几[个种]){one['of_a_world']})(?:没有)?(?:过)?[^，]{{0,10}}?(?:{one['had']}|{attribute})|有没有[^，]{{1,8}}过"
    noun = f"{attribute}(?:[和与及、跟]?{attribute}){{0,2}}"
    # A noun is the character's where the question ends with it or goes on about it; `有哪些种族` asks of a world.
    about_it = "(?=[吗呢吧]?$|[是有在怎如多几何什哪]|叫(?:什么|啥|做)|好[不吗看]|过得|会|能|够|开朗|内向|外向|[忙累难长大高低多最戴白黑用里上穿像]|为(?:什么|何|啥)|的(?:由来|来历|含义|意义|名字|颜色|特点|故事|看法|优点|缺点|弱点))"
    own_noun = f"(?!习惯用|工作[多几了]|{one['of_a_world']}(?:都|一共|总共)?有|{attribute}{one['way_of_a_world']}|[朋家][友人]是什么){noun}{about_it}"
    when_so = f"{one['when_deed']}[^，]{{0,12}}?[，,]?(?:会|怎么|一般|通常|都|最|喜欢|有什么|想|[做干吃听去]什么|找谁|[干做]嘛)"
    toward = (
        "(?:和|跟|与)[^，]{1,10}?(?:关系|感情|相处|熟|认识|见面|[吵打聊像]|合得来|在一起)"
        "|对[^，]{1,12}?(?:看法|印象|态度|评价|感情|感觉|想法|怎么看|满意|了解|有什么|称呼|要求|期望|期待)"
    )
    # `杀过人吗`, `破过最难的案子`
    done = "(?:(?:和|跟|与|被|对|给)[^，]{1,6}?)?[^，过的]?[^，过的不超通经]过(?:最|[^，]{0,4}(?:什么|哪|几|多少|谁)|[^，]{0,6}(?:吗|没有|没)$)"
    then = "(?:(?:(?<![机社约聚])会|想|要|最想|打算|希望|愿意)[^，]{0,4}(?:什么|谁|哪|办|做|选)|怎么办|怎么做|怎么选|(?:还会|愿意|敢|还想)[^，]{1,14}吗$)"
    once = "(?:最近一次|最近的一次|上一次|上次|第一次|最后一次)[^，]{1,10}?(?:是|在|和|跟)(?:什么时候|在哪|哪|几岁|跟谁|和谁|谁|因为|为什么|怎么)"
    is_kind = f"是(?:不是)?(?:一?个)?{one['kind']}|是(?:什么|哪个|哪种|哪一个)[^，]{{0,2}}{attribute}"
    builds = (
        ("((?:请|来)?(?:用[^，]{1,8}?)?(?:说说|讲讲|谈谈|介绍(?:一下)?|形容(?:一下)?|描述(?:一下)?|概括(?:一下)?|评价(?:一下)?))(?=自己)", "你"),
        (f"((?:如果|要是|假如|假设|倘若|若是|若能|若有|若|万一)[^，]{{1,16}}?|[^，你的]{{2,14}}的话)[，,]?(?={then})", "，你"),
        (f"{opening}(?=哪[里儿国]人$|(?:什么|哪个|啥){attribute}$)", "你是"),
        (f"{opening}(?={own_noun})", "你的"),
        (f"{opening}(?={one['modifier']}{own_noun}|家[里中]|[脸手腿背胸身头肩腰脚]上|[左右]边?[手眼脸耳肩臂腿腕脚]|在[^，]{{1,8}}[里中上](?:是|担任|负责|排)|{once})", "你"),
        (f"{opening}(?!.$)(?={when}(?:{deed}|{has}|{because}|{one['how']}(?:[跟和对向][^，]{{1,6}}?)?{one['way']}|多久[^，]{{0,4}}一次|{when_so}|{toward}|{is_kind}|{done}))", "你"),
    )
    return re.compile(one["somebody"]), tuple((re.compile(pattern), subject) for pattern, subject in builds)


def _any_of(words: Sequence[str]) -> str:
    """A group that matches any of the words, the longest first."""
    return f"(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})"
