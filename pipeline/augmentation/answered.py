"""The sort of answer that a Chinese question is given: yes or no, a number, or what it asks for.

A topic's rule knows every question about a thing: whether one has children, and how many. One of these is no other
wording of another, for a fact that answers the one does not answer the other.
"""

from __future__ import annotations

import re
from typing import Literal

from pipeline.augmentation.spoken import FINAL_PUNCTUATION
from pipeline.records.traditional_chinese import to_simplified

Answer = Literal["open", "yes_no", "number"]

# What is said around a question, `能不能告诉我`, is a question itself; what it wraps is asked.
ASKING = re.compile(
    "(?:^|(?<=[，：。！]))(?:能不能|可不可以|可以|能|方便|可否)(?:再)?(?:跟我|给我|和我)?"
    "(?:告诉我|问一下|说说|讲讲|聊聊|谈谈|分享|透露|介绍一?下|形容一?下|描述一?下|说给我听)"
)
WRAPPED_END = re.compile("[，,]?(?:可以|能说说?|能讲讲?|行|好|方便说?|可以说)?吗?$")
TAIL = re.compile("[，,](?:可以|能说说?|能讲讲?|行|好|方便说?|可以说|说说看)吗?$|[呀呢啊嘛哦]+$")
OPEN = re.compile("什么|啥|谁|哪(?!怕)|(?<![几乎好])几(?!乎)|多[少大高重久长远深]|怎|咋|(?<!为)如何|为何|何时|哪位")
NUMBER = re.compile("(?<!哪)(?:几|多少)(?:[个位名口人只条]|种语言|门语言)")
YES_NO = re.compile(
    "(?:吗|没有|没|不|么)$|(?:吗|没有|没|不)[，,]|有没有|是不是|会不会|能不能|是否|可曾|可有|要不要|"
    r"(?P<a>\w{1,4})[不没](?P=a)"
)


def sort_of_answer(question: str) -> Answer:
    """What the question is to be answered with; `open` for all that is not Chinese, too."""
    text = to_simplified(question).strip(FINAL_PUNCTUATION)
    wrapped = ASKING.search(text)
    if wrapped:
        text = WRAPPED_END.sub("", text[: wrapped.start()] + text[wrapped.end() :])
    text = TAIL.sub("", text)
    if NUMBER.search(text):
        return "number"
    return "yes_no" if YES_NO.search(text) and not OPEN.search(text) else "open"
