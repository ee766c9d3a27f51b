"""A chat as WeChat for PC copies it: a sender's name and a colon, what is said below, a blank line; no times.

    Orla:
    Sit.

    Bram:
    In a minute.

A script may look so, too: one that tells besides what is said, or has titles, is none of these.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from pipeline.records.chat_scenes import chat_records, message_turn
from pipeline.records.program_texts import reason_of_program, sender_name
from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, looks_like_json
from pipeline.records.readers.chats.whatsapp import SAMPLED_LINES
from pipeline.records.readers.scripts.script_lines import LABEL, NAME_LETTER, SCENE_TITLE, STAGE_DIRECTION
from pipeline.records.readers.scripts.script_turns import QUOTE
from pipeline.records.readers.scripts.transcript import NO_SCRIPTS

HEAD = re.compile(r"(?P<speaker>[^\s:：][^:：\n]{0,48}):")
FEWEST, EACH = 3, 2  # messages, and of each person about
MOST_UNNAMED = 0.2  # of the blocks go on with the message above a blank line

Block = Sequence[tuple[int, str]]


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether names with a colon stand above what is said in block after block, and nothing tells of a script."""
    if not file.encoding or file.path.suffix.lower() in NO_SCRIPTS or looks_like_json(file):
        return False
    blocks = list(_blocks(itertools.islice(file.lines(), SAMPLED_LINES)))
    named = [(name, block) for block in blocks if (name := _speaker(block))]
    names = {name for name, _ in named}
    if len(named) < FEWEST or len(names) < 2 or EACH * len(names) > len(named) + 1 or any(map(LABEL.fullmatch, names)):
        return False
    said = [[line for _, line in block[1:]] for _, block in named]
    others = [[line for _, line in block] for block in blocks if not _speaker(block)]
    if any(reason_of_program(lines[0]) for lines in said):
        return len(others) <= MOST_UNNAMED * len(blocks)
    return not others and not any(map(_tells, said))


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every message with the turns before it; a block without a name goes on with the message above."""
    messages: list[tuple[str, str, list[str]]] = []
    for block in _blocks(file.lines()):
        if speaker := _speaker(block):
            messages.append((f"{file.path}:{block[0][0]}", speaker, [line for _, line in block[1:]]))
        elif messages:
            messages[-1][2].extend(line for _, line in block)
        else:
            messages.append((f"{file.path}:{block[0][0]}", UNNAMED, [line for _, line in block]))
    people = {sender_name(speaker) for _, speaker, _ in messages} - {UNNAMED}
    turns = (message_turn(place, speaker, "\n".join(lines), options, people) for place, speaker, lines in messages)
    yield from chat_records(((turn, None) for turn in turns), options)


def _blocks(lines: Iterator[tuple[int, str]]) -> Iterator[Block]:
    """The lines between blank ones, with their numbers."""
    stripped = ((number, line.strip()) for number, line in lines)
    for is_blank, block in itertools.groupby(stripped, key=lambda one: not one[1]):
        if not is_blank:
            yield list(block)


def _speaker(block: Block) -> str:
    """Who speaks in a block: whose name stands with a colon above the rest."""
    found = HEAD.fullmatch(block[0][1])
    return found["speaker"].strip() if found and len(block) > 1 and NAME_LETTER.search(found["speaker"]) else ""


def _tells(lines: Sequence[str]) -> bool:
    """Whether a script tells something besides what is said below a name."""
    quoting = sum(QUOTE.search(line) is not None for line in lines)
    is_told = any(STAGE_DIRECTION.fullmatch(line) or SCENE_TITLE.fullmatch(line) for line in lines)
    return len(lines) > 1 and (is_told or 0 < quoting < len(lines))
