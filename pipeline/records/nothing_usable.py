"""What is said where nothing of the character was kept: who speaks instead, and what to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.records.names import format_names
from pipeline.records.raw import UNNAMED
from pipeline.records.readers.unknown import LABELS
from pipeline.records.result import Conversion

# What stands before a colon where a page or questions and answers were taken for a script.
NO_PERSON = re.compile(rf"q|a|question|answer|file|image|问|答|問|问题|回答|提问|文件|{LABELS}", re.IGNORECASE)


def nothing_usable(paths: Sequence[Path], conversion: Conversion, speakers: Mapping[str, int]) -> UnderstudyError:
    """The error of a conversion that keeps nothing; `speakers` are all who speak, with the number of their lines."""
    most = Counter(speakers).most_common(8)
    named = {("nobody named" if speaker in ("", UNNAMED) else speaker): count for speaker, count in most}
    listed = ", ".join(f"{speaker} ({count})" for speaker, count in named.items()) or "nobody"
    what = f"nothing usable is said by {conversion.character!r}; the speakers are: {listed}"
    if conversion.near_names:
        what += f"; nearest: {format_names(conversion.near_names)}"
    if conversion.assembled.rejects:
        reasons = Counter(reject.reason for reject in conversion.assembled.rejects).most_common(4)
        what += "; rejected: " + ", ".join(f"{count} {reason}" for reason, count in reasons)
    if (place := _first_mention(conversion)) is not None:
        what += f"; the name stands first at {place}"
    return UnderstudyError(", ".join(map(str, paths)), what, fix=_fix(conversion, speakers))


def _fix(conversion: Conversion, speakers: Mapping[str, int]) -> str:
    """What to do where nothing of the character was kept."""
    if conversion.character in speakers:
        return "see why its lines are rejected, and mend them"
    if conversion.near_names:
        nearest = next(iter(conversion.near_names))
        return f"write the name exactly as the files do, or add the other names it has: --other_names {nearest!r}"
    no_people = [name for name in speakers if NO_PERSON.fullmatch(name)]
    if no_people:
        seem = ", ".join(no_people[:4])
        return (
            f"{seem}: if these are no people, a file was taken for a script; give it the form of a page, a profile or "
            "questions and answers (docs/formats.md), or the name of the character"
        )
    return "write the name exactly as the files do"


def _first_mention(conversion: Conversion) -> str | None:
    """Where the name stands in what somebody else says, or in a form that was read otherwise."""
    for reject in conversion.rejects:
        if conversion.character in reject.text:
            return f"{reject.source}: {reject.text[:60]!r}"
    return None
