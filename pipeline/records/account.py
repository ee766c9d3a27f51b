"""The account of a conversion: numbers, and samples of what they count, ready for JSON and for the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.records.control_tokens import CONTROL_TOKEN, find_control_token
from pipeline.records.names import format_names
from pipeline.records.private_data import count_masked, count_private
from pipeline.records.problems import problems_table
from pipeline.records.raw import UNNAMED, USER
from pipeline.records.reading import FileReading
from pipeline.records.record import KINDS, Record
from pipeline.records.reject import ANOTHER_SPEAKER, META_SPEAKER, Reject
from pipeline.records.result import Conversion

SAMPLES, TOP = 6, 12
LENGTHS = (10, 20, 40, 80, 160, 320)  # characters: the upper ends of the bins, but for the last


def account_of(conversion: Conversion) -> dict[str, Any]:
    """The numbers, as saved in a character's folder: `read == kept + duplicates + sum(rejected)`."""
    records, rejects = conversion.records, conversion.rejects
    learnt = [text for record in records for text in _learnt_texts(record)]
    kinds = Counter(record.kind for record in records)
    kept = {path: len(of_file) for path, of_file in conversion.by_file().items()}
    return {
        "character": conversion.character,
        "entries": conversion.entries,
        "split": conversion.split,
        "read": conversion.read,
        "kept": len(records),
        "duplicates": conversion.duplicates,
        "rejected": dict(Counter(reject.reason for reject in rejects).most_common()),
        "kinds": {kind: kinds[kind] for kind in KINDS},
        "sorts": dict(Counter(tag for record in records for tag in record.tags[:1]).most_common()),
        "kept_by_file": kept,
        "files": _files(conversion, kept),
        "passed_over": list(conversion.passed_over),
        "broken": list(conversion.broken),
        "near_names": dict(conversion.near_names),
        "other_names": dict(conversion.other_names),
        "unused_keys": unused_keys(conversion.files),
        "remarks": remarks(conversion.files),
        "private": count_private(learnt),
        "masked": count_masked(learnt),
        "problems": problems_table(conversion.problems),
        "steps": _steps(conversion),
        "reject_samples": _reject_samples(rejects),
        "near": _near(conversion),
        "joined": _joined(conversion),
        "context": {
            "records": sum(bool(record.context) for record in records),
            "turns": sum(len(record.context) for record in records),
        },
        "lengths": {"bins": length_bins(), "kinds": {kind: _lengths(records, kind) for kind in KINDS}},
        "repeated": _repeated(records),
        "speakers": _speakers(rejects),
        "doubts": _doubts(conversion),
    }


def format_account(account: Mapping[str, Any]) -> str:
    """What became of the raw records, in a few lines."""
    rejected = account["rejected"]
    kinds = ", ".join(f"{count} {kind}" for kind, count in account["kinds"].items())
    reasons = ", ".join(f"{count} {reason}" for reason, count in rejected.items()) or "none"
    lines = [
        f"{account['character']}: read {account['read']} = kept {account['kept']} + duplicates {account['duplicates']}"
        f" + rejected {sum(rejected.values())}",
        f"  kept: {kinds}",
        f"  rejected: {reasons}",
    ]
    if account["split"]:
        lines.append(f"  {account['split']} of those read are pieces of lines that held several")
    if account["joined"]:
        joined = account["joined"]
        lines.append(
            f"  joined: {joined['found']} lines found the turns before them, {joined['ambiguous']} found several,"
            f" {joined['missing']} none"
        )
    for sample in account["reject_samples"].get(CONTROL_TOKEN, ()):
        lines.append(f"  {sample['source']}: left out, it holds the control token {find_control_token(sample['text'])}")
    if account["doubts"]["count"]:
        lines.append(f"  doubtful kinds: {account['doubts']['count']} (--review writes them to a table)")
    if account["unused_keys"]:
        counts = [f"{count} x {key}" for key, count in list(account["unused_keys"].items())[:TOP]]
        lines.append(f"  not used: {', '.join(counts)}")
    lines += [f"  {count} {remark}" for remark, count in account["remarks"].items()]
    lines += _format_private(account)
    if account["passed_over"]:
        lines.append(f"  passed over: {', '.join(account['passed_over'])}")
        if (meant := next(filter(_is_meant, account["passed_over"]), None)) is not None:
            lines.append(f"  (what to do about one: give it alone, as in --raw {_path_of(meant)!r})")
    lines += _format_names(account)
    lines += [f"  left out, broken: {broken}" for broken in account["broken"]]
    return "\n".join(lines)


def _path_of(passed_over: str) -> str:
    """The path before the reason in brackets; a file's name may have brackets, too: Mira (1).csv."""
    opening = [place for place in range(len(passed_over)) if passed_over.startswith(" (", place)]
    paths = [passed_over[:place] for place in opening]
    return next((path for path in reversed(paths) if _is_file(path)), paths[0] if paths else passed_over)


def _is_file(path: str) -> bool:
    try:
        return Path(path).is_file()
    except OSError:  # too long a name, which a reason may be
        return False


def _is_meant(passed_over: str) -> bool:
    """Whether a file was passed over that may be meant: the character is named in it, or it has rows."""
    return "is named in it" in passed_over or "which is no known form" in passed_over


def _format_names(account: Mapping[str, Any]) -> Iterator[str]:
    """The other ways to write its name under which lines were taken, and those under which none were."""
    if account["other_names"]:
        yield f"  taken, too, under: {format_names(account['other_names'])}"
    if account["near_names"]:
        names, nearest = format_names(account["near_names"]), next(iter(account["near_names"]))
        yield f"  other speakers with nearly that name, not taken: {names}"
        yield f"  (if they are {account['character']}: --other_names {nearest!r}, or `other_names` in the recipe)"


def _learnt_texts(record: Record) -> Iterator[str]:
    """The texts of a record that a model is shown."""
    yield from (record.prompt, record.text)
    for turn in record.context:
        yield from (turn.speaker, turn.text)


def _format_private(account: Mapping[str, Any]) -> Iterator[str]:
    """What is said of private data: what is masked, and what is there to be masked."""
    if account["masked"]:
        yield f"  masked: {_counted(account['masked'])}"
    if account["private"]:
        yield f"  private data: {_counted(account['private'])}; `mask_private: true` in the recipe masks what is found"


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} x {name}" for name, count in counts.items())


def unused_keys(files: Iterable[FileReading]) -> dict[str, int]:
    """How often each key occurs that no reader uses, the most frequent first."""
    return dict(sum((Counter(file.unused_keys) for file in files), Counter()).most_common())


def remarks(files: Iterable[FileReading]) -> dict[str, int]:
    """How often readers took something upon themselves, by what it was."""
    return dict(sum((Counter(file.remarks) for file in files), Counter()).most_common())


def length_bins() -> list[str]:
    """The bins of lengths in characters, as the report names them."""
    lower = [1, *(top + 1 for top in LENGTHS)]
    return [f"{low}–{top}" for low, top in zip(lower, LENGTHS, strict=False)] + [f"over {LENGTHS[-1]}"]


def _files(conversion: Conversion, kept: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {"path": file.path, "form": file.form, "encoding": file.encoding, "read": file.read, "kept": kept[file.path]}
        for file in conversion.files
    ]


def _steps(conversion: Conversion) -> list[dict[str, Any]]:
    return [
        {
            "name": step.name,
            "treatment": step.treatment,
            "changed": step.changed,
            "samples": [list(sample) for sample in step.samples],
        }
        for step in conversion.assembled.steps
    ]


def _near(conversion: Conversion) -> dict[str, Any]:
    samples = [[one.text, other.text, round(score, 3)] for one, other, score in conversion.near[:SAMPLES]]
    return {"pairs": len(conversion.near), "samples": samples}


def _doubts(conversion: Conversion) -> dict[str, Any]:
    doubts = conversion.assembled.doubts
    samples = [
        {"kind": r.kind, "proposed": d.proposed, "because": d.because, "prompt": r.prompt, "text": r.text}
        for r, d in doubts[:SAMPLES]
    ]
    return {"count": len(doubts), "samples": samples}


def _lengths(records: Iterable[Record], kind: str) -> list[int]:
    counts = [0] * (len(LENGTHS) + 1)
    for record in records:
        if record.kind == kind:
            counts[sum(len(record.text) > top for top in LENGTHS)] += 1
    return counts


def _reject_samples(rejects: Iterable[Reject]) -> dict[str, list[dict[str, str]]]:
    samples: dict[str, list[dict[str, str]]] = {}
    for reject in rejects:
        some = samples.setdefault(reject.reason, [])
        if len(some) < SAMPLES:
            some.append({"source": reject.source, "speaker": reject.speaker, "text": reject.text})
    return samples


def _joined(conversion: Conversion) -> dict[str, Any] | None:
    joined = conversion.joined
    if joined is None:
        return None
    counts = {"found": joined.found, "ambiguous": joined.ambiguous, "missing": joined.missing}
    return counts | {"samples": [[line, turn, round(score, 3)] for line, turn, score in joined.samples]}


def _repeated(records: Iterable[Record]) -> list[dict[str, Any]]:
    often = sorted((record for record in records if record.also), key=lambda record: -len(record.also))[:TOP]
    return [{"text": record.text, "times": 1 + len(record.also)} for record in often]


def _speakers(rejects: Iterable[Reject]) -> dict[str, Any]:
    counts = Counter(reject.speaker for reject in rejects if reject.reason in (ANOTHER_SPEAKER, META_SPEAKER))
    named = {{USER: "the user", UNNAMED: "not named"}.get(name, name): count for name, count in counts.most_common(TOP)}
    return {"count": len(counts), "lines": counts.total(), "most": named}
