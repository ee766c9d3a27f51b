"""Raw files to one character's records, with an account of everything that was read."""

from __future__ import annotations

import hashlib
import json
import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.errors import UnderstudyError
from pipeline.records.classify import TitlePatterns, classify, compile_patterns
from pipeline.records.readers import RawRecord, find_files, read_file
from pipeline.records.record import KINDS, Record, content_id, write_records


@dataclass(frozen=True, slots=True)
class Reject:
    """A raw record that is not used, and why."""

    source: str
    reason: str
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of every raw record: `read == len(records) + duplicates + len(rejects)`."""

    character: str
    read: int
    records: tuple[Record, ...]
    duplicates: int
    rejects: tuple[Reject, ...]
    files: tuple[tuple[str, int], ...]  # with the number of records kept from each
    passed_over: tuple[str, ...]

    def account(self) -> dict[str, Any]:
        """The numbers, as saved in `conversion.json`."""
        kinds = Counter(record.kind for record in self.records)
        return {
            "character": self.character,
            "read": self.read,
            "kept": len(self.records),
            "duplicates": self.duplicates,
            "rejected": dict(Counter(reject.reason for reject in self.rejects)),
            "kinds": {kind: kinds[kind] for kind in KINDS},
            "kept_by_file": dict(self.files),
            "passed_over": list(self.passed_over),
        }


def convert(paths: Sequence[Path], character: str, patterns: TitlePatterns, *, context_turns: int) -> Conversion:
    """Read `paths` and keep the character's own records, each once, in the order of the files.

    A line's context is the last `context_turns` turns before it in its scene.

    Raises:
        UnderstudyError: a file is broken, or the character says nothing in any of them.
    """
    files, passed_over = find_files(paths)
    kept: dict[str, Record] = {}
    rejects: list[Reject] = []
    speakers: Counter[str] = Counter()
    kept_by_file: list[tuple[str, int]] = []
    for file in files:
        before = len(kept)
        for raw in read_file(file):
            speakers[raw.speaker] += 1
            reason = _why_not(raw, character)
            if reason:
                rejects.append(Reject(raw.source, reason, raw.speaker, raw.text))
                continue
            record = _record(raw, patterns, context_turns)
            kept.setdefault(record.record_id, record)
        kept_by_file.append((str(file), len(kept) - before))
    if not kept:
        heard = ", ".join(f"{speaker} ({count})" for speaker, count in speakers.most_common(8)) or "nobody"
        raise UnderstudyError(
            ", ".join(map(str, paths)),
            f"nothing usable is said by {character!r}; the speakers are: {heard}",
            fix="write the name exactly as the files do",
        )
    read = sum(speakers.values())
    return Conversion(
        character=character,
        read=read,
        records=tuple(kept.values()),
        duplicates=read - len(kept) - len(rejects),
        rejects=tuple(rejects),
        files=tuple(kept_by_file),
        passed_over=tuple(map(str, passed_over)),
    )


def write_conversion(conversion: Conversion, folder: Path, *, fingerprint: str) -> None:
    """Write `records.jsonl`, `rejects.jsonl` and, last, `conversion.json`, whose presence means that all is there."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "conversion.json").unlink(missing_ok=True)
    write_records(folder / "records.jsonl", conversion.records)
    with (folder / "rejects.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in conversion.rejects)
    account = conversion.account() | {"fingerprint": fingerprint}
    temporary = folder / "conversion.json.tmp"
    temporary.write_text(json.dumps(account, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, folder / "conversion.json")


def ensure_converted(
    paths: Sequence[Path],
    character: str,
    folder: Path,
    *,
    background_titles: Sequence[str] | None = None,
    voice_only_titles: Sequence[str] | None = None,
    context_turns: int,
) -> dict[str, Any]:
    """The account of the conversion in `folder`, which is done first unless these files were converted so before.

    Raises:
        UnderstudyError: a raw file is broken, or the character says nothing in any of them.
    """
    patterns = compile_patterns(background_titles, voice_only_titles)
    fingerprint = raw_fingerprint(paths, (__version__, character, patterns, context_turns))
    try:
        account: dict[str, Any] = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        account = {}
    if account.get("fingerprint") != fingerprint or not (folder / "records.jsonl").is_file():
        conversion = convert(paths, character, patterns, context_turns=context_turns)
        write_conversion(conversion, folder, fingerprint=fingerprint)
        account = conversion.account() | {"fingerprint": fingerprint}
    return account


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
    if account["passed_over"]:
        lines.append(f"  passed over, no raw files: {', '.join(account['passed_over'])}")
    return "\n".join(lines)


def raw_fingerprint(paths: Sequence[Path], settings: Sequence[object]) -> str:
    """A hash of the raw files and of what the conversion was told: while it stays, nothing need be redone."""
    digest = hashlib.blake2b(repr(list(settings)).encode(), digest_size=16)
    for file in find_files(paths)[0]:
        digest.update(str(file).encode() + b"\0" + hashlib.blake2b(file.read_bytes()).digest())
    return digest.hexdigest()


def _why_not(raw: RawRecord, character: str) -> str | None:
    if raw.speaker != character:
        return "another speaker"
    if not any(unicodedata.category(char)[0] in "LN" for char in raw.text):
        return "no content"
    return None


def _record(raw: RawRecord, patterns: TitlePatterns, context_turns: int) -> Record:
    prompt = raw.asked or raw.scene
    context = raw.context[-context_turns:] if context_turns else ()
    return Record(
        record_id=content_id(raw.speaker, prompt, raw.text, context),
        kind=classify(raw.asked, patterns),
        prompt=prompt,
        text=raw.text,
        context=context,
        speaker=raw.speaker,
        source=raw.source,
    )
