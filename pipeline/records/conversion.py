"""Raw files to one character's records, or to everybody's, with an account of everything that was read."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.records.account import account_of, format_account
from pipeline.records.assembly import Assembled, Told, assemble, pieces_of, problems_of
from pipeline.records.classify import TitlePatterns, any_of, compile_patterns
from pipeline.records.joining import Joined, join
from pipeline.records.near import near_pairs
from pipeline.records.options import META_SPEAKERS, ConversionOptions
from pipeline.records.raw import CHARACTER, UNNAMED, RawRecord
from pipeline.records.readers import Known, find_files
from pipeline.records.reading import FileReading, Reject, read_files
from pipeline.records.record import Record, read_records, write_records
from pipeline.records.report import write_conversion_report
from pipeline.records.review import read_review, write_review

__all__ = ["Conversion", "Reject", "convert", "ensure_converted", "format_account", "write_conversion"]

NEARLY = "nearly a duplicate"


@dataclass(frozen=True, slots=True)
class Conversion:
    """What became of every raw record: `read == len(records) + duplicates + len(rejects)`.

    `read` counts what the files hold (`entries`) and the pieces that lines were split into beyond that (`split`).
    """

    character: str
    entries: int
    split: int
    assembled: Assembled
    files: tuple[FileReading, ...]
    passed_over: tuple[str, ...]
    problems: Counter[str]
    near: tuple[tuple[Record, Record, float], ...] = ()
    joined: Joined | None = None
    others: tuple[Reject, ...] = field(default=(), repr=False)

    @property
    def read(self) -> int:
        """How many pieces there were to keep, merge or reject."""
        return self.entries + self.split

    @property
    def records(self) -> tuple[Record, ...]:
        """What is kept, in the order of the files."""
        return self.assembled.records

    @property
    def duplicates(self) -> int:
        """How many were merged with an equal one."""
        return self.assembled.duplicates

    @property
    def rejects(self) -> tuple[Reject, ...]:
        """What is not kept, and why."""
        return (*self.others, *self.assembled.rejects)

    def account(self) -> dict[str, Any]:
        """The numbers, and samples of what they stand for, as saved in `conversion.json`."""
        return account_of(self)


def convert(
    paths: Sequence[Path],
    character: str,
    patterns: TitlePatterns,
    *,
    context_turns: int,
    options: ConversionOptions | None = None,
    num_proc: int = 1,
) -> Conversion:
    """Read `paths` and keep the character's own records, each once, in the order of the files.

    A line's context is the last `context_turns` turns before it in its scene.

    Raises:
        UnderstudyError: a file is broken, or the character says nothing in any of them.
    """
    options = replace(options or ConversionOptions(), context_turns=context_turns)
    told = told_of(options, patterns)
    known, passed_over = find_files(paths, options.reading)
    files = list(read_files(known, options.reading, character, told.meta, num_proc=num_proc))
    others = tuple(reject for file in files for reject in file.others)
    own = [raw for file in files for raw in file.own]
    speakers = Counter(_named(raw, character) for raw in own) + Counter(reject.speaker for reject in others)
    conversion = convert_own(character, own, speaker_names(speakers), told)
    conversion = replace(
        conversion,
        entries=len(own) + len(others),
        files=tuple(files),
        passed_over=tuple(map(str, passed_over)),
        others=others,
    )
    if not conversion.records:
        raise _nothing_usable(paths, conversion, speakers)
    return finished(conversion, options)


def convert_own(
    character: str,
    own: Sequence[RawRecord],
    names: Collection[str],
    told: Told,
    *,
    delivered: Sequence[RawRecord] = (),
    cast: bool = False,
) -> Conversion:
    """The conversion of what concerns one character. `names` are the speakers whose lines may be glued into others'.

    In a cast the pieces that others say go to them, as theirs come here, `delivered`.
    """
    raws = [replace(raw, speaker=character) if raw.speaker == CHARACTER else raw for raw in own]
    pieces = [piece for raw in raws for piece in pieces_of(raw, names, told.rules)]
    if cast:
        pieces = [*(piece for piece in pieces if piece.speaker == character), *delivered]
    problems: Counter[str] = Counter()
    seen: set[tuple[str, ...]] = set()
    for raw in raws:
        if raw.speaker == character:
            problems.update(problems_of(raw, names, told.meta))
            key = (raw.asked, raw.scene, raw.text, *(turn.text for turn in raw.context))
            problems["exact duplicates"] += key in seen
            seen.add(key)
    return Conversion(
        character=character,
        entries=len(raws),
        split=len(pieces) - len(raws),
        assembled=assemble(character, pieces, told),
        files=(),
        passed_over=(),
        problems=problems,
    )


def finished(conversion: Conversion, options: ConversionOptions) -> Conversion:
    """The conversion with near-duplicates told or merged, and lines joined to transcripts."""
    return _joined(_with_near(conversion, options), options)


def speaker_names(speakers: Mapping[str, int]) -> frozenset[str]:
    """The speakers whose lines may be glued into another's: those with a name of two characters or more."""
    return frozenset(speaker for speaker in speakers if len(speaker) > 1)


def write_conversion(conversion: Conversion, folder: Path, *, fingerprint: str, review: bool = False) -> dict[str, Any]:
    """Write records, rejects and the report and, last, `conversion.json`, whose presence means that all is there.

    Gives the account that it wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "conversion.json").unlink(missing_ok=True)
    write_records(folder / "records.jsonl", conversion.records)
    with (folder / "rejects.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in conversion.rejects)
    if review:
        write_review(folder / "review.csv", conversion.assembled.doubts)
    account = conversion.account() | {"fingerprint": fingerprint}
    write_conversion_report(account, folder / "conversion.html")
    write_json(folder / "conversion.json", account)
    return account


def ensure_converted(
    paths: Sequence[Path], character: str, folder: Path, *, review: bool = False, num_proc: int = 1, **told: Any
) -> dict[str, Any]:
    """The account of the conversion in `folder`, which is done first unless these files were converted so before.

    `told` holds the fields of `ConversionOptions`.

    Raises:
        UnderstudyError: a raw file is broken, or the character says nothing in any of them.
    """
    options = ConversionOptions(**told)
    patterns = compile_patterns(options.background_titles, options.voice_only_titles)
    fingerprint = raw_fingerprint(paths, character, options)
    try:
        account: dict[str, Any] = json.loads((folder / "conversion.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        account = {}
    done = account.get("fingerprint") == fingerprint and (folder / "records.jsonl").is_file()
    if not done or (review and not (folder / "review.csv").is_file()):
        conversion = convert(
            paths, character, patterns, context_turns=options.context_turns, options=options, num_proc=num_proc
        )
        account = write_conversion(conversion, folder, fingerprint=fingerprint, review=review)
    return account


def records_of(paths: Sequence[Path], character: str, folder: Path, **told: Any) -> tuple[list[Record], str]:
    """The character's records in `folder` and a hash of all that decides them; converted first, if that is not done.

    Without `paths` the records that lie there are taken as they are. `told` holds the fields of `ConversionOptions`.

    Raises:
        UnderstudyError: a raw file is broken, or there is no record, or one of somebody else.
    """
    path = folder / "records.jsonl"
    fingerprint = str(ensure_converted(paths, character, folder, **told)["fingerprint"]) if paths else ""
    records = read_records(path)
    if not records:
        raise UnderstudyError(path, f"holds no record of {character}", fix="convert its raw files")
    for number, record in enumerate(records, 1):
        if record.speaker != character:
            where, what = f"{path}:{number}", f"is a record of {record.speaker}, not of {character}"
            raise UnderstudyError(where, what, fix="correct `character` or `records_dir`")
    return records, fingerprint or hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def raw_fingerprint(paths: Sequence[Path], character: str, options: ConversionOptions) -> str:
    """A hash of the raw files and of what the conversion was told: while it stays, nothing need be redone."""
    digest = hashlib.blake2b(repr((__version__, character, options)).encode(), digest_size=16)
    known = find_files([*paths, *map(_path, options.join or ())], options.reading)[0]
    for file in [*(each.file.path for each in known), *([_path(options.reviewed)] if options.reviewed else ())]:
        if not file.is_file():
            raise UnderstudyError(file, "is not there", fix="correct `reviewed`, or write it with `convert --review`")
        with file.open("rb") as stream:
            digest.update(str(file).encode() + b"\0" + hashlib.file_digest(stream, "blake2b").digest())
    return digest.hexdigest()


def told_of(options: ConversionOptions, patterns: TitlePatterns) -> Told:
    """What assembling is told of the options."""
    return Told(
        patterns=patterns,
        meta=any_of(options.meta_speakers or META_SPEAKERS),
        rules=options.cleaning,
        decisions=read_review(_path(options.reviewed)) if options.reviewed else {},
    )


def _path(written: str) -> Path:
    return Path(written).expanduser()


def _named(raw: RawRecord, character: str) -> str:
    return character if raw.speaker == CHARACTER else raw.speaker


def _with_near(conversion: Conversion, options: ConversionOptions) -> Conversion:
    """Lines that are nearly the same are told, and merged into the first of them where that is asked for."""
    lines = [record for record in conversion.records if record.kind == "dialogue"]
    pairs = tuple((lines[i], lines[j], score) for i, j, score in near_pairs([line.text for line in lines]))
    conversion = replace(conversion, near=pairs)
    if options.near_duplicates != "merge":
        return conversion
    gone = {later.record_id for _, later, _ in pairs}
    rejects = tuple(
        Reject(record.source, NEARLY, record.speaker, record.text, record.also)
        for record in conversion.records
        if record.record_id in gone
    )
    kept = tuple(record for record in conversion.records if record.record_id not in gone)
    assembled = replace(conversion.assembled, records=kept, rejects=(*conversion.assembled.rejects, *rejects))
    return replace(conversion, assembled=assembled)


def _joined(conversion: Conversion, options: ConversionOptions) -> Conversion:
    """Lines that have lost the turns before them take those of the transcripts to join."""
    if not options.join:
        return conversion
    known: list[Known] = find_files([_path(path) for path in options.join], options.reading)[0]
    transcript = (raw for file in known for raw in file.records(options.reading))
    joined = join(conversion.records, transcript, conversion.character, options.cleaning)
    return replace(conversion, joined=joined, assembled=replace(conversion.assembled, records=joined.records))


def _nothing_usable(paths: Sequence[Path], conversion: Conversion, speakers: Counter[str]) -> UnderstudyError:
    named = {("nobody named" if speaker in ("", UNNAMED) else speaker): n for speaker, n in speakers.most_common(8)}
    heard = ", ".join(f"{speaker} ({count})" for speaker, count in named.items()) or "nobody"
    what = f"nothing usable is said by {conversion.character!r}; the speakers are: {heard}"
    if conversion.assembled.rejects:
        reasons = Counter(reject.reason for reject in conversion.assembled.rejects).most_common(4)
        what += "; rejected: " + ", ".join(f"{count} {reason}" for reason, count in reasons)
    return UnderstudyError(", ".join(map(str, paths)), what, fix="write the name exactly as the files do")
