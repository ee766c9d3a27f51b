"""A question about the character as one to it, `Where was Mira born?` as `Where were you born?`, and back.

People write settings both ways; rules and synonyms know what is asked of `you`, as in a chat. Only what is certain is
turned: where the question may be about somebody else, it stays as it is, for a fact about another must not become one
about the character. So a question that names it and says `she` or `he` besides is left alone, but for `her` where
nobody else can be meant.
"""

from __future__ import annotations

import re
from functools import lru_cache

from pipeline.augmentation.questions import capitalised
from pipeline.augmentation.synonyms import TITLES as IN_MARKS
from pipeline.records.comparable import TEXTS_KEPT
from pipeline.records.traditional_chinese import as_in, to_simplified

TO_YOU = {"is": "are", "was": "were", "does": "do", "has": "have", "isn't": "aren't", "wasn't": "weren't"}
TO_YOU |= {"doesn't": "don't", "hasn't": "haven't"}
TO_NAME = {yours: theirs for theirs, yours in TO_YOU.items()}
SHARED = "did|didn't|had|can|can't|could|will|would|should|shall|must|may|might"  # before `you` as before a name
PREPOSITIONS = "about|by|for|from|of|to|with|in|on|at|under"
ADVERBS = "(?:(?:also|ever|never|always|often|usually|typically|commonly|mostly|mainly|still|really|now|first) )?"
NO_VERBS = frozenset("as his its this thus always perhaps besides sometimes".split())  # noqa: SIM905 - words
THIRD_PERSON = re.compile(r"(?:(?<=\w\w)(ies)|(ch|sh|ss|x|z|o)es|s)$")  # the endings of a verb
POLITE = re.compile(r"(?:can|could|would|will) you (?:please )?[a-z]+(?: (?:me|us))?\b", re.IGNORECASE)
PRONOUN = re.compile(r"\b(?:she|her|hers|herself|he|him|his|himself)\b(?!')", re.IGNORECASE)
SPEAKS = re.compile(r"\b(?:your?|yours|yourself|I|me|my|we|us|our)\b", re.IGNORECASE)  # to or of those who talk
QUOTED = re.compile(rf"{IN_MARKS.pattern}|『[^』]*』|(?<!\w)'[^']*'(?!\w)")
CAPITAL = re.compile(r"(?<=\w\W)(?!I\b)[A-Z]")  # one that begins no sentence: a name's

# Parts of a name that stand for more than the character, and words before a part that make it another's.
TITLES = frozenset(
    "the a an old young little mr mrs ms miss dr sir lord lady king queen prince princess captain doctor professor "  # noqa: SIM905
    "father mother brother sister uncle aunt saint st master mistress house will may can".split()
)
PARTICLES = frozenset("of the da de di del la le van von".split())  # noqa: SIM905 - words
ASKING = "who whom whose what which where when why how if and".split()  # noqa: SIM905 - words
# Words with a capital that begin a question, and are no part of a name.
BEGINNINGS = frozenset([*TO_YOU, *TO_NAME, *SHARED.split("|"), *PREPOSITIONS.split("|"), *ASKING])

# With one letter for the character: where it may be about another, or names the name.
DOUBTFUL = re.compile(r"\0(?:'s (?:an?|the|not)\b|\s*[:(/|–—])|\b(?:named?|called) \0")
ASKS = re.compile(r"\?\s*$|^(?:who|what|which|where|when|why|how)\b", re.IGNORECASE)  # other texts are titles
HELPERS = "|".join(TO_YOU)
HELPER_NAME = re.compile(rf"\b({HELPERS}) ({ADVERBS})\0(?! and\b)", re.IGNORECASE)
NAME_HELPER = re.compile(rf"\0 ({HELPERS})\b", re.IGNORECASE)
NAME_VERB = re.compile(rf"\0 ({ADVERBS})([a-z]+s)\b", re.IGNORECASE)
# Of whom the question asks something first: `Has Mira won any awards for her songs?`, with nobody else between.
NO_NOUN = f"and|or|when|while|as|before|after|since|until|the|an?|{PREPOSITIONS}"
OWN_NOUN = re.compile(rf"\b({PREPOSITIONS}) (?:his|her)\b(?= (?!(?:{NO_NOUN})\b)[a-z])")
OWN = re.compile(
    rf"[^\0]*\b(?:{HELPERS}|{SHARED}) {ADVERBS}\0 (?!.*\b(?:the|an?|and|or|who)\b)[^,;:.!\0]*", re.IGNORECASE
)

# A question of one clause in which she is the only one there can be.
HER = re.compile(
    r"(?P<before>(?:(?:in|on|at|for|from|by|with|to|about) )?(?:who|whom|whose|what|which|where|when|why|how)?"
    r"(?: (?!the\b|an?\b|and\b)[a-z]+){0,3}?(?: the [a-z]+(?= of (?:her|his)\b))? ?)"
    rf"(?:\b(?P<helper>{HELPERS}|{SHARED}) (?:she|he)\b"
    r"|(?P<is>is|was|are|were|of|about|in|on|at|for) (?P<her>her|his)\b(?= (?!(?:and|or|when|as|the|an?)\b)[a-z])"
    r"|(?P<verb>[a-z]+) (?:her|him)(?=\?$))(?P<after>[^,;:.!]*)",
    re.IGNORECASE,
)

CHINESE = re.compile(r"[\u4e00-\u9fff]")
SHE = "她(?!们)|(?<![其吉维利排无])他(?![们人国乡日杀山])"
BEFORE_NAME = "和与跟对是在给让被把问请说于绍了的从向为替比叫看到当"  # letters before a name; another is part of a word
AFTER_NAME = "们·・镇城国街阁木剧天白月日"  # letters after it that make it another's, or part of a word
HONORIFIC = "(?:大人|小姐|先生|殿下|女士|大小姐)?"


@lru_cache(maxsize=TEXTS_KEPT)
def addressed(question: str, name: str) -> str:
    """The question to the character of that name; as it is where it may be about another, or speaks to somebody."""
    text, name = question.replace("’", "'"), name.replace("’", "'")
    if not name.strip() or any(name in quoted for quoted in QUOTED.findall(text)):
        return question
    if CHINESE.search(text.replace(name, "")):
        turned = _to_chinese_you(to_simplified(text), to_simplified(name))
        turned = text if turned == to_simplified(text) else as_in(text, turned)
    else:
        begun, rest = _after_politeness(text)
        if SPEAKS.search(rest):
            return question
        turned = begun + _to_you(rest, name)
    return capitalised(turned) if turned != text else question


def told_of(question: str, name: str) -> str:
    """A question to the character as one about it; empty where it does not say `you` in a way that is known here."""
    if name in question:
        return ""
    if CHINESE.search(question):
        if re.search("[你妳][们們]", question) or any(re.search("[你妳]", one) for one in QUOTED.findall(question)):
            return ""
        return re.sub("(?<!迷)[你您妳]", lambda _: name, question) if re.search("[你您妳]", question) else ""
    begun, text = _after_politeness(question)
    told = _first_you_as(name, text)
    told = re.sub(r"\byour\b", "their", told, flags=re.IGNORECASE)
    if name not in told or re.search(r"\b(?:you|yours|yourself)\b", told, re.IGNORECASE):
        return ""
    return capitalised(begun + told)


def _after_politeness(text: str) -> tuple[str, str]:
    """`Could you tell me`, where the text begins so, and the rest: that `you` is whoever is asked."""
    polite = POLITE.match(text)
    return (polite[0], text[polite.end() :]) if polite else ("", text)


def _to_you(text: str, name: str) -> str:
    marked = _marked(text, name)  # one letter stands for the character from here on
    if "\0" not in marked:
        return text if CAPITAL.search(text) else _her_to_you(text)
    if OWN.fullmatch(marked):
        marked = OWN_NOUN.sub(lambda at: f"{at[1]} your", marked)
    if PRONOUN.search(marked) or DOUBTFUL.search(marked):
        return text
    turned = re.sub(r"\0's(?=\s+[\w\"“'])", "your", marked)
    if "\0" in turned and not ASKS.search(text):
        return text
    turned = re.sub(r"\b(what|who|where|how|when|why)'s \0", r"\1 are \0", turned, flags=re.IGNORECASE)
    turned = HELPER_NAME.sub(lambda at: f"{_as(at[1], TO_YOU)} {at[2]}\0", turned)
    turned = NAME_HELPER.sub(lambda at: f"\0 {_as(at[1], TO_YOU)}", turned)
    turned = NAME_VERB.sub(_bare_verb, turned)
    return text if "\0'" in turned else turned.replace("\0", "you")


def _marked(text: str, name: str) -> str:
    """The text with one letter for the name, and for its first and last word where they stand for nobody else."""
    marked = re.sub(rf"(?<!\w){re.escape(name)}(?![\w-])", "\0", text) if " " in name else text
    words = [word for word in name.split() if word.lower().rstrip(".") not in TITLES]
    has_surname = len(words) > 1 and words[-2].lower() not in PARTICLES
    parts = [*words[:1], *words[-1:]] if has_surname else words[:1]

    def mark(found: re.Match[str]) -> str:
        before = re.search(r"(\S+)\s+$", found.string[: found.start()])
        word = before[1] if before else ""
        plain = word.lower().removesuffix("'s")
        another = plain.rstrip(".") in TITLES or (word[:1].isupper() and plain not in BEGINNINGS)
        return found[0] if another else "\0"

    for part in parts:
        if len(part) > 1 and (part[0].isupper() or CHINESE.match(part)):
            marked = re.sub(rf"(?<![\w-]){re.escape(part)}(?![\w-]| [A-Z\d])", mark, marked)
    return marked


def _her_to_you(text: str) -> str:
    """A question of one clause about a `she` or `he` who is not named: of settings, the character."""
    found = HER.fullmatch(text)
    if not found or len(PRONOUN.findall(text)) != 1:
        return text
    if helper := found["helper"]:
        middle = f"{_as(helper, TO_YOU) if helper.lower() in TO_YOU else helper} you"
    else:
        middle = f"{found['is']} your" if found["her"] else f"{found['verb']} you"
    return f"{found['before']}{middle}{found['after']}"


def _first_you_as(name: str, text: str) -> str:
    """The first `you` or `your` as the name, with the verb that goes with it; unchanged where that is not known."""
    first = re.search(r"\byour?\b(?! and\b)", text, re.IGNORECASE)
    if not first:
        return text
    before, after = text[: first.start()], text[first.end() :]
    if first[0].lower() == "your":
        return f"{before}{name}'s{after}"
    if re.match(r" (?:say|tell)\b", after):
        return text
    if helper := re.search(rf"\b({'|'.join(TO_NAME)}) $", before, re.IGNORECASE):
        return f"{before[: helper.start()]}{_as(helper[1], TO_NAME)} {name}{after}"
    return f"{before}{name}{after}" if re.search(rf"\b(?:{SHARED}|{PREPOSITIONS}) $", before, re.IGNORECASE) else text


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


def _to_chinese_you(text: str, name: str) -> str:
    """A name of one letter is as often a part of a word, and is left alone."""
    if re.search("[你您]|(?<!自)我", text):
        return text
    if name not in text:
        begun = re.fullmatch(f"((?:请问|那么?|在|对|给|关于|说说|讲讲|介绍一?下)?[，,]?)(?:{SHE})(.*)", text)
        return f"{begun[1]}你{begun[2]}" if begun and not re.search(SHE, begun[2]) else text
    if re.search(SHE, text) or len(name) < 2:
        return text
    named = rf"(?<![^\W_](?<![{BEFORE_NAME}])){re.escape(name)}{HONORIFIC}(?![A-Za-z{AFTER_NAME}])"
    return re.sub(named, "你", text)
