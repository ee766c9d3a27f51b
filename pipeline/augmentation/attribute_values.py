"""What a value in a list of attributes says: without its author's notes, and nothing where it is in doubt."""

from __future__ import annotations

import re
import unicodedata

from pipeline.augmentation.attribute_entries import BETWEEN_THINGS, QUOTES, Entry, undressed
from pipeline.augmentation.extraction_grammar import Grammar, Rule

LONGEST_VALUE = 80
PLACE = "place"  # a type of rules
PARENTHESIS = re.compile(r"\s*[(（]([^()（）]*)[)）]")
QUOTE_MARKS = re.compile("[" + "".join(mark for pair in QUOTES for mark in pair) + "]")
SPEECH_MARKS = re.compile('["“”「」『』]')
SENTENCE_WITHIN = re.compile(r"[.!?] |[。！？](?=.)")
KEY_WITHIN = re.compile(r"(?<!\d)[:：]|[:：](?!\d)")
ALTERNATIVES = re.compile(r"[)）]\s*[/／、,，;；][^()（）]*[(（]")  # 学生（明）／杀手（暗）
NUMBER_AMONG = re.compile(r"[,，、;；]\s*\d+\s*(?:$|[,，、;；])")  # owner, 46: no thing of a list
CONJUNCTION = re.compile(
    r"(?:and|or|but|nor|like|as|such|which|who|because|since|with|especially|particularly|mostly|except|when|if|"
    r"though|whenever)\b"
)


def value_of(entry: Entry, rule: Rule, name: str, grammar: Grammar) -> str:
    """The value as the rule's answer says it; empty where it is none for the rule."""
    text = _without_notes(entry.value, rule, grammar)
    match = rule.value.fullmatch(text)
    if (
        not match
        or rule.refused.search(text)
        or _is_open(entry.value, text, rule, grammar)
        or _is_about(text, rule, name, grammar)
    ):
        return ""
    if rule.unit:
        return unicodedata.normalize("NFKC", match["v"]) + rule.unit
    value: str = match.groupdict().get("v") or text
    several = rule.is_list or entry.is_quoted or BETWEEN_THINGS in value
    is_cut = not entry.is_quoted and grammar.refused.search(_bare(value))  # in marks, `being lied to` is whole
    if rule.is_list and (is_cut or NUMBER_AMONG.search(value)):
        return ""
    return _in_one_sentence(value, grammar, is_place=rule.type == PLACE) if several else value


def _without_notes(value: str, rule: Rule, grammar: Grammar) -> str:
    """The value without what its author set down in brackets beside it: chapters, and what others do."""

    def kept(bracket: re.Match[str]) -> str:
        is_note = grammar.notes.search(bracket[1]) or grammar.begins_with_somebody.match(bracket[1])
        return "" if is_note else bracket[0]

    plain = PARENTHESIS.sub(kept, value).strip()
    return undressed(PARENTHESIS.sub("", plain)) if rule.is_speech and SPEECH_MARKS.search(plain) else plain


def _is_open(written: str, value: str, rule: Rule, grammar: Grammar) -> bool:
    """Whether nobody has settled it, by the value or what was noted beside it, or it is longer than a value."""
    in_doubt = not rule.is_speech and grammar.uncertain.search(written)
    is_one_of_several = not rule.is_list and ALTERNATIVES.search(value)
    says_nothing = grammar.empty.fullmatch(value) or grammar.unsettled.search(value)
    return bool(in_doubt or is_one_of_several or says_nothing) or len(value) > LONGEST_VALUE


def _is_about(value: str, rule: Rule, name: str, grammar: Grammar) -> bool:
    """Whether it is sentences, or speaks of the character or of others, as the character would not."""
    if SENTENCE_WITHIN.search(value) or KEY_WITHIN.search(value):
        return True
    if rule.is_speech:
        return SPEECH_MARKS.search(value) is not None
    names_itself = rule.type != "identity" and name.casefold() in value.casefold()
    return names_itself or grammar.others.search(_bare(value)) is not None


def _bare(value: str) -> str:
    return QUOTE_MARKS.sub("", PARENTHESIS.sub("", value))


def _in_one_sentence(value: str, grammar: Grammar, *, is_place: bool) -> str:
    """Several things as a sentence has them: `a, b and c`, `甲、乙`; as they are where that is how they stand.

    Of a place they are parts of one: `a barge, moored at the lock`.
    """
    are_apart = BETWEEN_THINGS in value
    things = value.split(BETWEEN_THINGS) if are_apart else grammar.separators.split(value)
    *before, last = [one for one in things if one]
    between, at_last = grammar.joined
    is_a_sentence = " and " in last or any(CONJUNCTION.match(one) for one in things)
    if not before or (is_a_sentence and not are_apart):
        return value
    return between.join(before) + (between if is_place else at_last) + last
