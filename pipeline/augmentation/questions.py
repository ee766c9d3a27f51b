"""One question to many that ask for the same: rules by language, as data, so that anybody can add their own.

A rule recognises a question (`What is your favourite colour`) and knows other ways to ask for exactly that, by family:
in plain words, embedded, as a request, as a fragment, about the character instead of to it, as a search, as a sentence
to be completed, with a reason. The rules of a language that know what is asked for are in the files of its topics
(`topics_people.en.json`), those that know only a sentence's build in `questions.en.json`; those of a recipe's own file
come before them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from pipeline.augmentation.answered import sort_of_answer
from pipeline.augmentation.spoken import FINAL_PUNCTUATION, as_written
from pipeline.augmentation.subjects import with_subject
from pipeline.conversations.persona import Language
from pipeline.errors import UnderstudyError
from pipeline.records.comparable import TEXTS_KEPT
from pipeline.records.traditional_chinese import as_in, is_traditional, to_simplified, to_traditional

Family = Literal[
    "direct",
    "indirect",
    "imperative",
    "elliptic",
    "third_person",
    "keyword",
    "statement",
    "casual",
    "paraphrase",
    "reverse",
    "frame",
]
Templates = Mapping[str, Sequence[str]]  # of a rule's `about`, by family
FAMILIES: tuple[Family, ...] = get_args(Family)
RULE_FAMILIES = FAMILIES[:-3]  # those that a rule's wordings are of
TOPICS = ("life", "work", "self", "people", "tastes", "world")  # a question that two of them know is the first's


@dataclass(frozen=True, slots=True)
class Wording:
    """A question in other words, and the way in which it asks; `generic` if it keeps the words of what is asked for."""

    family: Family
    text: str
    generic: bool = False


@dataclass(frozen=True, slots=True, eq=False)  # a rule is equal to itself alone, which makes it a quick key
class Rule:
    """A form of question, and what asks for the same: `asks` matches all of it, its named groups fill the wordings.

    A `generic` rule knows only the sentence's build, such as `What is your X`; the others know what is asked for.
    """

    name: str
    asks: re.Pattern[str]
    wordings: tuple[Wording, ...]
    generic: bool


def read_rules(path: Path, templates: Templates = MappingProxyType({})) -> tuple[Rule, ...]:
    """The rules of a file, in its order, with the `templates` where it has none of its own.

    Raises:
        UnderstudyError: the file is missing, or a rule of it is broken; with its number and name.
    """
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        listed = content.get("rules", []) if "synonyms" in content else content["rules"]
    except OSError as error:
        raise UnderstudyError(path, "is not there", fix="correct `question_rules` in the recipe") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnderstudyError(path, f"is no file of rules ({error})", fix='write {"rules": [...]}') from error
    templates = content.get("templates", templates)
    return tuple(_rule(f"{path}, rule {number}", fields, templates) for number, fields in enumerate(listed, 1))


@cache
def language_rules(language: Language) -> tuple[Rule, ...]:
    """The language's own rules: those of its topics, then those of a sentence's build; they share their templates."""
    folder = Path(__file__).parent
    templates = json.loads((folder / f"templates.{language}.json").read_text(encoding="utf-8"))
    files = [folder / f"{name}.{language}.json" for name in (*(f"topics_{topic}" for topic in TOPICS), "questions")]
    return tuple(rule for file in files for rule in read_rules(file, templates))


def rules_for(language: Language, files: Sequence[str]) -> tuple[Rule, ...]:
    """The rules of a recipe's own `files`, then the language's.

    Raises:
        UnderstudyError: see `read_rules`.
    """
    own = [rule for file in files for rule in read_rules(Path(file).expanduser())]
    return (*own, *language_rules(language))


def without_family(rules: Sequence[Rule], family: Family) -> tuple[Rule, ...]:
    """The rules without their wordings of one family."""
    return tuple(
        replace(rule, wordings=tuple(wording for wording in rule.wordings if wording.family != family))
        for rule in rules
    )


def reword(question: str, name: str, rules: Sequence[Rule], *, traditional: bool = False) -> list[Wording]:
    """Every other wording that the rules know of a question, itself left out.

    They are those of the first rule that knows what is asked for, but for those that another sort of answer is given
    to, then those of the first that knows the sentence's build. `name` is the character's, for questions about it. A
    question in traditional characters, or one that could be where `traditional`, is known as in simplified ones.
    """
    return list(_reworded(question, name, tuple(rules), is_traditional(question, otherwise=traditional)))


@lru_cache(maxsize=TEXTS_KEPT)  # of a question that is a fact's, a probe's and somebody else's
def _reworded(question: str, name: str, rules: tuple[Rule, ...], traditional: bool) -> tuple[Wording, ...]:
    asked = _asked(question)
    sort = sort_of_answer(asked[0])
    found: dict[str, Wording] = {}
    for generic in (False, True):
        if known := _first_match(asked, rules, generic=generic):
            rule, match = known
            slots = {key: value.strip() for key, value in match.groupdict(default="").items()}
            slots = {key: as_in(question, value) if traditional else value for key, value in slots.items()}
            for wording in rule.wordings:
                template = to_traditional(wording.text) if traditional else wording.text
                text = capitalised(template.format(**slots, name=name))
                if not generic and sort_of_answer(text) != sort:
                    continue
                found.setdefault(plain(text), Wording(wording.family, text, generic))
    found.pop(plain(question), None)
    return tuple(found.values())


def rule_of(question: str, rules: Sequence[Rule], *, generic: bool = False) -> Rule | None:
    """The first rule that knows what the question asks for; with `generic`, the first that knows its build."""
    known = _first_match(_asked(question), rules, generic=generic)
    return known[0] if known else None


def _asked(question: str) -> tuple[str, ...]:
    """The question as rules are written for it: with the subject that it leaves out, then as it stands."""
    asked = as_written(to_simplified(question) if is_traditional(question) else question)
    return tuple(dict.fromkeys((with_subject(asked), asked)))


def _first_match(asked: Sequence[str], rules: Sequence[Rule], *, generic: bool) -> tuple[Rule, re.Match[str]] | None:
    known = [rule for rule in rules if rule.generic is generic]
    matches = ((rule, rule.asks.fullmatch(text)) for text in asked for rule in known)
    return next(((rule, match) for rule, match in matches if match), None)


def plain(question: str) -> str:
    """The question in lower case, without its final mark."""
    return question.strip(FINAL_PUNCTUATION).casefold()


def capitalised(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _rule(where: str, fields: Any, templates: Templates) -> Rule:
    """The rule of these fields, its pattern compiled and its wordings' slots there.

    What it lists under `about`, such as `your age`, stands in each of the templates, by family.
    """
    try:
        named = f"{where} ({fields['name']})"
        asks = re.compile(fields["asks"], re.IGNORECASE)
        wordings = tuple(
            Wording(family, text)
            for family in RULE_FAMILIES
            for text in (
                *fields["wordings"].get(family, ()),
                *(
                    frame.replace("{about}", one)
                    for one in fields.get("about", ())
                    for frame in templates.get(family, ())
                ),
            )
        )
        unknown = set(fields["wordings"]) - set(RULE_FAMILIES)
        generic = bool(fields.get("generic", False))
    except (TypeError, KeyError, AttributeError) as error:
        raise UnderstudyError(where, f"lacks {error}", fix="give it `name`, `asks` and `wordings`") from error
    except re.error as error:
        raise UnderstudyError(where, f"`asks` is no regular expression ({error})", fix="correct it") from error
    if unknown:
        raise UnderstudyError(named, f"has no family {', '.join(unknown)}", fix=f"use {', '.join(RULE_FAMILIES)}")
    slots: Mapping[str, str] = dict.fromkeys([*asks.groupindex, "name"], "")
    for wording in wordings:
        try:
            wording.text.format(**slots)
        except (KeyError, ValueError, IndexError) as error:
            raise UnderstudyError(
                named, f"{wording.text!r} has a slot that `asks` has no group for ({error})", fix="name the group"
            ) from error
    return Rule(str(fields["name"]), asks, wordings, generic)
