"""Whether a paraphrase is fit to be trained on, as far as its words tell. No model here."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

from pipeline.conversations.persona import Language
from pipeline.records.comparable import SPACELESS, TEXTS_KEPT, contains, normalise, words
from pipeline.records.near import jaccard, shingles

NGRAM = 3
NEAR_COPY, NEAR_PROBE = 0.8, 0.5  # of their 3-grams in common
LONGEST, SHORTEST = 2.5, 0.2  # times the question's length
MIN_LENGTH = 3
SHORT_QUESTION = 16  # characters; a shorter question is taken for as long as that, or it could hardly be reworded

WRONG_LANGUAGE = "in another language"
NO_QUESTION = "no question or request"
WRONG_LENGTH = "too long or too short"
WRONG_PERSON = "not put to the character"
REVEALS = "holds words of the answer"
COPY = "nearly a copy"
OTHER_QUESTION = "nearly another question of the settings"
PROBE = "nearly a probe"
EXAMPLE = "asks for what an example asks for"
ASKS_ELSE = "asks for something else"

_HAN = re.compile(f"[{SPACELESS}]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_WORD = re.compile(r"[^\W_]+(?:[-'’][^\W_]+)*")
_REQUEST_EN = re.compile(
    r"\b(tell|name|describe|give|list|count|explain|share|say|show|introduce|let me|i wonder|i'm curious|i am curious|"
    r"i'd (like|love) to|i would (like|love) to|i want to)\b"
)
_REQUEST_ZH = re.compile(
    "[?？]|请|告诉|[说讲聊数谈](一?[说讲聊数谈]|给|出|到)|介绍|想知道|想问|好奇|什么|多少|[谁哪几啥吗呢]|怎|为何|如何|何"
)
_YOU_EN = re.compile(r"\b(you|your|yours|yourself|you're|you've|you'd|you'll)\b")
_MINE_EN = re.compile(r"\b(my|mine|am i|did i|do i|was i|have i|we|our|us)\b")
# What only addresses the asker is taken out first: tell me, I wonder.
_TO_THE_ASKER_ZH = re.compile("(告诉|[跟给让帮对向为和替])我|我(想|很?好奇|真想|能|可以|听说|有点)")
# Words of four letters and more that tell nothing of a fact.
_PLAIN_WORDS = frozenset(
    """
    about above after again although always among another because before being below between called could doing every
    everything first hardly having indeed itself later maybe mostly myself named neither never nobody nothing often
    other others quite really shall should since something still their there these thing things those though through
    under until where which while whose without would yours
    also away back been best both call came come does done down each else even ever from gave give goes gone good have
    here into just keep kept know last like long look love made make many mine more most much must name need next once
    only over said same says some such take tell than that them then they this time upon very want well went were what
    when whom will with year your
    """.split()  # noqa: SIM905 - words read better as words
)
# Neither Han nor kana; one of something; particles and pronouns.
_PLAIN_HAN = re.compile(
    f"[^{SPACELESS}]|[一两几][只个位条座种件把张本]名?|[我你他她它的了是在叫有和与也都就只这那个们被把给从向对]"
)


def first_objection(
    text: str,
    question: str,
    answer: str,
    *,
    language: Language,
    kept: Sequence[str] = (),
    others: Sequence[str] = (),
    probes: Sequence[str] = (),
    topics: Sequence[str] = (),
) -> str | None:
    """Why `text` is no paraphrase of the question to train on, or None.

    `kept` are paraphrases that it stands beside, `others` the questions with another answer, `probes` those of the
    exam, which training must not see, `topics` what the examples are of that the model was shown.
    """
    objections: tuple[tuple[str, Callable[[], bool]], ...] = (
        (WRONG_LANGUAGE, lambda: not is_in_language(text, question, language)),
        (WRONG_LENGTH, lambda: not fits_length(text, question)),
        (NO_QUESTION, lambda: not asks(text, language)),
        (WRONG_PERSON, lambda: not addresses(text, question, language)),
        (REVEALS, lambda: reveals(text, question, answer, language)),
        (EXAMPLE, lambda: is_of(text, topics) and not is_of(f"{question} {answer}", topics)),
        (PROBE, lambda: is_near(text, probes, NEAR_PROBE)),
        (COPY, lambda: is_near(text, (question, *kept), NEAR_COPY)),
        (OTHER_QUESTION, lambda: is_near(text, others, NEAR_COPY)),
    )
    return next((reason for reason, objects in objections if objects()), None)


def is_in_language(text: str, question: str, language: Language) -> bool:
    """Chinese has Han characters and no Latin word that the question lacks; English has neither Han nor kana."""
    if language == "en":
        return not _HAN.search(text) and _LATIN_WORD.search(text) is not None
    foreign = {word.casefold() for word in _LATIN_WORD.findall(text)}
    return _HAN.search(text) is not None and all(word in question.casefold() for word in foreign)


def fits_length(text: str, question: str) -> bool:
    """At least `SHORTEST` and at most `LONGEST` times as long as the question, and `MIN_LENGTH` characters or more."""
    length = len(question.strip())
    return max(MIN_LENGTH, SHORTEST * length) <= len(text) <= LONGEST * max(length, SHORT_QUESTION)


def asks(text: str, language: Language) -> bool:
    """Whether it asks or requests something, and does not break off."""
    if language == "zh":
        return _REQUEST_ZH.search(text) is not None
    request = text.endswith((".", "!")) and _REQUEST_EN.search(_folded(text)) is not None
    return text.endswith("?") or request


def addresses(text: str, question: str, language: Language) -> bool:
    """Whether it is put to whom the question is put to: it asks for nothing of the asker's own.

    In English, where a question says "you", a paraphrase of five words and more has to say it too.
    """
    if language == "zh":
        return "我" in question or "我" not in _TO_THE_ASKER_ZH.sub("", text)
    folded, original = _folded(text), _folded(question)
    if _MINE_EN.search(folded) and not _MINE_EN.search(original):
        return False
    return len(words(text)) < 5 or not _YOU_EN.search(original) or _YOU_EN.search(folded) is not None


def key_words(answer: str, question: str, language: Language) -> tuple[str, ...]:
    """The words that make the answer this answer, none of them the question's.

    English: numbers, words with a capital inside a sentence, and all words of four letters and more but the plainest.
    Chinese: the runs of two characters and more between what the question holds, particles and pronouns; without any,
    single characters.
    """
    return _key_runs(answer, question) if language == "zh" else _key_words_en(answer, question)


def reveals(text: str, question: str, answer: str, language: Language) -> bool:
    """Whether it holds a key word of the answer; of a Chinese one longer than three characters, three in a row."""
    keys = key_words(answer, question, language)
    if language == "en":
        return any(contains(text, key) for key in keys)
    return any(key[at : at + NGRAM] in text for key in keys for at in range(max(1, len(key) - NGRAM + 1)))


def is_of(text: str, topics: Sequence[str]) -> bool:
    """Whether a word of it begins with one of the topics; in Chinese, whether it holds one."""
    return any(re.search(rf"(?<![a-z]){re.escape(topic)}", text.casefold()) for topic in topics)


def is_near(text: str, others: Sequence[str], threshold: float) -> bool:
    """Whether it is another's equal after normalisation, or they share that much of their 3-grams (Jaccard)."""
    own = _shingles(text)
    return any(jaccard(own, _shingles(other)) >= threshold for other in others)


def similarity(one: str, other: str) -> float:
    """The share of their 3-grams that two texts have in common, after normalisation."""
    return jaccard(_shingles(one), _shingles(other))


@lru_cache(maxsize=TEXTS_KEPT)
def _shingles(text: str) -> frozenset[str]:
    return shingles(normalise(text).replace(" ", ""), NGRAM)


def _key_words_en(answer: str, question: str) -> tuple[str, ...]:
    asked = words(question)
    return tuple(
        dict.fromkeys(
            word[0]
            for word in _WORD.finditer(answer)
            if (_is_long(word[0]) or _is_name(answer, word))
            and not contains(question, word[0])
            and not any(_is_inflected(word[0].casefold(), other) for other in asked)
        )
    )


def _is_long(word: str) -> bool:
    return len(word) >= 4 and word.lower() not in _PLAIN_WORDS


def _is_inflected(one: str, other: str) -> bool:
    """Whether two words are probably forms of one: stands, stand; lost, lose."""
    common = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return common >= max(3, min(len(one), len(other)) - 1)


def _is_name(answer: str, word: re.Match[str]) -> bool:
    """A number, or a capital that does not stand at the beginning of a sentence."""
    if any(char.isdigit() for char in word[0]):
        return True
    inside = answer[: word.start()].rstrip("\"'“‘( ")[-1:] not in ("", ".", "!", "?")
    return inside and word[0][0].isupper() and word[0].split("'")[0] != "I"


def _key_runs(answer: str, question: str) -> tuple[str, ...]:
    plain = _PLAIN_HAN.sub(" ", answer)
    runs = "".join(" " if char in question else char for char in plain).split()
    return tuple(dict.fromkeys([run for run in runs if len(run) > 1] or runs))


def _folded(text: str) -> str:
    return text.casefold().replace("’", "'")
