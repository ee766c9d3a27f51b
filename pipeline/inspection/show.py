"""Walks in the terminal: what the loss sees in colour, or between ⟦ ⟧ where there is none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from pipeline.inspection.walk import Exposures, Piece, RecordWalk

BOLD, DIM, RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
# Two shades of each, so that neighbouring tokens can be distinguished.
SUPERVISED, READ = ("\x1b[30;42m", "\x1b[30;102m"), ("\x1b[2m", "\x1b[0m")


def format_walk(walk: RecordWalk, *, colour: bool) -> str:
    """The steps of a record, each under its own heading."""
    record = walk.record
    bold = (BOLD, RESET) if colour else ("", "")
    lines = [
        f"{bold[0]}record {record.record_id}{bold[1]}",
        f"1. read    {record.source}" + "".join(f", {other}" for other in record.also),
        *_field("title" if record.kind != "setting_qa" else "question", record.prompt),
        *(line for turn in record.context for line in _field(turn.speaker, turn.text)),
        *_field(record.speaker, record.text),
        f"2. kind    {record.kind}" + (f" ({record.why})" if record.why else ""),
        f"3. seen    {format_exposures(walk.exposures)}",
    ]
    if walk.questions:
        lines += [f"   asked   in {len(walk.questions)} ways:", *map(_indented, walk.questions)]
    for number, row in enumerate(walk.rows, 4):
        of = f", 1 of {row.forms} forms" if row.forms > 1 else ""
        lines += [
            f"{number}. tokens  under the instruction of {row.under}{of}: {row.tokens} tokens, of which the loss sees "
            f"{row.loss_tokens}{format_weight(walk.loss_weight)}",
            _indented(_coloured(row.pieces) if colour else mark_supervised(row.pieces)),
        ]
    return "\n".join(lines)


def format_exposures(exposures: Exposures | None) -> str:
    """How often the record is seen, in a sentence."""
    if exposures is None:
        return "never: it is held out, or longer than max_length"
    realised = "" if exposures.realised is None else f", {exposures.realised}x counted in the finished run"
    return f"{exposures.in_first_epoch}x in the first epoch, {exposures.planned}x in the whole run{realised}"


def format_weight(weight: float) -> str:
    """What each of these tokens weighs in the loss, where it is not 1."""
    return "" if weight == 1 else f", each at a weight of {weight:g}"


def mark_supervised(pieces: tuple[Piece, ...]) -> str:
    """The row's text with what the loss sees in ⟦ ⟧."""
    text = ""
    for supervised, group in itertools.groupby(pieces, key=lambda piece: piece.supervised):
        joined = "".join(piece.text for piece in group)
        text += f"⟦{joined}⟧" if supervised else joined
    return text


def _coloured(pieces: tuple[Piece, ...]) -> str:
    shown = []
    for number, piece in enumerate(pieces):
        shade = (SUPERVISED if piece.supervised else READ)[number % 2]
        # A colour that runs over a line's end would fill the rest of the terminal's line.
        shown.append(RESET + f"{RESET}\n{shade}".join(f"{shade}{piece.text}".split("\n")))
    return "".join(shown) + RESET


def _field(name: str, text: str) -> Iterator[str]:
    if text:
        yield _indented(f"{name}: {text}")


def _indented(text: str) -> str:
    return "\n".join(f"           {line}" for line in text.split("\n"))
