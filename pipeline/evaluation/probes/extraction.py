"""Facts to ask for, proposed from background passages by rules: precision before recall, and the user decides.

A rule matches a clause whose subject is the character: its name, or a pronoun while nobody else has become the subject
since. What is negated or hedged is passed over. What a rule finds is a proposal in a file of probes, with the sentence
that it came from; nothing is asked before the user has set `use` to true.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Language
from pipeline.records.record import Record


@dataclass(frozen=True, slots=True)
class Rule:
    """A form of clause that states an attribute. `{v}` is its value, `{a}` the word that the form leaves open.

    `pattern` begins after the subject; its group `v` is the value, and `a`, if there is one, fills `{a}`.
    """

    type: str
    pattern: str
    answer: str
    questions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    """A proposed fact: what a passage's sentence says of the character, and how to ask for it."""

    type: str
    value: str
    sentence: str
    answer: str
    questions: tuple[str, ...]


_NAME = r"(?P<v>[A-Z][\w'-]+(?: [A-Z][\w'-]+)*)"  # a proper name
_WORDS = r"(?P<v>[\w'-]+(?: [\w'-]+){0,4})"  # a few words, up to the end of the clause
_KIN = "mother|father|brother|sister|husband|wife|friend|mentor|teacher|master|apprentice|rival|daughter|son"
_HAN = r"(?P<v>[^，。；、！？]{2,12})"  # up to the end of the clause
_HAN_KIN = "师父|师傅|母亲|父亲|哥哥|姐姐|弟弟|妹妹|丈夫|妻子"
RULES: Mapping[Language, tuple[Rule, ...]] = {
    "en": (
        Rule(
            type="place",
            pattern=r" was born in " + _NAME,
            answer="I was born in {v}.",
            questions=("Where were you born?", "Which place are you from?"),
        ),
        Rule(
            type="place",
            pattern=r" grew up in " + _NAME,
            answer="I grew up in {v}.",
            questions=("Where did you grow up?", "Where were you a child?"),
        ),
        Rule(
            type="place",
            pattern=r" lives in " + _WORDS,
            answer="I live in {v}.",
            questions=("Where do you live?", "Where is your home?"),
        ),
        Rule(
            type="identity",
            pattern=r" is (?P<v>[a-z]+(?:-[a-z]+)?|[0-9]+) years old",
            answer="I am {v} years old.",
            questions=("How old are you?", "What is your age?"),
        ),
        Rule(
            type="identity",
            pattern=r"(?:'s)? birthday (?:is|falls on|is on) " + _WORDS,
            answer="My birthday is {v}.",
            questions=("When is your birthday?", "On which day were you born?"),
        ),
        Rule(
            type="taste",
            pattern=r"(?:'s)? favou?rite (?P<a>[a-z]+) is " + _WORDS,
            answer="My favourite {a} is {v}.",
            questions=("What is your favourite {a}?", "Which {a} do you like best?"),
        ),
        Rule(
            type="taste",
            pattern=r" (?:hates|loathes|cannot stand) " + _WORDS,
            answer="I hate {v}.",
            questions=("What do you hate?", "What can you not stand?"),
        ),
        Rule(
            type="taste",
            pattern=r" (?:is afraid of|fears) " + _WORDS,
            answer="I am afraid of {v}.",
            questions=("What are you afraid of?", "What frightens you?"),
        ),
        Rule(
            type="relation",
            pattern=rf"(?:'s)? (?:(?:only|best|dearest) )?(?P<a>{_KIN})(?:,| is| was)(?: called)? {_NAME}",
            answer="My {a} is {v}.",
            questions=("Who is your {a}?", "What is the name of your {a}?"),
        ),
    ),
    "zh": (
        Rule(
            type="place",
            pattern=r"(?:出生在|出生于|生于|来自)" + _HAN,
            answer="我出生在{v}。",
            questions=("你是哪里人？", "你出生在什么地方？"),
        ),
        Rule(
            type="place",
            pattern=r"(?:住在|家在)" + _HAN,
            answer="我住在{v}。",
            questions=("你住在哪里？", "要去你家得往哪儿走？"),
        ),
        Rule(
            type="identity",
            pattern=r"今年(?P<v>[一二三四五六七八九十百0-9]{1,4}岁)",
            answer="我今年{v}。",
            questions=("你多大了？", "你今年几岁？"),
        ),
        Rule(
            type="identity",
            pattern=r"的?生日[是在]" + _HAN,
            answer="我的生日是{v}。",
            questions=("你的生日是哪天？", "什么时候给你庆生？"),
        ),
        Rule(
            type="taste",
            pattern=r"最(?:爱|喜欢)吃" + _HAN,
            answer="我最爱吃{v}。",
            questions=("你最爱吃什么？", "请你吃饭点什么好？"),
        ),
        Rule(
            type="taste",
            pattern=r"最(?:爱|喜欢)喝" + _HAN,
            answer="我最爱喝{v}。",
            questions=("你最爱喝什么？", "给你倒点什么喝？"),
        ),
        Rule(
            type="taste",
            pattern=r"讨厌" + _HAN,
            answer="我讨厌{v}。",
            questions=("你讨厌什么？", "有什么是你受不了的？"),
        ),
        Rule(
            type="taste",
            pattern=r"最怕(?:的是)?" + _HAN,
            answer="我最怕{v}。",
            questions=("你最怕什么？", "什么东西最让你害怕？"),
        ),
        Rule(
            type="relation",
            pattern=rf"的?(?P<a>{_HAN_KIN})[是叫](?P<v>[^，。；！？的]{{2,6}})",
            answer="我的{a}是{v}。",
            questions=("你的{a}是谁？", "你{a}叫什么名字？"),
        ),
    ),
}
PRONOUNS: Mapping[Language, tuple[str, ...]] = {"en": ("she", "he", "her", "his"), "zh": ("她", "他")}
UNSURE = re.compile(
    r"\b(?:not|never|no|perhaps|maybe|may|might|said to|rumou?red|once)\b|不|没|未|也许|可能|据说|传说|曾"
)
SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]?")
CLAUSE: Mapping[Language, re.Pattern[str]] = {
    "en": re.compile(r"(?:, (?:and|but|where)|;|, (?=(?:she|he|her|his) )| and (?=(?:her|his|she|he) ))"),
    "zh": re.compile(r"[，；]"),
}


def facts_of(passage: str, name: str, language: Language) -> list[Fact]:
    """What the passage surely says of the character, in its order, each attribute once."""
    found: dict[tuple[str, str], Fact] = {}
    for sentence, clause in _own_clauses(passage, name, language):
        for rule in RULES[language]:
            match = re.match(rule.pattern, clause)
            if match and not UNSURE.search(clause):
                words = {"v": match["v"].strip(), "a": match.groupdict().get("a") or ""}
                questions = tuple(question.format(**words) for question in rule.questions)
                fact = Fact(rule.type, words["v"], sentence, rule.answer.format(**words), questions)
                found.setdefault((rule.answer, words["a"]), fact)
    return list(found.values())


def write_proposals(records: Sequence[Record], name: str, language: Language, path: Path) -> int:
    """`path` holds a probes file with the facts of all passages, each to be used or not; returns how many."""
    proposals = [
        {
            "use": False,
            "fact_id": f"{record.record_id}-{number}",
            "type": fact.type,
            "question_seen": "",
            "questions_unseen": list(fact.questions),
            "answer": fact.answer,
            "aliases": [fact.value],
            "sentence": fact.sentence,
        }
        for record in records
        if record.kind == "background"
        for number, fact in enumerate(facts_of(record.text, name, language))
    ]
    write_text(path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in proposals))
    return len(proposals)


def _own_clauses(passage: str, name: str, language: Language) -> Iterator[tuple[str, str]]:
    """(sentence, clause without its subject) of the clauses whose subject is the character."""
    names = sorted({name, *(name.split() if language == "en" else ())}, key=len, reverse=True)
    own = re.compile("|".join(map(re.escape, names)))
    pronoun = re.compile(rf"(?:{'|'.join(PRONOUNS[language])})(?![a-z])", re.IGNORECASE)
    about = goes_on = False
    for sentence in (found.group().strip() for found in SENTENCE.finditer(passage)):
        for number, clause in enumerate(part.strip() for part in CLAUSE[language].split(sentence)):
            subject = own.match(clause) or (pronoun.match(clause) if about else None)
            if subject:
                about, goes_on = (
                    True,
                    not clause[subject.end() :].startswith("的"),
                )  # else it is what is hers that goes on
                yield sentence, _after(clause[subject.end() :], language)
            elif number == 0:
                about = False  # somebody else is what is spoken of
            elif about and goes_on and language == "zh":
                yield sentence, clause  # Chinese goes on about the same subject without naming it


def _after(clause: str, language: Language) -> str:
    """The clause after its subject; further names of the subject, such as a family name, are passed over."""
    return re.sub(r"^(?: [A-Z][\w-]+)+", "", clause) if language == "en" else clause
