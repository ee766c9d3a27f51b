"""What a folder was understood as, on one screen: forms, files, samples, what was left, and what looks odd."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from pipeline.records.account import remarks, unused_keys
from pipeline.records.assembly import SHORT_LINE
from pipeline.records.comparable import normalise
from pipeline.records.names import format_names
from pipeline.records.reading import FileReading
from pipeline.records.record import KINDS, Record
from pipeline.records.result import Conversion
from pipeline.terminal import display_width

FILES, SAMPLES, LEFT_OUT = 4, 3, 6  # of each form; of the files that were not read
WIDTH = 100
GUESSED = ("cp1252", "mac_roman", "cp949", "euc_jp", "cp932")  # encodings that other texts may be read in, too
FEW = 20  # lines of the character, below which something may have been misread
MANY_SHORT = 0.1  # of the character's lines


def format_check(conversion: Conversion) -> str:
    """The conversion on one screen."""
    by_file = conversion.by_file()
    forms: dict[str, list[FileReading]] = {}
    for file in conversion.files:
        forms.setdefault(file.form, []).append(file)
    lines = [f"{conversion.character}: {len(conversion.records)} records of {conversion.read} entries"]
    for form, files in forms.items():
        lines += _of_form(form, files, by_file)
    lines += _listed("passed over", conversion.passed_over)
    lines += _listed("left out, broken", conversion.broken)
    lines += [f"odd: {one}" for one in _odd(conversion)]
    return "\n".join(lines)


def _of_form(form: str, files: Sequence[FileReading], by_file: dict[str, list[Record]]) -> Iterator[str]:
    """A form's files, those that gave most first, and some of what they gave."""
    records = [record for file in files for record in by_file[file.path]]
    read = sum(file.read for file in files)
    yield f"\n{form}: {_files(len(files))}, {read} entries, {len(records)} kept"
    most = sorted(files, key=lambda file: -len(by_file[file.path]))
    for file in most[:FILES]:
        yield f"  {len(by_file[file.path]):>5} of {file.read:>5}  {file.path}"
    if len(most) > FILES:
        yield f"  and {_files(len(most) - FILES)} more"
    for record in _some(records):
        before = f"{record.context[-1].speaker}: {record.context[-1].text} -> " if record.context else ""
        asked = f"{record.prompt} -> " if record.kind != "dialogue" else before
        yield _cut(f"    {record.kind}: {asked}{record.text}")


def _listed(what: str, files: Sequence[str]) -> Iterator[str]:
    if files:
        yield f"\n{what}: {_files(len(files))}"
        yield from (_cut(f"  {one}", 2 * WIDTH) for one in files[:LEFT_OUT])
        if len(files) > LEFT_OUT:
            yield f"  and {len(files) - LEFT_OUT} more"


def _odd(conversion: Conversion) -> Iterator[str]:
    """What a person should look at."""
    if conversion.near_names:
        names, nearest = format_names(conversion.near_names), next(iter(conversion.near_names))
        yield f"other speakers with nearly that name, not taken: {names}; if they are: --other_names {nearest!r}"
    yield from _odd_records(conversion)
    yield from (f"{count} {remark}" for remark, count in remarks(conversion.files).items())
    for file in (one for one in conversion.files if one.encoding in GUESSED):
        yield f"{file.path} is read as {file.encoding}; if its letters come out wrong, save it as UTF-8"
    silent = [file.path for file in conversion.files if not file.own]
    if silent:
        yield f"nothing of {conversion.character} in {_files(len(silent))}, the first is {silent[0]}"
    unused = unused_keys(conversion.files)
    if unused:
        yield f"keys that nothing reads: {', '.join(f'{count} x {key}' for key, count in list(unused.items())[:8])}"


def _odd_records(conversion: Conversion) -> Iterator[str]:
    """What is odd about the character's own records."""
    lines = [record for record in conversion.records if record.kind == "dialogue"]
    if len(lines) < FEW:
        yield f"only {len(lines)} lines of {conversion.character}"
    if not any(record.kind == "setting_qa" for record in conversion.records):
        yield "no settings question: all that can be asked for is what passages plainly state (`explain` shows it)"
    if several := several_answers(conversion.records):
        question, answers = next(iter(several.items()))
        shown = " and ".join(map(repr, answers[:2]))
        yield f"several answers are taught to a question, {len(several)} times, as to {question!r}: {shown}"
    if lines and not any(record.context for record in lines):
        yield "no line has the turns before it"
    short = sum(reject.reason == SHORT_LINE for reject in conversion.rejects)
    if short > MANY_SHORT * (len(lines) + short):
        yield (
            f"{short} of {len(lines) + short} lines are left out because they have 1 to 3 characters: "
            f"`short_lines: {short}` in the recipe keeps them"
        )


def several_answers(records: Sequence[Record]) -> dict[str, list[str]]:
    """The settings questions that have several answers, whatever the case and the marks of question and answer."""
    answers: dict[str, dict[str, str]] = {}
    asked: dict[str, str] = {}
    for record in records:
        if record.kind == "setting_qa":
            question = asked.setdefault(normalise(record.prompt), record.prompt)
            answers.setdefault(question, {}).setdefault(normalise(record.text), record.text)
    return {question: list(own.values()) for question, own in answers.items() if len(own) > 1}


def _some(records: Sequence[Record]) -> list[Record]:
    """A few records from here and there, of every kind in turn."""
    of_kind = [[record for record in records if record.kind == kind] for kind in KINDS]
    spread = [group[:: max(1, len(group) // SAMPLES)][:SAMPLES] for group in of_kind]
    in_turn = [record for group in itertools.zip_longest(*spread) for record in group if record]
    return in_turn[:SAMPLES]


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _cut(text: str, width: int = WIDTH) -> str:
    """The text on one line of at most so many columns."""
    line = text[:4] + " ".join(text[4:].split())
    while display_width(line) > width:
        line = f"{line[:-2]}…" if line.endswith("…") else f"{line[:-1]}…"
    return line
