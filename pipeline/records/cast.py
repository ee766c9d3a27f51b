"""A whole cast at once: every file read once, each character converted into a folder of its own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.recipe import safe_folder_name
from pipeline.records.account import problems_table
from pipeline.records.assembly import Told, pieces_of, problems_of
from pipeline.records.classify import TitlePatterns, compile_patterns
from pipeline.records.conversion import (
    Conversion,
    convert_own,
    finished,
    raw_fingerprint,
    speaker_names,
    told_of,
    write_conversion,
)
from pipeline.records.options import ConversionOptions
from pipeline.records.raw import CHARACTER, UNNAMED, USER, RawRecord
from pipeline.records.readers import find_files
from pipeline.records.reading import META, Reject, in_processes, read_files
from pipeline.records.record import KINDS
from pipeline.records.report import write_cast_report

ALL = "all"
LEAST_LINES = 20  # of a speaker that is converted where no folder is named after anybody
LEFT_OUT = "a speaker who is not converted"


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast: what it says, the pieces of others' lines that are its own, and where it is written."""

    character: str
    raws: tuple[RawRecord, ...]
    delivered: tuple[RawRecord, ...]
    folder: Path


def ensure_cast(
    paths: Sequence[Path], folder: Path, *, chosen: Sequence[str] | None = None, num_proc: int = 1, **told: Any
) -> dict[str, Any]:
    """What stands in the `cast.json` of `folder`, which is converted first unless these files were, for these, before.

    `told` holds the fields of `ConversionOptions`.

    Raises:
        UnderstudyError: a file is broken, or somebody chosen says nothing in any of them.
    """
    options = ConversionOptions(**told)
    fingerprint = raw_fingerprint(paths, json.dumps(chosen), options)
    try:
        summary: dict[str, Any] = json.loads((folder / "cast.json").read_text(encoding="utf-8"))
        if summary.get("fingerprint") == fingerprint:
            return summary
    except (OSError, ValueError):
        pass
    patterns = compile_patterns(options.background_titles, options.voice_only_titles)
    summary = convert_cast(paths, folder, patterns, options, chosen=chosen, num_proc=num_proc)
    write_json(folder / "cast.json", summary | {"fingerprint": fingerprint})
    return summary


def convert_cast(
    paths: Sequence[Path],
    folder: Path,
    patterns: TitlePatterns,
    options: ConversionOptions,
    *,
    chosen: Sequence[str] | None = None,
    num_proc: int = 1,
) -> dict[str, Any]:
    """Every character's folder below `folder` is written, with `cast.json` and `cast.html` beside them.

    Gives what stands in `cast.json`.

    Characters are those `chosen` or, where nobody is, the speakers after whom a folder is named; where there is none,
    those of 20 lines or more. What all others say is rejected with its place in `rejects.jsonl`:
    `read == kept + duplicates + sum(rejected)` for all.

    Raises:
        UnderstudyError: a file is broken, or nobody is to be converted.
    """
    told = told_of(options, patterns)
    known, passed_over = find_files(paths, options.reading)
    files = read_files(known, options.reading, None, told.meta, num_proc=num_proc)
    raws = [raw for file in files for raw in file.own]
    counts = Counter(raw.speaker for raw in raws)
    names = speaker_names(counts)
    if absent := [name for name in chosen or () if not counts[name]]:
        heard = ", ".join(f"{name} ({count})" for name, count in counts.most_common(8))
        raise UnderstudyError(
            ", ".join(map(str, paths)),
            f"has no line of {', '.join(absent)}; the speakers are: {heard}",
            fix="write the names exactly as the files do",
        )
    chosen = chosen or choose_cast(counts, {part for file in known for part in file.file.path.parent.parts}, told)
    if not chosen:
        raise UnderstudyError(", ".join(map(str, paths)), "has no speaker of 20 lines", fix="name one character")
    cast = frozenset(chosen)
    members, rest = deal(raws, chosen, names, told, folder)
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_convert_member, names=names, told=told, options=options)
    accounts = list(in_processes(work, members, num_proc, what="converting", unit=" characters"))
    problems = _problems((raw for raw in raws if raw.speaker not in cast), names, told)
    for _, found in accounts:
        problems.update(found)
    rejects = list(_rejects(rest, told))
    summary = _summary([account for account, _ in accounts], members, rejects, len(raws), problems)
    summary["passed_over"] = list(map(str, passed_over))
    _write(folder, summary, rejects)
    return summary


def choose_cast(counts: Mapping[str, int], folders: Collection[str], told: Told) -> list[str]:
    """The speakers to convert, those with the most lines first."""
    nobody = (CHARACTER, USER, UNNAMED)
    speakers = [name for name in counts if name not in nobody and not told.meta.fullmatch(name)]
    named = [name for name in speakers if name in folders]
    chosen = named or [name for name in speakers if counts[name] >= LEAST_LINES]
    return sorted(chosen, key=lambda name: (-counts[name], name))


def deal(
    raws: Iterable[RawRecord], chosen: Sequence[str], names: Collection[str], told: Told, folder: Path
) -> tuple[list[Member], list[RawRecord]]:
    """Each chosen one's records, its pieces glued into others' lines among them; and everybody else's pieces."""
    own: dict[str, list[RawRecord]] = {name: [] for name in chosen}
    delivered: dict[str, list[RawRecord]] = {name: [] for name in chosen}
    rest: list[RawRecord] = []
    for raw in raws:
        if raw.speaker in own:
            own[raw.speaker].append(raw)
        for piece in pieces_of(raw, names, told.rules):
            if piece.speaker in own:
                if piece.speaker != raw.speaker:
                    delivered[piece.speaker].append(piece)
            else:
                rest.append(piece)
    taken: set[str] = set()
    members = []
    for name in chosen:
        place = folder / safe_folder_name(name, taken)
        members.append(Member(name, tuple(own[name]), tuple(delivered[name]), place))
    return members, rest


def format_cast(summary: Mapping[str, Any]) -> str:
    """What became of a cast's raw records, in a few lines."""
    rejected = summary["rejected"]
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.items()) or "none"
    return "\n".join(
        (
            f"{len(summary['characters'])} characters: read {summary['read']} = kept {summary['kept']}"
            f" + duplicates {summary['duplicates']} + rejected {sum(rejected.values())}",
            f"  kept: {', '.join(f'{count} {kind}' for kind, count in summary['kinds'].items())}",
            f"  rejected: {reasons}",
        )
    )


def _convert_member(
    member: Member, names: Collection[str], told: Told, options: ConversionOptions
) -> tuple[dict[str, Any], Counter[str]]:
    """The account of one of the cast, written into its folder, and the problems found."""
    conversion: Conversion = convert_own(
        member.character, member.raws, names, told, delivered=member.delivered, cast=True
    )
    conversion = finished(conversion, options)
    return write_conversion(conversion, member.folder, fingerprint=""), conversion.problems


def _problems(raws: Iterable[RawRecord], names: Collection[str], told: Told) -> Counter[str]:
    problems: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for raw in raws:
        problems.update(problems_of(raw, names, told.meta))
        key = (raw.speaker, raw.asked, raw.scene, raw.text, *(turn.text for turn in raw.context))
        problems["exact duplicates"] += key in seen
        seen.add(key)
    return problems


def _rejects(rest: Iterable[RawRecord], told: Told) -> Iterable[Reject]:
    for raw in rest:
        reason = raw.unusable or (META if told.meta.fullmatch(raw.speaker) else LEFT_OUT)
        yield Reject(raw.source, reason, raw.speaker, raw.text)


def _summary(
    accounts: Sequence[Mapping[str, Any]],
    members: Sequence[Member],
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
            {"name": member.character, "folder": member.folder.name}
            | {key: account[key] for key in ("read", "kept", "duplicates", "kinds")}
            | {"rejected": sum(account["rejected"].values())}
            for member, account in zip(members, accounts, strict=True)
        ],
        "left_out": {"speakers": len(left_out), "lines": len(rejects), "most": dict(left_out.most_common(12))},
    }


def _write(folder: Path, summary: Mapping[str, Any], rejects: Iterable[Reject]) -> None:
    with (folder / "rejects.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in rejects)
    write_cast_report(summary, folder / "cast.html")
    write_json(folder / "cast.json", summary)
