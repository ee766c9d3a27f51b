"""What notes say of the character between its questions and answers: a passage of its own, as far as it surely is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pipeline.records.raw import RawRecord

NEITHER = "neither a question nor an answer"
NOT_LEARNT = "lines of {} are neither questions nor answers, and not learnt: a file of their own is read as a page"
WHY = "said of the character beside its questions and answers"
PRONOUN = re.compile(r"(?:She|He|Her|His)\b|[她他](?![们們])")
LISTED = re.compile(r"[-*•·]\s+(?!TODO|FIXME|NOTE)[^\s:：][^:：]{0,30}[:：]\s*\S.*")  # - favourite colour: verdigris
SHORTEST = 5  # characters behind the name, below which it is a heading


def with_passage(
    records: Sequence[RawRecord], names: Sequence[str], called: str, remarks: Counter[str]
) -> Iterator[RawRecord]:
    """The records of a file that is `called` so, with those beside its questions that are about the character as one.

    What remains beside them is counted among the `remarks`.
    """
    about = list(_about(records, names)) if names else []
    taken = {record.source for record in about}
    if about:
        text = "\n".join(record.text for record in about)
        yield replace(about[0], text=text, asked=names[0], kind="background", why=WHY, unusable="")
    for record in records:
        if record.source not in taken or record.unusable != NEITHER:
            remarks[NOT_LEARNT.format(called)] += record.unusable == NEITHER
            yield record


def _about(records: Iterable[RawRecord], names: Sequence[str]) -> Iterator[RawRecord]:
    """The lines that begin with the character's name, or list something of it, or go on with a pronoun for it.

    Behind an answer a pronoun may go on with what that says of somebody else.
    """
    goes_on = True
    for record in records:
        is_beside = record.unusable == NEITHER
        is_about = is_beside and (_names_it(record.text, names) or (goes_on and PRONOUN.match(record.text) is not None))
        if is_about or (is_beside and LISTED.fullmatch(record.text)):
            yield record
        goes_on = is_beside and (goes_on or is_about)


def _names_it(text: str, names: Sequence[str]) -> bool:
    """Whether it begins with the character's name, or the first word of it, and goes on; no line of a script."""
    called = {part for name in names for part in (name, name.split()[0]) if part not in ("The", "A", "An", "Dr.")}
    own = next((name for name in sorted(called, key=len, reverse=True) if text.startswith(name)), None)
    rest = text[len(own) :] if own else ""
    return len(rest) >= SHORTEST and not (rest[0] in ":：" or (rest[0].isalpha() and rest[0].isascii()))
