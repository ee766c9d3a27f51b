"""Raw files to one character's records, with an account of everything that was read."""

from __future__ import annotations

import functools
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline import __version__
from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.assembly import AssemblyOptions, assemble
from pipeline.records.files import CONVERSION_FILE, CONVERSION_PAGE, RECORDS_FILE, REJECTS_FILE, REVIEW_FILE
from pipeline.records.joining import join
from pipeline.records.names import near_names
from pipeline.records.near import near_pairs
from pipeline.records.nothing_usable import nothing_usable
from pipeline.records.options import assembly_options, read_options
from pipeline.records.pieces import RawPieces, pieces_of
from pipeline.records.private_data import mask_private
from pipeline.records.problems import count_problems
from pipeline.records.raw import CHARACTER, RawRecord
from pipeline.records.readers import find_files
from pipeline.records.readers.rows.turn_labels import repeated_labels
from pipeline.records.readers.tables import excel, word
from pipeline.records.readers.web import html_file
from pipeline.records.reading import broken_files, passed_over_files, read_files
from pipeline.records.record import Record, read_records, write_records
from pipeline.records.reject import NEAR_DUPLICATE, Reject, write_rejects
from pipeline.records.report import write_conversion_report
from pipeline.records.result import Conversion
from pipeline.records.review import write_review
from pipeline.terminal import print_line


def convert(paths: Sequence[Path], character: str, options: ConversionOptions, *, num_proc: int = 1) -> Conversion:
    """Read `paths` and keep the character's own records, each once, in the order of the files.

    Raises:
        UnderstudyError: a file is broken, or the character has no usable line in any of them.
    """
    assembly = assembly_options(options)
    reading = read_options(options, character)
    known, passed_over = find_files(paths, reading)
    files = tuple(read_files(known, reading, character, assembly.meta_speakers, num_proc=num_proc))
    others = tuple(reject for file in files for reject in file.others)
    own = [_named(raw, character) for file in files for raw in file.own]
    speakers = Counter(raw.speaker for raw in own) + Counter(reject.speaker for reject in others)
    by_role = (raw.text for file in files for raw in file.own if raw.speaker == CHARACTER)
    names = speaker_names(speakers) | repeated_labels(by_role)
    split = [pieces_of(raw, names, assembly.rules) for raw in own]
    pieces = [piece for one in split for piece in one.pieces]
    conversion = replace(
        convert_pieces(character, split, pieces, assembly),
        entries=len(own) + len(others),
        files=tuple(file for file in files if not (file.passed_over or file.broken)),
        passed_over=passed_over_files(passed_over, files, (character, *(options.other_names or ()))),
        broken=broken_files(files),
        near_names=near_names(character, speakers),
        other_names=sum((Counter(file.renamed) for file in files), Counter[str]()),
        others=others,
    )
    if not conversion.records:
        raise nothing_usable(paths, conversion, speakers)
    return completed(conversion, options)


def convert_pieces(
    character: str, own: Sequence[RawPieces], pieces: Sequence[RawRecord], assembly: AssemblyOptions
) -> Conversion:
    """The conversion of one character's `pieces`, `own` being the raw records that they are counted against.

    Problems are counted among those of the raw records whose speaker is the character.
    """
    return Conversion(
        character=character,
        entries=len(own),
        split=len(pieces) - len(own),
        assembled=assemble(character, pieces, assembly),
        files=(),
        passed_over=(),
        problems=count_problems((one for one in own if one.raw.speaker == character), assembly.meta_speakers),
    )


def completed(conversion: Conversion, options: ConversionOptions) -> Conversion:
    """The conversion with its near-duplicates found, or merged, and its lines joined to transcripts."""
    conversion = _joined(_with_near_duplicates(conversion, options), options)
    return _with_masked_rejects(conversion) if options.mask_private else conversion


def _with_masked_rejects(conversion: Conversion) -> Conversion:
    """The conversion whose rejects, which reports show and files keep, are masked as its records are."""
    others, own = ([_masked(one) for one in some] for some in (conversion.others, conversion.assembled.rejects))
    assembled = replace(conversion.assembled, rejects=tuple(own))
    return replace(conversion, others=tuple(others), assembled=assembled)


def _masked(reject: Reject) -> Reject:
    return replace(reject, speaker=mask_private(reject.speaker), text=mask_private(reject.text))


def speaker_names(speakers: Iterable[str]) -> frozenset[str]:
    """The speakers whose lines may be glued into another's: those with a name of two characters or more."""
    return frozenset(speaker for speaker in speakers if len(speaker) > 1)


def write_conversion(conversion: Conversion, folder: Path, *, fingerprint: str, review: bool = False) -> dict[str, Any]:
    """Write records, rejects and the report and, last, the account, whose presence means that all is there.

    Gives the account that it wrote.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONVERSION_FILE).unlink(missing_ok=True)
    write_records(folder / RECORDS_FILE, conversion.records)
    write_rejects(folder / REJECTS_FILE, conversion.rejects)
    if review:
        write_review(folder / REVIEW_FILE, conversion.assembled.doubts)
    account = account_of(conversion) | {"fingerprint": fingerprint}
    write_conversion_report(account, folder / CONVERSION_PAGE)
    write_json(folder / CONVERSION_FILE, account)
    return account


def ensure_converted(
    paths: Sequence[Path],
    character: str,
    folder: Path,
    options: ConversionOptions,
    *,
    review: bool = False,
    num_proc: int = 1,
) -> dict[str, Any]:
    """The account of the conversion in `folder`; the files are converted first, unless that was done before.

    Raises:
        UnderstudyError: a raw file is broken, or the character has no usable line in any of them.
    """
    fingerprint = raw_fingerprint(paths, character, options)
    account = read_converted(folder / CONVERSION_FILE, fingerprint)
    done = account is not None and (folder / RECORDS_FILE).is_file()
    if account is None or not done or (review and not (folder / REVIEW_FILE).is_file()):
        conversion = convert(paths, character, options, num_proc=num_proc)
        account = write_conversion(conversion, folder, fingerprint=fingerprint, review=review)
    return account


def read_converted(path: Path, fingerprint: str) -> dict[str, Any] | None:
    """The account or summary at `path`, if it is that of a conversion with this fingerprint."""
    try:
        account: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return account if account.get("fingerprint") == fingerprint else None


def records_of(
    paths: Sequence[Path], character: str, folder: Path, options: ConversionOptions
) -> tuple[list[Record], str]:
    """The character's records in `folder` and a hash of their file; converted first, if that is not done.

    Without `paths` the records in the folder are taken as they are. The hash is part of a run's identity, and of the
    content: the code that converts may change between a run and its resumption, as long as the records stay.

    Raises:
        UnderstudyError: a raw file is broken, or there is no record, or one of somebody else.
    """
    path = folder / RECORDS_FILE
    if paths:
        for broken in ensure_converted(paths, character, folder, options)["broken"]:
            print_line(f"left out: {broken}", sys.stderr)
    records = read_records(path)
    if not records:
        raise UnderstudyError(path, f"holds no record of {character}", fix="convert its raw files")
    for number, record in enumerate(records, 1):
        if record.speaker != character:
            where, what = f"{path}:{number}", f"is a record of {record.speaker}, not of {character}"
            raise UnderstudyError(where, what, fix="correct `character` or `records_dir`")
    return records, hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()


def raw_fingerprint(paths: Sequence[Path], character: str, options: ConversionOptions) -> str:
    """A hash of the raw files, the options of their conversion and its code: while it stays, nothing is redone."""
    installed = (excel.is_installed(), word.is_installed(), html_file.is_installed())
    decisive = (__version__, code_digest(), *installed, character, options)
    digest = hashlib.blake2b(repr(decisive).encode(), digest_size=16)
    known = find_files([*paths, *_expanded(options.join or ())], read_options(options, character))[0]
    for file in [*(each.file.path for each in known), *_expanded([options.reviewed] if options.reviewed else ())]:
        if not file.is_file():
            raise UnderstudyError(file, "is not there", fix="correct `reviewed`, or write it with `convert --review`")
        with file.open("rb") as stream:
            digest.update(str(file).encode() + b"\0" + hashlib.file_digest(stream, "blake2b").digest())
    return digest.hexdigest()


@functools.cache
def code_digest(folder: Path = Path(__file__).parent) -> str:
    """A hash of the modules, data and templates that make records and reports of raw files."""
    digest = hashlib.blake2b(digest_size=16)
    for path in sorted(path for path in folder.rglob("*") if path.suffix in (".py", ".json", ".jinja")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _expanded(paths: Iterable[str]) -> list[Path]:
    return [Path(path).expanduser() for path in paths]


def _named(raw: RawRecord, character: str) -> RawRecord:
    """The raw record with the character's name, where the file has only its role."""
    return replace(raw, speaker=character) if raw.speaker == CHARACTER else raw


def _with_near_duplicates(conversion: Conversion, options: ConversionOptions) -> Conversion:
    """Pairs of lines that are nearly the same, and the later of each rejected if `near_duplicates` is merge."""
    lines = [record for record in conversion.records if record.kind == "dialogue"]
    pairs = tuple((lines[i], lines[j], score) for i, j, score in near_pairs([line.text for line in lines]))
    conversion = replace(conversion, near=pairs)
    if options.near_duplicates != "merge":
        return conversion
    gone = {later.record_id for _, later, _ in pairs}
    rejects = tuple(
        Reject(record.source, NEAR_DUPLICATE, record.speaker, record.text, record.also)
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
    reading = read_options(options)
    known = find_files(_expanded(options.join), reading)[0]
    transcript = (raw for file in known for raw in file.records(reading))
    assembly = assembly_options(options)
    joined = join(conversion.records, transcript, conversion.character, assembly.rules, assembly.meta_speakers)
    return replace(conversion, joined=joined, assembled=replace(conversion.assembled, records=joined.records))
