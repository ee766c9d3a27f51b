"""A fact asked the other way round: `What is Pellow Quay to you?`, where the answer names it.

Who has learnt to answer `Where were you born?` does not know by that what to say of the place (the reversal curse,
arXiv 2309.12288), and people go on asking from what a character has just said. The phrases that stand for an answer
are found as RAKE finds key words (Rose et al., 2010): what lies between function words. The language's words for that,
and the ways of asking, are in `reverse.LANGUAGE.json`.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import cycle
from pathlib import Path
from typing import Any

from pipeline.augmentation.facts import Fact
from pipeline.augmentation.questions import capitalised
from pipeline.conversations.persona import Language
from pipeline.records.comparable import contains, terms
from pipeline.records.record import Record
from pipeline.records.traditional_chinese import to_simplified, to_traditional

MOST_PHRASES = 2  # of an answer: what comes after these is seldom what is asked for
LONGEST_PHRASE = {"en": 4, "zh": 8}  # words, characters
CLAUSE = re.compile(
    r"[^\s,;:!?()\[\]{}\"“”‘—–…。，、；：！？（）《》「」『』][^,;:!?()\[\]{}\"“”—–…。，、；：！？（）《》「」『』]*"
)
TITLE = re.compile(r"[《「『“]([^《》「」『』“”]{2,12})[》」』”]")
# The end of a sentence; no abbreviated title, and no initial.
SENTENCE_END = re.compile(r"(?<!\bMr)(?<!\bMrs)(?<!\bMs)(?<!\bDr)(?<!\bSt)(?<!\b[A-Z])[.!?…]+(?=\s|$)")
# As whoever asks would say it: of `a brass thimble` one asks about `the brass thimble`.
ARTICLES = {"a": "the", "an": "the", "the": "the", "this": "the", "my": "your", "our": "your"}
NO_NOUN = re.compile(r"(?:ed|ing|ly)$")  # a word by itself that hardly names a thing
VERB = re.compile(r"(?:ed|ing)$")  # a word behind a noun that says what it did


@dataclass(frozen=True, slots=True)
class Reversal:
    """How a language asks from an answer's phrase: `{phrase}` in what training may ask, and in what only tests do.

    Of English: `before_verbs` and `before_nouns` are the words after which another that is no function word is a verb,
    or a noun though it has no article.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    stop_words: frozenset[str]
    before_verbs: frozenset[str] = frozenset()
    before_nouns: frozenset[str] = frozenset()


@cache
def read_reversal(language: Language) -> Reversal:
    """The texts of `reverse.LANGUAGE.json`, beside this module."""
    path = Path(__file__).with_name(f"reverse.{language}.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    words = (frozenset(content.get(key, "").split()) for key in ("stop_words", "before_verbs", "before_nouns"))
    return Reversal(tuple(content["train"]), tuple(content["test"]), *words)


def key_phrases(facts: Sequence[Fact], name: str, language: Language) -> list[list[str]]:
    """The phrases of each fact's answer that stand for it, the most telling first.

    Each has a word that no other fact's questions and answer have, nor its own questions, nor the character's `name`.
    """
    texts = [terms(f"{fact.answer}\n" + "\n".join(fact.questions)) for fact in facts]
    having = Counter(term for own in texts for term in own)
    found = []
    for fact in facts:
        asked = terms("\n".join((*fact.questions, name)))
        own = [
            (later, phrase)
            for later, phrase in _phrases(fact.answer, asked, language)
            if any(having[term] == 1 for term in terms(phrase) - asked)
        ]
        ordered = sorted(own, key=lambda one: (one[1].islower(), one[0], _is_a_word(one[1])))
        found.append(list(dict.fromkeys(phrase for _, phrase in ordered))[:MOST_PHRASES])
    return found


def reversed_questions(phrases: Sequence[str], templates: Sequence[str], *, traditional: bool = False) -> list[str]:
    """A question of each template, the phrases in turn; none without phrases.

    Who somebody is is asked of names alone, where a language has capitals.
    """
    written = map(to_traditional, templates) if traditional else templates
    asked = zip(written, cycle(phrases), strict=False)
    return [
        capitalised(template.format(phrase=phrase))
        for template, phrase in asked
        if not (template.startswith("Who") and phrase.islower())
    ]


def asked_of_strangers(
    records: Sequence[Record], names: Sequence[str], templates: Sequence[str], each: int
) -> list[str]:
    """What asks about each of the `names` that no record of the character holds, `each` times, as about what it knows.

    The templates are those that ask for a fact by what its answer names, in turn: it is not the way of asking that
    tells what is known.
    """
    texts = "\n".join(f"{record.prompt}\n{record.text}" for record in records)
    strangers = (name for name in names if not contains(texts, name) for _ in range(each))
    return [capitalised(way.format(phrase=name)) for name, way in zip(strangers, cycle(templates))]


def _is_a_word(phrase: str) -> bool:
    """Whether it is one English word by itself, which may be of any sort (`late`, `older`)."""
    return phrase.isascii() and " " not in phrase


def _phrases(answer: str, asked: frozenset[str], language: Language) -> Iterator[tuple[bool, str]]:
    """The answer's phrases in its order, each with whether it comes after the first clause."""
    if language == "zh":
        yield from ((False, title) for title in TITLE.findall(answer))
    clauses = [
        (clause, number == 0)
        for sentence in SENTENCE_END.split(answer)
        for number, clause in enumerate(CLAUSE.findall(sentence))
    ]
    for number, (clause, begins) in enumerate(clauses):
        if language == "zh":
            found = _chinese_phrases(clause)
        else:
            found = _english_phrases(clause, asked, begins=begins, first=number == 0)
        yield from ((number > 0, phrase) for phrase in found)


def _chinese_phrases(clause: str) -> Iterator[str]:
    """What no function word stands in, of two characters or more."""
    stop = read_reversal("zh").stop_words
    between = re.compile("|".join(sorted(stop, key=len, reverse=True)))
    at = 0
    for match in [*between.finditer(to_simplified(clause)), None]:
        phrase = clause[at : match.start() if match else len(clause)].strip()
        if 2 <= len(phrase) <= LONGEST_PHRASE["zh"]:
            yield phrase
        at = match.end() if match else at


def _english_phrases(clause: str, asked: frozenset[str], *, begins: bool, first: bool) -> Iterator[str]:
    """Runs of words that are neither function words nor the question's, with an article where they have one.

    `begins`: the clause begins its sentence. Its first word loses its capital, unless it is a name's by the next one's,
    or all that there is. `first`: it begins the answer.
    """
    stop = read_reversal("en").stop_words
    words = clause.split()
    run: list[str] = []
    before = ""
    for number, word in enumerate([*words, ""]):
        plain = word.casefold().replace("’", "'").removesuffix("'s").strip("'*_")
        if plain and plain not in stop and not terms(plain) <= asked:
            run.append(word)
            continue
        leads = number == len(run)
        lowered = begins and leads and number + len(words) > 2
        if phrase := _of_run(run, before, lowered=lowered, opens=first and leads):
            yield f"{ARTICLES.get(before, '')} {phrase}".lstrip()
        run, before = [], plain


def _of_run(run: Sequence[str], before: str, *, lowered: bool, opens: bool) -> str:
    """The name in the run if there is one, else the thing that it names; empty where neither is to be asked about.

    `before` is the word before it. `lowered`: the capital of its first word is the sentence's. `opens`: it opens the
    answer, where a word by itself is a thing (`Swans, if you must know`); elsewhere it is one only where an article, a
    preposition or the verb that it is the object of says so.
    """
    if not run:
        return ""
    words = [word.strip("'*_").removesuffix("'s").removesuffix("’s") if word is run[-1] else word for word in run]
    if lowered and not any(word[:1].isupper() for word in words[1:2]):
        words[0] = words[0][:1].lower() + words[0][1:]
    names = [number for number, word in enumerate(words) if word[:1].isupper() and len(word) > 1]
    if names and not (opens and len(words) == 1 and words[0].endswith("ly")):  # `Badly.`
        return " ".join(words[names[0] : names[-1] + 1])
    things = _without_verbs(words, before)
    reversal = read_reversal("en")
    alone = len(things) == 1 and "-" not in things[0]
    by_its_place = opens or before in ARTICLES or before in reversal.before_verbs | reversal.before_nouns
    if alone and (NO_NOUN.search(things[0]) or not by_its_place):
        return ""
    return " ".join(things[-LONGEST_PHRASE["en"] :])


def _without_verbs(words: Sequence[str], before: str) -> list[str]:
    """What is left of a run without what must be a verb (`I build barometers`) and what looks like one at its end.

    Without an article, what comes before an inner one goes too (`dad tuned church organs`).
    """
    things = list(words[1:] if before in read_reversal("en").before_verbs else words)
    while things and VERB.search(things[-1]):
        things.pop()
    verbs = [number for number, word in enumerate(things) if number and VERB.search(word)]
    return things[verbs[-1] + 1 :] if verbs and before not in ARTICLES else things
