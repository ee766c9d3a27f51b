"""A page about the character that could be taken for a script: a profile of labels, or a wiki's source."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pipeline.records.names import MANNER
from pipeline.records.raw import ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.pages import page, wiki
from pipeline.records.readers.pages.profile import entry, is_profile
from pipeline.records.readers.pages.quoted import is_of_lines
from pipeline.records.readers.scripts.transcript import spoken_line

SAMPLED_LINES = 200

read = page.read


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether it is such a text, and a profile or a wiki's source that could be taken for a script."""
    if not file.encoding or not options.character:
        return False
    lines = [line for _, line in itertools.islice(file.lines(), SAMPLED_LINES) if line.strip()]
    if wiki.is_source("\n".join(lines)):
        lines = [line for line in wiki.plain_lines(lines, is_of_lines) if line.strip()]
        spoken = sum(spoken_line(line.strip()) is not None and not entry(line) for line in lines)
        return 2 * spoken < len(lines) and page.recognises(file, options)
    return is_profile(lines) and not _holds_a_script(lines, options) and page.recognises(file, options)


def _holds_a_script(lines: Sequence[str], options: ReadOptions) -> bool:
    """Whether the character and somebody else speak below the labels."""
    found = (spoken_line(line.strip()) for line in lines if not entry(line))
    speakers = {MANNER.sub("", one["speaker"]) for one in found if one}
    own = speakers & {*options.names}
    return bool(own) and len(speakers) > len(own)
