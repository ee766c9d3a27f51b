"""Every file read, in one process or several: the character's own records in full, everybody else's as rejects."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from tqdm import tqdm

from pipeline.errors import UnderstudyError
from pipeline.records.names import spelling, with_one_name, without_own_label
from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions, UnknownFormError
from pipeline.records.readers import RecognisedFile
from pipeline.records.readers.unknown import head_of, why_unknown
from pipeline.records.reject import Reject, reject_speaker
from pipeline.records.splits import remarks_of_file

MOST_NAMED = 6  # files, in an error

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class FileReading:
    """What a file holds: `own` is of the character wanted, or of everybody; `others` is the rest.

    `unused_keys` counts the keys of its entries that its reader does not use, `remarks` what the reader took upon
    itself, `renamed` the character's lines under each other way to write its name. Of a file of a folder, `passed_over`
    is why it is no raw file after all, and `broken` why it is one that cannot be read whole: nothing of it is taken.
    """

    path: str
    form: str
    encoding: str | None
    own: tuple[RawRecord, ...]
    others: tuple[Reject, ...]
    unused_keys: Mapping[str, int] = field(default_factory=dict)
    renamed: Mapping[str, int] = field(default_factory=dict)
    passed_over: tuple[str, str, str] | None = None  # where, what and the fix
    broken: tuple[str, str, str] | None = None
    remarks: Mapping[str, int] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """How many raw records the file holds."""
        return len(self.own) + len(self.others)


def read_files(
    files: Sequence[RecognisedFile],
    options: ReadOptions,
    wanted: str | None,
    meta_speakers: re.Pattern[str],
    *,
    num_proc: int = 1,
) -> Iterator[FileReading]:
    """Each file's reading, in their order. `wanted` is the character, or None for everybody.

    Raises:
        UnderstudyError: a file is broken that was named itself, or any if `options` are strict.
    """
    read = partial(read_file, options=options, wanted=wanted, meta_speakers=meta_speakers)
    yield from in_processes(read, files, num_proc, what="reading", unit=" files")


def read_file(
    known: RecognisedFile, options: ReadOptions, wanted: str | None, meta_speakers: re.Pattern[str]
) -> FileReading:
    """One file's reading."""
    options = replace(options, unused_keys=Counter(), remarks=Counter())
    spellings = frozenset(map(spelling, (wanted, *options.other_names))) if wanted else frozenset[str]()
    renamed: Counter[str] = Counter()
    own: list[RawRecord] = []
    others: list[Reject] = []
    passed_over = broken = None
    try:
        for found in known.records(options):
            raw = without_own_label(with_one_name(found, wanted, spellings) if wanted else found, options.names)
            renamed.update([found.speaker] * (raw.speaker != found.speaker))
            if wanted is None or concerns(raw, wanted):
                own.append(raw)
            else:
                others.append(reject_speaker(raw, meta_speakers))
        _check_has_text(known, own, others)
    except UnknownFormError as error:
        # Of a file that was named, or of which something was read, it is an error.
        if not known.found or _has_text(own, others):
            raise
        own, others, passed_over = [], [], error.parts
    except UnderstudyError as error:
        if not known.found or options.strict:
            raise
        own, others, broken = [], [], error.parts
    return FileReading(
        str(known.file.path),
        known.reader.name,
        known.file.encoding,
        tuple(own),
        tuple(others),
        Counter() if broken else options.unused_keys,
        Counter() if broken or passed_over else renamed,
        passed_over,
        broken,
        Counter() if broken or passed_over else options.remarks + remarks_of_file(known.file.path, len(own)),
    )


def _check_has_text(known: RecognisedFile, own: Sequence[RawRecord], others: Sequence[Reject]) -> None:
    """Something was read in the file.

    Raises:
        UnknownFormError: nothing was, so its texts lie under keys that its reader does not know.
    """
    if not _has_text(own, others):
        raise UnknownFormError(
            known.file.path,
            f"is taken for {known.reader.name}, and holds no text where that form has it",
            fix="see README.md, Input formats, for its keys, or set `columns` in the recipe",
        )


def _has_text(own: Sequence[RawRecord], others: Sequence[Reject]) -> bool:
    return any(raw.text for raw in own) or any(reject.text for reject in others)


def passed_over_files(
    unknown: Sequence[Path], files: Sequence[FileReading], names: Sequence[str] = ()
) -> tuple[str, ...]:
    """The files of folders that are no raw files, each with the reason, and whether one of the names stands in it.

    Raises:
        UnderstudyError: there is no other file, so one of them is meant; says what is wrong with each.
    """
    reasons = {file.path: file.passed_over for file in files if file.passed_over}
    broken = [file.broken for file in files if file.broken]
    why = {str(path): why_unknown(path) for path in unknown} | {path: what for path, (_, what, _) in reasons.items()}
    if files and len(reasons) + len(broken) == len(files):
        where, what, fix = [*broken, *reasons.values()][0]
        known_first = sorted(why.items(), key=lambda one: one[0] not in reasons)
        others = [f"{Path(path).name} ({one})" for path, one in known_first if one != what]
        others += [f"{place} ({one})" for place, one, _ in broken[1:]]
        raise UnderstudyError(where, f"{what}{_neither(others)}", fix=fix)
    return tuple(f"{path} ({what}{_naming(Path(path), names)})" for path, what in why.items())


def _neither(others: Sequence[str]) -> str:
    """What is said of the other files of which nothing is read, after the first."""
    more = f" and {len(others) - MOST_NAMED} more" * (len(others) > MOST_NAMED)
    return f"; nor is anything read of {', '.join(others[:MOST_NAMED])}{more}" if others else ""


def _naming(path: Path, names: Sequence[str]) -> str:
    """A remark where a name of the character's stands in what was passed over: it may have been meant."""
    text = spelling(head_of(path)) if names else ""
    found = next((name for name in names if spelling(name) in text), None)
    return f"; {found} is named in it" if found else ""


def broken_files(files: Iterable[FileReading]) -> tuple[str, ...]:
    """The files of folders that are left out because they cannot be read whole: each with its place and the fix."""
    return tuple(str(UnderstudyError(*file.broken[:2], fix=file.broken[2])) for file in files if file.broken)


def concerns(raw: RawRecord, character: str) -> bool:
    """Whether the character speaks it, or is named in it as a speaker, as in lines glued together."""
    if raw.speaker in (character, CHARACTER):
        return True
    return character in raw.text and re.search(rf"{re.escape(character)}\s*[:：]", raw.text) is not None


def in_processes(work: Callable[[T], R], items: Sequence[T], num_proc: int, *, what: str, unit: str) -> Iterator[R]:
    """`work` of each thing in order, over `num_proc` processes, with a progress bar once it takes two seconds."""
    bar = partial(tqdm, total=len(items), desc=what, unit=unit, delay=2, leave=False, disable=None)
    if num_proc <= 1 or len(items) < 2:
        yield from bar(map(work, items))
        return
    with ProcessPoolExecutor(min(num_proc, len(items))) as pool:
        results: Iterable[R] = pool.map(work, items, chunksize=max(1, len(items) // (num_proc * 16)))
        yield from bar(results)
