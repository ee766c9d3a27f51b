"""A question with phrases of it replaced by others that mean the same.

A generic rule knows the sentence's build, and keeps its words; a fact known by those words alone is not known. The
phrases of a language are `synonyms.en.json` and `synonyms.zh.json`; a recipe's own file of rules may add to them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.conversations.persona import Language
from pipeline.errors import UnderstudyError
from pipeline.records.traditional_chinese import is_traditional, to_simplified, to_traditional

WORDS, LETTERS = re.compile(r"[\w'-]+"), re.compile(".", re.DOTALL)
TITLES = re.compile(r"《[^》]*》|「[^」]*」|“[^”]*”|\"[^\"]*\"")
# English words with a capital that is not of a sentence's beginning are a name's; so is what stands between them.
NAMES = re.compile(r"(?<=[^.!?:\s]\s)(?!I\b)[A-Z][\w'-]*(?:\s(?:of|the|and|in|at)(?=\s))*(?:\s[A-Z][\w'-]*)*")


@dataclass(frozen=True, slots=True)
class Synonyms:
    """What can stand for each phrase, which is in lower case; `whole_words`: a part of a word is no phrase.

    `own` are a recipe's phrases, which stand for what they say in names and titles, too.
    """

    alternatives: Mapping[str, Sequence[str]]
    whole_words: bool
    longest: int
    own: frozenset[str] = frozenset()


@cache
def language_synonyms(language: Language) -> Synonyms:
    """The language's own phrases. English ones are whole words; Chinese ones any part of a question."""
    path = Path(__file__).with_name(f"synonyms.{language}.json")
    return make_synonyms(json.loads(path.read_text(encoding="utf-8")), whole_words=language == "en")


def synonyms_for(language: Language, files: Sequence[str]) -> Synonyms:
    """The language's phrases, and those that a recipe's own `files` list under `synonyms`, which take their place.

    Raises:
        UnderstudyError: such a list is broken; with its file and phrase.
    """
    built_in = language_synonyms(language)
    own: dict[str, Sequence[str]] = {}
    for file in reversed(files):  # as of rules, the first file's count
        own |= _own(Path(file).expanduser())
    if not own:
        return built_in
    lower = {phrase.lower(): others for phrase, others in own.items()}
    made = make_synonyms({**built_in.alternatives, **lower}, whole_words=built_in.whole_words)
    return replace(made, own=frozenset(lower))


def _own(path: Path) -> Mapping[str, Sequence[str]]:
    own = json.loads(path.read_text(encoding="utf-8")).get("synonyms", {})
    if not isinstance(own, dict):
        raise UnderstudyError(path, "has `synonyms` that are no table", fix='write {"phrase": ["another", ...], ...}')
    for phrase, others in own.items():
        if not (phrase and isinstance(others, list) and others and all(isinstance(one, str) and one for one in others)):
            raise UnderstudyError(path, f"has no list of phrases for {phrase!r}", fix='write {"phrase": ["another"]}')
    return own


def make_synonyms(alternatives: Mapping[str, Sequence[str]], *, whole_words: bool) -> Synonyms:
    """Synonyms out of phrases and what can stand for each."""
    own = {phrase.lower(): tuple(others) for phrase, others in alternatives.items()}
    return Synonyms(own, whole_words, longest=max(map(len, own), default=0))


def in_other_words(question: str, synonyms: Synonyms, name: str = "", *, traditional: bool = False) -> list[str]:
    """The question with its known phrases replaced, as many at once as do not overlap; none where none is known.

    Of overlapping ones (`where is your`, `your home`) now the first, now the last is taken, never one within another.
    The character's `name`, other names and titles stay as they are, and so does a capital that begins a phrase. A
    question in traditional characters, or one that could be where `traditional`, has such phrases for its own.
    """
    written, traditional = question, is_traditional(question, otherwise=traditional)
    question, name = (to_simplified(question), to_simplified(name)) if traditional else (question, name)
    kept = [match.span() for match in TITLES.finditer(question)]
    kept += [match.span() for match in NAMES.finditer(question)] if synonyms.whole_words else []
    kept += [match.span() for match in re.finditer(re.escape(name), question)] if name else []
    found = [
        (start, end)
        for start, end in _phrases(question, synonyms)
        if question[start:end].lower() in synonyms.own or not _overlaps(start, end, kept)
    ]
    versions: list[str] = []
    for spans in (_apart(found), sorted(_apart(found[::-1]))):
        others = [synonyms.alternatives[question[slice(*span)].lower()] for span in spans]
        for number in range(max(map(len, others), default=0)):
            phrases = [own[number % len(own)] for own in others]
            versions.append(
                _replaced(written, spans, [to_traditional(one) for one in phrases] if traditional else phrases)
            )
    return list(dict.fromkeys(versions))


def _phrases(question: str, synonyms: Synonyms) -> list[tuple[int, int]]:
    """Where the known phrases begin and end, from left to right, those within others left out."""
    text = question.lower()
    if len(text) != len(question):  # a capital of two lower letters
        return []
    words = [match.span() for match in (WORDS if synonyms.whole_words else LETTERS).finditer(text)]
    found: list[tuple[int, int]] = []
    for number, (start, _) in enumerate(words):
        ends = [end for _, end in words[number : number + synonyms.longest] if end - start <= synonyms.longest]
        end = next((end for end in reversed(ends) if text[start:end] in synonyms.alternatives), 0)
        if end and not (found and end <= found[-1][1]) and (synonyms.whole_words or not _is_a_not_a(text, start, end)):
            found.append((start, end))
    return found


def _is_a_not_a(text: str, start: int, end: int) -> bool:
    """Whether it is half of a Chinese choice between a thing and its contrary, as in 害不害怕 and 后悔没后悔过."""
    before, phrase, after = text[: start - 1] if start else "", text[start:end], text[end:]
    is_second = text[start - 1 : start] in {"不", "没"} and any(
        before.endswith(phrase[:length]) for length in range(1, len(phrase) + 1)
    )
    return is_second or (after[:1] in {"不", "没"} and after[1:].startswith(phrase))


def _apart(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Those that do not overlap one before them."""
    chosen: list[tuple[int, int]] = []
    for start, end in spans:
        if not _overlaps(start, end, chosen):
            chosen.append((start, end))
    return chosen


def _overlaps(start: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < over and begun < end for begun, over in spans)


def _replaced(question: str, spans: Sequence[tuple[int, int]], others: Sequence[str]) -> str:
    parts: list[str] = []
    done = 0
    for (start, end), other in zip(spans, others, strict=True):
        text = other[0].upper() + other[1:] if question[start].isupper() else other
        parts += [question[done:start], text]
        done = end
    return "".join([*parts, question[done:]])
