"""Who says what is quoted in English prose: "Sit down," said Mira. Mira shook her head. "No." "No," Mira said.

Only what is sure: the name stands directly beside the verb, or begins the sentence, and nobody else can be the subject.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pipeline.records.readers.scripts.quotations import SOMEBODY, UNSAID

# These may be followed by to whom, where or how; the others by nothing of it, as they also mean something else.
SAYING = (
    "said|says|asked|asks|replied|replies|answered|answers|whispered|whispers|murmured|murmurs|muttered|mutters|"
    "shouted|shouts|called|calls|cried|cries|yelled|yells|exclaimed|snapped|hissed|growled"
)
ALSO = (
    "added|adds|agreed|agrees|admitted|announced|argued|begged|bellowed|breathed|complained|continued|corrected|"
    "countered|declared|demanded|echoed|explained|finished|gasped|groaned|grumbled|grunted|inquired|insisted|"
    "interrupted|joked|lied|moaned|mumbled|noted|objected|observed|offered|ordered|pleaded|promised|protested|purred|"
    "remarked|repeated|responded|retorted|roared|scoffed|screamed|sneered|snarled|sobbed|stammered|stated|suggested|"
    "began|teased|urged|warned|went on|put in|pointed out|shot back|chimed in"
)
SOUNDS = "laughed|sighed|smiled|snorted|chuckled|giggled|grinned"  # of saying only where the quotation ends in a comma
TITLE = (
    r"(?:(?:Mr|Mrs|Ms|Dr|Prof|Capt|Sgt|St)\.? |(?:Miss|Sir|Lady|Lord|Captain|Father|Mother|Sister|Brother|Aunt|Uncle|"
    r"Old|Professor|Detective|Inspector|Officer|King|Queen|Prince|Princess) )"
)
WORD = r"[A-ZÀ-ÖØ-Þ][\w-]*(?:['’](?!s\b)[A-Za-z][\w-]*)?"
NAME = rf"(?P<name>{TITLE}?{WORD}(?: (?:(?:de|van|von|of|the|da|del) )?{WORD}){{0,3}})(?!['’\w-])"
NO_NAME = re.compile(
    r"(?:I|He|She|It|We|You|They|The|An?|This|That|These|Those|There|Then|Now|Here|But|And|So|N?or|Yet|If|When|While|As|"
    r"After|Before|Until|Because|Since|Though|Although|What|Who|Whom|Whose|Which|Where|Why|How|(?:No|Some|Every|Any)body|"
    r"(?:Some|Any|Every)one|(?:No|Some|Every)thing|No|Yes|One|Two|Three|His|Her|Its|My|Your|Our|Their|Both|N?either|Each|"
    r"All|Some|Most|Many|Another|Other|At|In|On|From|With|Without|Under|Over|By|For|To|Of|Once|Finally|Suddenly|Instead|"
    r"Again|Only|Even|Just|Perhaps|Maybe|Not|Never|Outside|Inside|Behind|Beside|Well|Oh)\b"
)
ADVERB = r"(?:\w+ly|then|also|only|just|finally|again|at last|at once|still|soon)"
END = r"(?=\s*(?:[.,;:!?…—–-]|$))"
WITHIN = (
    r"(?= (?:\w+ly|softly|again|aloud|as|with|without|in|from|at|over|through|and|then|while|before|after|when|under|"
    r"by|around|back|instead|at last|out loud)\b)"
)
TO_WHOM = r"(?: (?:to|at) (?:him|her|them|me|us|you|nobody|no one|himself|herself|the \w+|[A-Z]\w+))?"
OBJECT = r"(?: (?:him|her|them|me|us))?"
PRONOUN = r"(?:he|she|they|I|we|you|it|He|She|They|We|You|It)"
AFTER = tuple(
    re.compile(pattern)
    for pattern in (
        rf"(?:{SAYING}){OBJECT} {NAME}(?! and [A-Z])(?:{END}|{WITHIN}|(?= to ))",
        rf"(?:{ALSO}) {NAME}(?! and [A-Z])(?:{END}|{WITHIN})",
        rf"{NAME} (?:{ADVERB} )?(?:{SAYING})(?: out(?! of\b))?{TO_WHOM}{OBJECT}(?: {WORD})?(?:{END}|{WITHIN})",
        rf"{NAME} (?:{ADVERB} )?told (?:him|her|them|me|us|the \w+|{WORD})(?:{END}|{WITHIN})",
        rf"{NAME} (?:{ADVERB} )?(?:{ALSO})(?:{END}|(?= \w+ly\b))",
    )
)
AFTER_A_COMMA = re.compile(rf"(?:{NAME} (?:{ADVERB} )?(?:{SOUNDS})|(?:{SOUNDS}) (?P<last>{WORD})){END}")
BY_SOMEBODY = re.compile(rf"(?:{SAYING}|{ALSO}|{SOUNDS})\b|[^.!?;]{{0,60}}\b(?:{SAYING}|{ALSO})\b")
BEFORE = re.compile(
    rf"(?:(?:Then|But|And|So|Finally|Suddenly|At last),? |[A-Z][^A-Z,.]{{0,40}}, )?{NAME}"
    rf"(?: (?P<action>[a-z][^.!?]{{0,100}}?) and)?,? (?:{ADVERB} )?(?:{SAYING}|{ALSO}|told)(?: out)?"
    rf"(?: (?:to |at )?(?:him|her|them|me|us|you|the \w+|[A-Z]\w+))?(?: {ADVERB})?[,:]?"
)
SUBORDINATE = re.compile(
    r"\b(?:who|whom|that|which|as|while|until|till|when|before|after|if|because|where|than|watched|heard|hears|saw|let|"
    r"made|waited|listened|told|asked|wanted|wished|thought|knew|never|not|he|she|they|we|you|it|I|"
    r"[A-Z]\w+ (?!and\b)\w+)\b"
)
TO_NAME = re.compile(r"\b(?:to|at|toward|towards|from|past|with|beside|behind|near|by) [A-Z]\w+")
THOUGHT = re.compile(
    r"\b(?:thought|wondered|wrote|read|reads|said to (?:him|her)self|remembered|imagined|signed)\b[^.!?]*$"
)
# All that the sentence says: what is frowned at, or done when a door opens, may be what speaks next.
_WHOLE = (
    r"shook (?:her|his) head|nodded|smiled|grinned|sighed|shrugged(?: (?:her|his) shoulders)?|frowned|laughed|paused|"
    r"hesitated|snorted|scowled|winced|blushed|swallowed|leaned (?:in|back|forward|closer)|chuckled|glared|waved|"
    r"raised (?:an|her|his) (?:eyebrow|brow|hand|chin)|rolled (?:her|his) eyes|cleared (?:her|his) throat|"
    r"crossed (?:her|his) arms|folded (?:her|his) arms|tilted (?:her|his) head|(?:took|drew) a (?:long |deep )?breath|"
    r"bit (?:her|his) lip|lowered (?:her|his) voice|narrowed (?:her|his) eyes|looked (?:up|away|down)|"
    r"closed (?:her|his) eyes|rubbed (?:her|his) \w+"
)
_HOW = r"(?:\w+ly|then|also|only|just|again|once|twice|a little|for a moment|at last|back)"
_GESTURE = rf"(?:{_HOW} )?(?:{_WHOLE})(?:,? {_HOW})?"
GESTURES = re.compile(rf"{_GESTURE}(?:(?:,| and|, and|, then| and then) {_GESTURE}){{0,3}}[.,!…]*")
ANSWERS = re.compile(rf"{NAME} (?:{ADVERB} )?(?:answered|answers|replied|replies|responded)\b(?! *[.,;:!?…—–-])")
TOLD_THAT = re.compile(r"[^.!?;]{0,80}\bthat\b")  # what is told of something else: Mira yelled back that she was busy
SAID = re.compile(rf"\b(?:{SAYING}|{ALSO}|told)\b")
SAID_LAST = re.compile(rf"\b(?:{SAYING})$")
AND_SO = re.compile(r"\b(?:and|but|then) (?:he|she|they|it|I|we|you|the|a|an)\b")  # somebody else does something
SENTENCE = re.compile(r"(?<=[.!?…])(?<!\bMr\.)(?<!\bMrs\.)(?<!\bMs\.)(?<!\bDr\.)\s+")


def before(told: str, names: Collection[str]) -> str:
    """Who says what is quoted next, by the sentence that ends there."""
    sentence = SENTENCE.split(told.strip())[-1]
    if not sentence.endswith((",", ":")) and not SAID_LAST.search(sentence):
        return ""
    if THOUGHT.search(sentence):
        return UNSAID
    if is_one(sentence) and any(pattern.match(sentence) for pattern in AFTER):
        found = BEFORE.fullmatch(sentence)
        return found["name"] if found and found["name"] in names else ""  # of what was quoted before
    found = BEFORE.fullmatch(sentence)
    if found is None:
        return SOMEBODY
    action = TO_NAME.sub("", found["action"] or "")
    return found["name"] if found["name"] in names and not SUBORDINATE.search(action) else SOMEBODY


def after(told: str, names: Collection[str], quote: str) -> str:
    """Who says what was quoted before, by the words that stand there."""
    told = told.strip()
    found = next((found for pattern in AFTER if (found := pattern.match(told))), None)
    name = found["name"] if found else ""
    if not found and quote.endswith(",") and (found := AFTER_A_COMMA.match(told)):
        name = found["name"] or found["last"]
    if name in names:
        return SOMEBODY if _is_answer(told, quote) else name
    if found and not NO_NAME.match(name):
        return SOMEBODY
    if THOUGHT.match(told.split(",")[0].split(".")[0]):
        return UNSAID
    is_said = quote.endswith(",") or BY_SOMEBODY.match(told.split("”")[0])
    return SOMEBODY if is_said else ""


def candidate(told: str, *, is_before: bool) -> str:
    """The name of somebody who speaks by what is told before or after a quotation; nothing if none does."""
    told = told.strip()
    if is_before:
        found = BEFORE.fullmatch(SENTENCE.split(told)[-1])
    else:
        found = next((found for pattern in AFTER if (found := pattern.match(told))), None)
    return found["name"] if found and not NO_NAME.match(found["name"]) else ""


def _is_answer(told: str, quote: str) -> bool:
    """Whether what is told may be how somebody reacts to what another says: "Ready?" Mira answered with a nod."""
    asked = quote.endswith("?") and ANSWERS.match(told)
    return bool(asked) or (not quote.endswith(",") and TOLD_THAT.match(told) is not None)


def acts(told: str, names: Collection[str]) -> str:
    """Of whom the sentence before a quotation, the only one, tells nothing but a gesture that goes with speech."""
    sentences = SENTENCE.split(told.strip())
    return _gesture(sentences[0], names, ".!…") if len(sentences) == 1 else ""


def aside(told: str, names: Collection[str]) -> str:
    """Who does something amid what is quoted before and after: Mira shook her head, with a comma."""
    sentences = SENTENCE.split(told.strip())
    return _gesture(sentences[0], names, ",.") if len(sentences) == 1 else ""


def is_one(told: str) -> bool:
    """Whether all of it is one sentence about one who speaks."""
    told = told.strip()
    names = {found["name"] for found in re.finditer(NAME, TO_NAME.sub("", told)) if not NO_NAME.match(found["name"])}
    return (
        len(SENTENCE.split(told)) == 1 and len(names) <= 1 and len(SAID.findall(told)) <= 1 and not AND_SO.search(told)
    )


def goes_on(told: str, quote: str) -> bool:
    """Whether what is quoted behind a comma goes on with the sentence before it: it begins with no capital."""
    return quote[:1].islower() and len(SAID.findall(told)) <= 1


def _gesture(sentence: str, names: Collection[str], ends: str) -> str:
    found = re.match(NAME, sentence)
    if not found or found["name"] not in names or sentence[-1:] not in ends:
        return ""
    return found["name"] if GESTURES.fullmatch(sentence[found.end() :].strip()) else ""
