"""Parquet: rows of any known form, read batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.rows.row_forms import read_rows

MAGIC = b"PAR1"
BATCH = 1024
MAX_RATIO = 1000  # unpacked to packed; run-length coding of real texts stays far below


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it begins like parquet, or its name says so."""
    return file.head.startswith(MAGIC) or file.path.suffix.lower() == ".parquet"


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of every row."""
    yield from read_rows(_rows(file), options)


def _rows(file: RawFile) -> Iterator[tuple[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(file.path, page_checksum_verification=True) as table:
            claimed = sum(table.metadata.row_group(i).total_byte_size for i in range(table.num_row_groups))
            if claimed > MAX_RATIO * file.path.stat().st_size:
                raise UnderstudyError(
                    file.path, f"claims to unpack to {claimed} bytes", fix="do not trust this file; export it again"
                )
            for batch in table.iter_batches(batch_size=BATCH):
                for row in batch.to_pylist():
                    yield f"{file.path}#{number}", row
                    number += 1
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise UnderstudyError(
            f"{file.path}#{number}",
            f"is no sound parquet ({' '.join(str(error).split())[:200]})",
            fix="export it again",
        ) from error
