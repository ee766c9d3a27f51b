"""A script, or questions and answers, below a profile of the character: `Age: 27` is none of them, and states it."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from types import ModuleType

from pipeline.records.names import MANNER
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.pages import asked, page
from pipeline.records.readers.pages.labelled_page import SAMPLED_LINES
from pipeline.records.readers.pages.page_sections import RULE
from pipeline.records.readers.pages.profile import LEAST, entry
from pipeline.records.readers.pages.quoted import is_of_lines
from pipeline.records.readers.scripts import transcript
from pipeline.records.readers.scripts.script_lines import spoken_line
from pipeline.records.traditional_chinese import to_simplified

# Labels that stand above a text as well: its title, its status.
OF_A_TEXT = re.compile(r"titles?|status|work|role|character|class|rank|角色名?|名称|组织|学校|工作", re.IGNORECASE)
BELOW: tuple[ModuleType, ...] = (asked, transcript)
ASKER = "Q"  # whoever asks and answers, as one who speaks


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether a script, or questions and answers, follow the character's profile in its first lines."""
    if not file.encoding or not options.character:
        return False
    lines = [line for _, line in itertools.islice(file.lines(), SAMPLED_LINES)]
    end = _end_of_profile(lines, options)
    if not end:
        return False
    profile, below = _parted(file, lines, end)
    return page.recognises(profile, options) and any(reader.recognises(below, options) for reader in BELOW)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The profile's passages, and the turns of the script, or the answers, below it."""
    lines = [line for _, line in file.lines()]
    profile, below = _parted(file, lines, _end_of_profile(lines[:SAMPLED_LINES], options))
    yield from page.read(profile, options)
    yield from next(reader for reader in BELOW if reader.recognises(below, options)).read(below, options)


def _parted(file: RawFile, lines: Sequence[str], end: int) -> tuple[RawFile, RawFile]:
    """The lines before `end` as one file and those from there on as another, each under its own number."""
    below = next((at for at in range(end, len(lines)) if lines[at].strip() and not RULE.fullmatch(lines[at])), end)
    begins = below + 1 if is_of_lines(lines[below].strip(" #*=【】[]:：\t\u3000")) else end
    return file.holding("\n".join(lines[:end])), file.holding("\n" * begins + "\n".join(lines[begins:]))


def _end_of_profile(lines: Sequence[str], options: ReadOptions) -> int:
    """How many lines stand above the first question, or up to the last label above the first line of a script.

    0 if too few are labels. Somebody speaks who does so again, or is the character; whoever stands before one colon
    alone may be a label.
    """
    found = [None if entry(line) else spoken_line(line.strip()) for line in lines]
    who = [MANNER.sub("", one["speaker"]) if one else "" for one in found]
    who = [ASKER if asked.LABEL.fullmatch(line.strip()) else name for line, name in zip(lines, who, strict=True)]
    count = Counter(filter(None, who))
    first = next((at for at, name in enumerate(who) if count[name] > 1 or name in options.names), 0)
    labels = {at: known[0] for at, line in enumerate(lines[:first]) if (known := entry(line))}
    sure = {label for label in labels.values() if not OF_A_TEXT.fullmatch(to_simplified(label))}
    if len(sure) < LEAST:
        return 0
    return first if who[first] == ASKER else max(labels) + 1
