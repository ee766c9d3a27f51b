"""A question about the character as one to it, `Where was Mira born?` as `Where were you born?`, and back.

People write settings both ways. Rules and synonyms know what is asked of `you`, as in a chat, and so a question that
names the character is turned to it first. The grammar is of questions as people write them; what it gets wrong is
clumsy, and asks for the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable

TO_YOU = {"is": "are", "was": "were", "does": "do", "has": "have", "isn't": "aren't", "wasn't": "weren't"}
TO_YOU |= {"doesn't": "don't", "hasn't": "haven't"}
TO_NAME = {yours: theirs for theirs, yours in TO_YOU.items()}
HELPERS = "did|didn't|had|can|can't|could|will|would|should|shall|must|may|might"
PREPOSITIONS = "about|by|for|from|of|to|with"
ADVERBS = "(?:(?:also|ever|never|always|often|usually|typically|commonly|mostly|mainly|still|really|now|first) )?"
NO_VERBS = frozenset("as his its this thus always perhaps besides sometimes".split())  # noqa: SIM905 - words
THIRD_PERSON = re.compile(r"(?:(?<=\w\w)(ies)|(ch|sh|ss|x|z|o)es|s)$")  # the endings of a verb's third person
# `His` in a question about one of these is hardly the character's.
SOMEBODY = re.compile(
    r"\byour (?:\w+ )?(?:brother|sister|mother|father|mum|dad|parents?|wife|husband|spouse|sons?|daughters?|child\w*|"
    r"uncle|aunt|cousin|grand\w+|twin|friends?|rival|enem\w+|teacher|master|mentor|boss|apprentice|pupil|partner|"
    r"colleague|neighbou?r|pet|cat|dog|horse)s?\b"
)
OBJECT = re.compile(r"\b(?:him|them)\b", re.IGNORECASE)  # beside the character's name somebody else
POLITE = re.compile(r"(?:can|could|would|will) you (?:please )?[a-z]+\b", re.IGNORECASE)
CHINESE = re.compile(r"[\u4e00-\u9fff]")
CHINESE_QUOTES = re.compile(r"《[^》]*》|「[^」]*」|“[^”]*”")


def addressed(question: str, name: str) -> str:
    """The question to the character of that name; as it is where it is about nobody, or addresses somebody already.

    A settings question about a `she` or `he` who is not named is about the character, too.
    """
    if CHINESE.search(question):
        return question if re.search("[你您我]", question) else _to_chinese_you(question, name)
    polite = POLITE.match(question)
    begun, rest = (polite[0], question[polite.end() :]) if polite else ("", question)
    if re.search(r"\b(?:your?|I|my|we|our)\b", rest, re.IGNORECASE):
        return question
    turned = begun + _to_you(rest, _names(name))
    return turned[:1].upper() + turned[1:] if turned != question else question


def told_of(question: str, name: str) -> str:
    """A question to the character as one about it; empty where it does not say `you` in a way that is known here."""
    if CHINESE.search(question):
        return re.sub("[你您]", name, question) if re.search("[你您]", question) else ""
    flags = re.IGNORECASE
    polite = POLITE.match(question)
    begun, told = (polite[0], question[polite.end() :]) if polite else ("", question)
    told = re.sub(
        rf"\b({'|'.join(TO_NAME)}) you\b", lambda found: f"{_as(found[1], TO_NAME)} {name}", told, flags=flags
    )
    told = re.sub(rf"\b({HELPERS}|{PREPOSITIONS}) you\b(?! (?:say|tell)\b)", rf"\1 {name}", told, flags=flags)
    if name not in told:
        told = re.sub(r"\byour\b", f"{name}'s", told, count=1, flags=flags)
    told = re.sub(r"\byour\b", "their", told, flags=flags)
    if begun + told == question or re.search(r"\b(?:you|yours?|yourself)\b", told, flags):
        return ""
    told = begun + told
    return told[:1].upper() + told[1:]


def _names(name: str) -> re.Pattern[str]:
    """The full name, and its first and last word where no other name is beside them."""
    parts = [re.escape(part) for part in dict.fromkeys((name.split()[0], name.split()[-1])) if len(part) > 2]
    alone = [rf"(?<![A-Z][a-z] )(?<!\w){part}(?! [A-Z])" for part in parts if part[0].isupper()]
    return re.compile("|".join(rf"(?:{one})(?![\w-])" for one in (rf"(?<!\w){re.escape(name)}", *alone)))


def _to_you(question: str, names: re.Pattern[str]) -> str:
    marked = names.sub("\0", question)  # one letter stands for the character from here on
    named = marked != question
    if not named and re.search(r"(?<=\w\W)[A-Z]", question):  # a capital that begins no sentence: another's name
        return question
    turned = re.sub("\0['’]s?(?!\\w)", "your", marked)
    if not named or (not OBJECT.search(turned) and ("\0" in turned or not SOMEBODY.search(turned))):
        turned = _mark_pronouns(turned)
    helpers = "|".join(TO_YOU)
    turned = _sub(rf"\b({helpers}) ({ADVERBS})\0", lambda found: f"{_as(found[1], TO_YOU)} {found[2]}\0", turned)
    turned = _sub(rf"\0 ({helpers})\b", lambda found: f"\0 {_as(found[1], TO_YOU)}", turned)
    return _sub(rf"\0 ({ADVERBS})([a-z]+s)\b", _bare_verb, turned).replace("\0", "you")


def _mark_pronouns(text: str) -> str:
    """What stands for the character in place of `she`, or of `he`, whichever is first; the other is somebody else."""
    first = re.search(r"\b(?:(she|her|herself)|he|him|his|himself)\b", text, re.IGNORECASE)
    if not first:
        return text
    subject, other, own, itself = ("she", "her", "her", "herself") if first[1] else ("he", "him", "his", "himself")
    text = _sub(rf"\b{subject}\b", lambda _: "\0", _sub(rf"\b{itself}\b", lambda _: "yourself", text))
    if other == own:  # `her` before a noun is `your`
        text = _sub(rf"\b{own}(?= (?!(?:{PREPOSITIONS}|and|or|in|on|at|when|as|most|more|the|a)\b)[a-z])", _your, text)
    return _sub(rf"\b{other}\b", lambda _: "you", _sub(rf"\b{own}\b", _your, text) if own != other else text)


def _your(found: re.Match[str]) -> str:
    return "Your" if found[0][0].isupper() else "your"


def _bare_verb(found: re.Match[str]) -> str:
    """`Mira writes` as `you write`; what only looks like a verb stays."""
    verb = found[2]
    if verb in NO_VERBS or verb.endswith(("ss", "us")):
        return found[0]
    return f"\0 {found[1]}{THIRD_PERSON.sub(lambda end: 'y' if end[1] else end[2] or '', verb)}"


def _as(word: str, table: dict[str, str]) -> str:
    """The word's counterpart, with a capital if it has one."""
    other = table[word.lower()]
    return other.capitalize() if word[0].isupper() else other


def _sub(pattern: str, replace: Callable[[re.Match[str]], str], text: str) -> str:
    return re.sub(pattern, replace, text, flags=re.IGNORECASE)


def _to_chinese_you(question: str, name: str) -> str:
    """A name of one letter is as often a part of a word, and is left alone; so is what stands in quotation marks."""
    who = (
        rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])"
        if len(name) > 1 and name in question
        else "她(?!们)|(?<!其)他(?!们|人)"
    )
    quoted = [found.span() for found in CHINESE_QUOTES.finditer(question)]

    def replace(found: re.Match[str]) -> str:
        return found[0] if any(start < found.end() and found.start() < end for start, end in quoted) else "你"

    return re.sub(who, replace, question)
