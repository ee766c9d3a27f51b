"""Arrow files, as `datasets.save_to_disk` writes them: rows of any known form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows.row_forms import read_rows

STREAM, FILE = b"\xff\xff\xff\xff", b"ARROW1"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it begins like a stream or a file of Arrow's, or its name says so."""
    return file.head.startswith((STREAM, FILE)) or file.path.suffix.lower() == ".arrow"


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every row."""
    yield from read_rows(_rows(file), options)


def _rows(file: RawFile) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa

    number = 0
    try:
        with pa.memory_map(str(file.path)) as mapped:
            for batch in _batches(mapped, file.head.startswith(FILE)):
                batch.validate(full=True)  # offsets that point outside would be followed otherwise
                for row in batch.to_pylist():
                    yield f"{file.path}#{number}", row
                    number += 1
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise UnderstudyError(
            f"{file.path}#{number}", f"is no sound Arrow ({' '.join(str(error).split())[:200]})", fix="save it again"
        ) from error


def _batches(mapped: Any, is_file: bool) -> Iterator[Any]:
    import pyarrow as pa

    if is_file:
        with pa.ipc.open_file(mapped) as table:
            for number in range(table.num_record_batches):
                yield table.get_batch(number)
    else:
        with pa.ipc.open_stream(mapped) as stream:
            yield from stream
