"""What a character is asked that no record answers: data by language, parted into what is taught and what is tested."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Language


@dataclass(frozen=True, slots=True)
class Questions:
    """Questions of one sort, or names to ask about: those that training may use, and those that only measuring does."""

    train: tuple[str, ...]
    test: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """Something that hardly any record gives. `known_if` finds it in a character's texts, where it may be known.

    `about` stands for it in `Boundaries.asks_about`. Of some things nothing is taught, and only the test asks.
    """

    name: str
    known_if: str
    about: str
    questions: Questions


@dataclass(frozen=True, slots=True)
class Premise:
    """What may wrongly be said of the fact that a rule knows: `values`, `{value}` in each of the `questions`."""

    rule: str
    values: tuple[str, ...]
    questions: Questions


@dataclass(frozen=True, slots=True)
class Boundaries:
    """The texts of a language. `{name}` in an introduction is the character's, `{sentence}` one about itself.

    `strangers` are names of people, places and things that no character has been told of.
    `small_talk_replies` are what people reply to some of it; `briefly` is the base model's system prompt where it is
    asked for the rest, `claims` a pattern of what such a reply says of who speaks; `{answer}` in a correction is the
    fact's.
    """

    identity: Questions
    introduction: str
    introduction_with: str
    briefly: str
    claims: str
    small_talk: Questions
    small_talk_replies: Mapping[str, Sequence[str]]
    asks_about: tuple[str, ...]
    unanswerable: tuple[Unanswerable, ...]
    strangers: Questions
    refusals: tuple[str, ...]
    refusal_markers: tuple[str, ...]
    corrections: tuple[str, ...]
    premises: tuple[Premise, ...]
    small_talk_before: tuple[tuple[str, str], ...]
    openers: tuple[str, ...]
    closers: tuple[str, ...]
    other_names: Questions


@cache
def read_boundaries(language: Language) -> Boundaries:
    """The texts of `boundaries.LANGUAGE.json`, beside this module."""
    path = Path(__file__).with_name(f"boundaries.{language}.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names = content["other_names"]
    return Boundaries(
        identity=_questions(content["identity"]),
        introduction=content["introduction"],
        introduction_with=content["introduction_with"],
        briefly=content["briefly"],
        claims="|".join(content["claims"]),
        small_talk=_questions(content["small_talk"]),
        small_talk_replies=content["small_talk_replies"],
        asks_about=tuple(content["asks_about"]),
        unanswerable=tuple(
            Unanswerable(one["name"], one["known_if"], one.get("about", ""), _questions(one))
            for one in content["unanswerable"]
        ),
        strangers=_questions(content["strangers"]),
        refusals=tuple(content["refusals"]),
        refusal_markers=tuple(content["refusal_markers"]),
        corrections=tuple(content["corrections"]),
        premises=tuple(Premise(one["rule"], tuple(one["values"]), _questions(one)) for one in content["premises"]),
        small_talk_before=tuple((asked, replied) for asked, replied in content["small_talk_before"]),
        openers=tuple(content["openers"]),
        closers=tuple(content["closers"]),
        other_names=Questions(
            tuple(one["name"] for one in names["train"]), tuple(one["name"] for one in names["test"])
        ),
    )


def without_names(boundaries: Boundaries, names: Iterable[str]) -> Boundaries:
    """The texts, whose other names share no word with these."""
    taken = {word for name in names for word in name.split()}
    train, test = (
        tuple(name for name in of if not taken & {name, *name.split()})
        for of in (boundaries.other_names.train, boundaries.other_names.test)
    )
    return replace(boundaries, other_names=Questions(train, test))


def _questions(content: Mapping[str, Any]) -> Questions:
    return Questions(tuple(content["train"]), tuple(content["test"]))
