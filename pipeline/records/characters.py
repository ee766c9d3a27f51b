"""Many characters at once: every file is read once, and each character converted into a folder of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions, safe_folder_name
from pipeline.records.account import remarks, unused_keys
from pipeline.records.assembly import AssemblyOptions
from pipeline.records.clean import CleaningRules
from pipeline.records.conversion import (
    completed,
    convert_pieces,
    raw_fingerprint,
    read_converted,
    speaker_names,
    write_conversion,
)
from pipeline.records.files import CHARACTERS_FILE, CHARACTERS_PAGE, REJECTS_FILE
from pipeline.records.options import assembly_options, read_options
from pipeline.records.pieces import RawPieces, pieces_of
from pipeline.records.problems import count_problems, problems_table
from pipeline.records.raw import CHARACTER, UNNAMED, USER, RawRecord
from pipeline.records.readers import RecognisedFile, find_files
from pipeline.records.reading import broken_files, in_processes, passed_over_files, read_files
from pipeline.records.record import KINDS
from pipeline.records.reject import NOT_CONVERTED, Reject, reject_speaker, write_rejects
from pipeline.records.report import write_characters_report

ALL = "all"
MIN_LINES = 20  # of a speaker that is converted where no folder is named after anybody


@dataclass(frozen=True, slots=True)
class CharacterPieces:
    """What one character is converted from: its own raw records, its lines glued into others', and its folder."""

    character: str
    own: tuple[RawPieces, ...]
    from_others: tuple[RawRecord, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class Grouped:
    """Every raw record, grouped by its speaker; `left_out` are all pieces of speakers who are not converted."""

    characters: tuple[CharacterPieces, ...]
    others: tuple[RawPieces, ...]
    left_out: tuple[RawRecord, ...]


def ensure_characters_converted(
    paths: Sequence[Path],
    folder: Path,
    options: ConversionOptions,
    *,
    chosen: Sequence[str] | None = None,
    num_proc: int = 1,
) -> dict[str, Any]:
    """The summary of the characters in `folder`; the files are converted first, unless that was done before.

    Raises:
        UnderstudyError: a file is broken, or one of the chosen has no line in any of them.
    """
    fingerprint = raw_fingerprint(paths, json.dumps(chosen), options)
    summary = read_converted(folder / CHARACTERS_FILE, fingerprint)
    if summary is None:
        summary = convert_characters(paths, folder, options, chosen=chosen, num_proc=num_proc)
        write_json(folder / CHARACTERS_FILE, summary | {"fingerprint": fingerprint})
    return summary


def convert_characters(
    paths: Sequence[Path],
    folder: Path,
    options: ConversionOptions,
    *,
    chosen: Sequence[str] | None = None,
    num_proc: int = 1,
) -> dict[str, Any]:
    """Every character's folder below `folder` is written, with the summary of all and its page beside them.

    Gives the summary. Characters are those `chosen` or, where nobody is, the speakers after whom a folder is named;
    where there is none, those of 20 lines or more. The lines of all others are rejected, with their places:
    `read == kept + duplicates + sum(rejected)` for all.

    Raises:
        UnderstudyError: a file is broken, or nobody is to be converted.
    """
    assembly = assembly_options(options)
    known, passed_over = find_files(paths, read_options(options))
    files = list(read_files(known, read_options(options), None, assembly.meta_speakers, num_proc=num_proc))
    raws = [raw for file in files for raw in file.own]
    counts = Counter(raw.speaker for raw in raws)
    names = speaker_names(counts)
    chosen = _checked(paths, chosen or (), counts) or _found(paths, known, counts, assembly)
    grouped = group_by_character(raws, chosen, names, assembly.rules, folder)
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_convert_character, assembly=assembly, options=options)
    results = list(in_processes(work, grouped.characters, num_proc, what="converting", unit=" characters"))
    problems = sum((found for _, found in results), count_problems(grouped.others, assembly.meta_speakers))
    rejects = [reject_speaker(piece, assembly.meta_speakers, NOT_CONVERTED) for piece in grouped.left_out]
    summary = _summary([account for account, _ in results], grouped.characters, rejects, len(raws), problems)
    summary |= {"passed_over": list(passed_over_files(passed_over, files)), "broken": list(broken_files(files))}
    summary |= {"unused_keys": unused_keys(files), "remarks": remarks(files)}
    write_rejects(folder / REJECTS_FILE, rejects)
    write_characters_report(summary, folder / CHARACTERS_PAGE)
    write_json(folder / CHARACTERS_FILE, summary)
    return summary


def choose_characters(counts: Mapping[str, int], folders: Collection[str], assembly: AssemblyOptions) -> list[str]:
    """The speakers to convert, those with the most lines first."""
    speakers = [name for name in counts if _is_somebody(name, assembly)]
    named = [name for name in speakers if name in folders]
    chosen = named or [name for name in speakers if counts[name] >= MIN_LINES]
    return sorted(chosen, key=lambda name: (-counts[name], name))


def group_by_character(
    raws: Iterable[RawRecord], chosen: Sequence[str], names: Collection[str], rules: CleaningRules, folder: Path
) -> Grouped:
    """Each raw record, split once, with its speaker, and its pieces with theirs."""
    own: dict[str, list[RawPieces]] = {name: [] for name in chosen}
    from_others: dict[str, list[RawRecord]] = {name: [] for name in chosen}
    others: list[RawPieces] = []
    left_out: list[RawRecord] = []
    for raw in raws:
        split = pieces_of(raw, names, rules)
        own.get(raw.speaker, others).append(split)
        for piece in split.pieces:
            if piece.speaker not in own:
                left_out.append(piece)
            elif piece.speaker != raw.speaker:
                from_others[piece.speaker].append(piece)
    taken: set[str] = set()
    characters = tuple(
        CharacterPieces(name, tuple(own[name]), tuple(from_others[name]), folder / safe_folder_name(name, taken))
        for name in chosen
    )
    return Grouped(characters, tuple(others), tuple(left_out))


def format_characters(summary: Mapping[str, Any]) -> str:
    """What became of all characters' raw records, in a few lines."""
    rejected = summary["rejected"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.items()) or "none"
    return "\n".join(
        (
            f"{len(summary['characters'])} characters: read {summary['read']} = kept {summary['kept']}"
            f" + duplicates {summary['duplicates']} + rejected {sum(rejected.values())}",
            f"  kept: {', '.join(f'{count} {kind}' for kind, count in summary['kinds'].items())}",
            f"  rejected: {reasons}",
            *(f"  {count} {remark}" for remark, count in summary["remarks"].items()),
            *(f"  left out, broken: {broken}" for broken in summary["broken"]),
        )
    )


def _checked(paths: Sequence[Path], chosen: Sequence[str], counts: Mapping[str, int]) -> Sequence[str]:
    """The chosen, once each of them is known to be a speaker."""
    if absent := [name for name in chosen if name not in counts]:
        raise UnderstudyError(
            ", ".join(map(str, paths)),
            f"has no line of {', '.join(absent)}; the speakers are: {_most(counts)}",
            fix="write the names exactly as the files do",
        )
    return chosen


def _found(
    paths: Sequence[Path], known: Iterable[RecognisedFile], counts: Mapping[str, int], assembly: AssemblyOptions
) -> Sequence[str]:
    """The characters that the files and their folders name."""
    found = choose_characters(counts, {part for file in known for part in file.file.path.parent.parts}, assembly)
    if not found:
        people = {name: count for name, count in counts.items() if _is_somebody(name, assembly)}
        what = f"has no speaker of {MIN_LINES} lines; the speakers are: {_most(people) or 'nobody named'}"
        raise UnderstudyError(", ".join(map(str, paths)), what, fix="name one character, or several")
    return found


def _is_somebody(name: str, assembly: AssemblyOptions) -> bool:
    return name not in (CHARACTER, USER, UNNAMED) and not assembly.meta_speakers.fullmatch(name)


def _most(counts: Mapping[str, int]) -> str:
    """`Orla (15), Tam (2)`: the speakers of most lines."""
    return ", ".join(f"{name} ({count})" for name, count in Counter(counts).most_common(8))


def _convert_character(
    given: CharacterPieces, assembly: AssemblyOptions, options: ConversionOptions
) -> tuple[dict[str, Any], Counter[str]]:
    """The account of one of the characters, written into its folder, and the problems found."""
    own = [piece for one in given.own for piece in one.pieces if piece.speaker == given.character]
    conversion = convert_pieces(given.character, given.own, [*own, *given.from_others], assembly)
    conversion = completed(conversion, options)
    return write_conversion(conversion, given.folder, fingerprint=""), conversion.problems


def _summary(
    accounts: Sequence[Mapping[str, Any]],
    characters: Sequence[CharacterPieces],
    rejects: Sequence[Reject],
    entries: int,
    problems: Counter[str],
) -> dict[str, Any]:
    left_out = Counter(reject.speaker for reject in rejects)
    read = sum(account["read"] for account in accounts) + len(rejects)
    kept, duplicates = (sum(account[key] for account in accounts) for key in ("kept", "duplicates"))
    rejected = sum((Counter(account["rejected"]) for account in accounts), Counter(left.reason for left in rejects))
    return {
        "entries": entries,
        "split": read - entries,
        "read": read,
        "kept": kept,
        "duplicates": duplicates,
        "rejected": {reason: count for reason, count in rejected.most_common() if count},
        "kinds": {kind: sum(account["kinds"][kind] for account in accounts) for kind in KINDS},
        "problems": problems_table(problems),
        "characters": [
            {"name": one.character, "folder": one.folder.name}
            | {key: account[key] for key in ("read", "kept", "duplicates", "kinds")}
            | {"rejected": sum(account["rejected"].values())}
            for one, account in zip(characters, accounts, strict=True)
        ],
        "left_out": {"speakers": len(left_out), "lines": len(rejects), "most": dict(left_out.most_common(12))},
    }
