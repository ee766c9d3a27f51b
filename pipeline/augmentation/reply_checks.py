"""Whether a base model's reply is fit to be taught: short, and no loop, no claim about itself, no echo. No model here.

Small models ramble: asked for small talk as somebody, they make up who that is ("I'm Wren, the wizard of the land"),
and say a sentence until their tokens run out. Taught, both come back.
"""

from __future__ import annotations

import re

from pipeline.augmentation.paraphrase_checks import WRONG_LANGUAGE, is_in_language, similarity
from pipeline.conversations.persona import Language
from pipeline.records.comparable import SPACELESS, words

MOST_SENTENCES = 2
RUN, RUN_SPACELESS = 3, 5  # words in a row, or characters of Chinese, that make a loop where they come twice
ECHO = 0.7  # of their 3-grams in common

NOTHING, LOOP, CLAIM, ECHOES = "no whole sentence", "says a thing twice", "speaks of itself", "repeats what was said"

_SENTENCE = re.compile(r".+?(?:[.!?]+(?=[\s\"”)*]|$)[\"”)*]*|[。！？…]+[”』」]*)", re.DOTALL)

_SPACELESS = re.compile(f"[{SPACELESS}]")


def first_sentences(reply: str) -> str:
    """The reply's first whole sentences; empty where it has none. A list or a second paragraph is not begun."""
    paragraph = reply.strip().split("\n")[0]
    return "".join(_SENTENCE.findall(paragraph)[:MOST_SENTENCES]).strip()


def has_first_sentences(begun: str) -> bool:
    """Whether `first_sentences` of a reply are those of what it has `begun` with, whatever comes next.

    A mark at the end may be the first of several, or stand in a number; with more text behind it, it is neither.
    """
    paragraph, *further = begun.strip().split("\n")
    ends = [match.end() for match in _SENTENCE.finditer(paragraph)]
    return bool(further) or (len(ends) >= MOST_SENTENCES and bool(paragraph[ends[MOST_SENTENCES - 1] :].strip()))


def reply_objection(reply: str, said: str, unwanted: str, language: Language) -> str | None:
    """Why the `reply` to what was `said` is not to be taught, or None. `unwanted` is a pattern of what claims."""
    if not reply:
        return NOTHING
    if is_loop(reply):
        return LOOP
    if not is_in_language(reply, said, language):
        return WRONG_LANGUAGE
    if re.search(unwanted, reply, re.IGNORECASE):
        return CLAIM
    return ECHOES if similarity(reply, said) >= ECHO else None


def is_loop(reply: str) -> bool:
    """Whether some words in a row come twice."""
    spoken = words(reply)
    length = RUN_SPACELESS if _SPACELESS.search(reply) else RUN
    runs = [tuple(spoken[start : start + length]) for start in range(len(spoken) - length + 1)]
    return len(set(runs)) < len(runs)
