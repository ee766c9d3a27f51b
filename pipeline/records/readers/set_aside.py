"""Texts in which whole lines are a program's or other people's: they are set aside, the rest is read as any text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.records.raw import UNNAMED, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.texts import TEXTS


def read_rest(
    file: RawFile, lines: Sequence[tuple[int, str]], reasons: Sequence[str], options: ReadOptions, *, what: str
) -> Iterator[RawRecord]:
    """What the lines without a reason are, read as such, and then the others, each with its reason.

    Raises:
        UnknownFormError: they are of no known form; `what` says what the file is.
    """
    kept = [(number, line) for (number, line), reason in zip(lines, reasons, strict=True) if not reason]
    text = "\n".join(line for _, line in kept)
    plain = file.holding(text)
    reader = next((one for one in TEXTS if one.recognises(plain, options)), None)
    if reader is None:
        problem = f"is {what}, and neither a script, questions and answers, nor a page about the character"
        raise UnknownFormError(file.path, problem, fix="save what you need of it as a text of its own")
    numbers = [number for number, _ in kept]
    for raw in reader.read(plain, options):
        yield replace(raw, source=_place(raw.source, file, numbers), place=_place(raw.place, file, numbers))
    for (number, line), reason in zip(lines, reasons, strict=True):
        if reason and any(char.isalnum() for char in line):
            yield RawRecord(f"{file.path}:{number}", UNNAMED, line.strip(), unusable=reason)


def _place(place: str, file: RawFile, numbers: Sequence[int]) -> str:
    """The place in the file of a line of the rest."""
    number = place.removeprefix(f"{file.path}:")
    return f"{file.path}:{numbers[int(number) - 1]}" if number.isdecimal() else place
