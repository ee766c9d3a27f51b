"""A Chinese question with the subject that it leaves out: `养宠物吗` in a questionnaire asks whether you keep a pet.

Rules know `你养宠物吗`, and so does whoever asks in a chat. A question has a subject of its own unless it begins with
what only a person does (`喜欢`, `为什么离开`), has (`身高`) or feels most (`最讨厌的`); then it stays as it is, for
`为什么会下雨` and `有哪些门派` ask of a world. The words, and the builds of such questions, are in `subjects.zh.json`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from pipeline.records.clean import has_cjk

NAMED = re.compile("<([a-z_]+)>")  # another pattern, or a list of words, within a pattern


def with_subject(question: str) -> str:
    """The simplified Chinese question asked of 你, where it leaves its subject out; any other as it is."""
    if not has_cjk(question):  # nor has a command in English these patterns to compile
        return question
    somebody, builds = _builds()
    if not somebody.search(question):
        for begins, subject in builds:
            if found := begins.match(question):
                return question[: found.end(1)] + subject + question[found.end(1) :]
    return question


@cache
def _builds() -> tuple[re.Pattern[str], tuple[tuple[re.Pattern[str], str], ...]]:
    """What names a subject; how questions without one begin, with what stands before it as their group, and it."""
    table = json.loads(Path(__file__).with_name("subjects.zh.json").read_text(encoding="utf-8"))
    named = {key: _any_of(words) for key, words in table["words"].items()}
    for key, pattern in table["patterns"].items():
        named[key] = _resolved(pattern, named)
    builds = [(re.compile(_resolved(build["begins"], named)), build["subject"]) for build in table["builds"]]
    return re.compile(named["somebody"]), tuple(builds)


def _resolved(pattern: str, named: Mapping[str, str]) -> str:
    """The pattern with what it names in its place; names are of patterns and words before it."""
    return NAMED.sub(lambda match: named[match[1]], pattern)


def _any_of(words: Sequence[str]) -> str:
    """A group that matches any of the words, the longest first."""
    return f"(?:{'|'.join(sorted(map(re.escape, words), key=len, reverse=True))})"
