"""A run's conversations as token rows, with what the mixture needs to know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate, chain, islice, tee
from typing import TYPE_CHECKING

import numpy as np

from pipeline.conversations.render import CONVERSATION_KINDS, Conversation, ConversationKind
from pipeline.errors import UnderstudyError
from pipeline.tokens.encode import encode
from pipeline.tokens.fit import fit
from pipeline.tokens.plain_text import control_words, find_control_word
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    import pyarrow as pa
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase

    from pipeline.mixture.plan import Ints

# Rows that become one Arrow table. A `Dataset` is hashed, and so copied, when it is made: one of all rows would double
# the memory.
PIECE = 4096


@dataclass(frozen=True)  # without slots, for the cached property
class RowSet:
    """The rows of every record, a record's rows one after another: record i has `variants[i]` of them.

    `tables` have `input_ids`, `labels`, `kind` (its number in CONVERSATION_KINDS) and `record` (i), as Arrow arrays in
    memory: 8 bytes a token, and no cache file that could be another run's. `loss_tokens[i]` is the mean number of
    tokens that the loss sees in an exposure of record i. `rejected` and `shortened` count, by record id, the rows that
    were longer than the run allows; `control_words` has, by record id, why a record was left out: its control word.
    """

    tables: tuple[pa.Table, ...]
    record_ids: tuple[str, ...]
    kinds: tuple[ConversationKind, ...]
    variants: tuple[int, ...]
    loss_tokens: tuple[float, ...]
    rejected: Mapping[str, int]
    shortened: Mapping[str, int]
    control_words: Mapping[str, str]

    @cached_property
    def dataset(self) -> Dataset:
        """The rows as a trainer takes them; the tables are concatenated, not copied."""
        from datasets import Dataset, concatenate_datasets  # a quarter of a second, which `explain` does without

        return concatenate_datasets([Dataset(table) for table in self.tables])


def token_lengths(dataset: Dataset) -> Ints:
    """Tokens of each row of a `RowSet`'s dataset."""
    import pyarrow.compute as pc

    lengths: Ints = pc.list_value_length(dataset.with_format("arrow")[:]["input_ids"]).to_numpy().astype("int64")
    return lengths


def encode_rows(
    groups: Iterable[Sequence[Conversation]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int | None,
    on_overlong: str,
) -> RowSet:
    """Encode and prove every conversation, each once however often it will be seen.

    `groups[i]` are the conversations of one record; a record none of whose rows fit is left out. They may come from a
    generator: some thousands of conversations and rows at a time are held as Python objects.

    Raises:
        UnderstudyError: a row cannot be trained on, or none is left.
    """
    records = _Records()
    groups, ahead = tee(_without_control_words(groups, tokenizer, records.control_words))
    encoded = encode(chain.from_iterable(ahead), tokenizer)
    for group in groups:
        kept: list[TokenRow] = []
        for conversation, row in zip(group, islice(encoded, len(group)), strict=True):
            fitted = fit(conversation, row, tokenizer, max_length=max_length, on_overlong=on_overlong)
            if fitted is None:
                records.rejected[row.record_id] += 1
            else:
                kept.append(fitted)
                records.shortened[row.record_id] += fitted is not row
        if kept:
            records.add(kept)
    if not records.variants:
        raise _nothing_left(records)
    return records.row_set()


def _without_control_words(
    groups: Iterable[Sequence[Conversation]], tokenizer: PreTrainedTokenizerBase, found: dict[str, str]
) -> Iterator[Sequence[Conversation]]:
    """The records whose reply can be learnt as text; of the others, `found` gets the control word."""
    find = find_control_word(control_words(tokenizer))
    for group in groups:
        word = find(group[0].completion["content"]) if group else None
        if word is None:
            yield group
        else:
            found[group[0].record_id] = word


def _nothing_left(records: _Records) -> UnderstudyError:
    """The error of a run without a row."""
    if records.rejected:
        where, what = f"record {next(iter(records.rejected))} and all others", "are longer than max_length"
        return UnderstudyError(where, what, fix="raise max_length in the recipe")
    where, what = f"record {next(iter(records.control_words))} and all others", "hold control tokens of the tokenizer"
    return UnderstudyError(where, what, fix="take them out of the texts")


@dataclass(slots=True)
class _Records:
    """Proven rows, record by record; PIECE of them at a time become Arrow arrays."""

    record_ids: list[str] = field(default_factory=list)
    kinds: list[ConversationKind] = field(default_factory=list)
    variants: list[int] = field(default_factory=list)
    loss_tokens: list[float] = field(default_factory=list)
    gathered: list[tuple[int, TokenRow]] = field(default_factory=list)
    tables: list[pa.Table] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    control_words: dict[str, str] = field(default_factory=dict)
    shortened: Counter[str] = field(default_factory=Counter)

    def add(self, rows: Sequence[TokenRow]) -> None:
        """Take the rows of the next record."""
        self.gathered += [(len(self.variants), row) for row in rows]
        self.record_ids.append(rows[0].record_id)
        self.kinds.append(rows[0].kind)
        self.variants.append(len(rows))
        self.loss_tokens.append(sum(row.loss_tokens for row in rows) / len(rows))
        if len(self.gathered) >= PIECE:
            self._convert_gathered()

    def row_set(self) -> RowSet:
        """All records so far."""
        if self.gathered:
            self._convert_gathered()
        return RowSet(
            tables=tuple(self.tables),
            record_ids=tuple(self.record_ids),
            kinds=tuple(self.kinds),
            variants=tuple(self.variants),
            loss_tokens=tuple(self.loss_tokens),
            rejected=self.rejected,
            shortened=+self.shortened,
            control_words=self.control_words,
        )

    def _convert_gathered(self) -> None:
        """The rows that have gathered become a table."""
        import pyarrow as pa

        rows = [row for _, row in self.gathered]
        columns = {
            "input_ids": _lists([row.input_ids for row in rows]),
            "labels": _lists([row.labels for row in rows]),
            "kind": _integers([CONVERSATION_KINDS.index(row.kind) for row in rows], len(rows), "int8"),
            "record": _integers([record for record, _ in self.gathered], len(rows), "int32"),
        }
        self.tables.append(pa.table(columns))
        self.gathered.clear()


def _lists(lists: Sequence[Sequence[int]]) -> pa.ListArray:
    """Lists of int32, in Arrow's memory."""
    import pyarrow as pa

    ends = list(accumulate(map(len, lists), initial=0))
    values = _integers(chain.from_iterable(lists), ends[-1], "int32")
    return pa.ListArray.from_arrays(_integers(ends, len(ends), "int32"), values)


def _integers(values: Iterable[int], count: int, dtype: str) -> pa.Array:
    """So many integers, in Arrow's memory; `pa.array` would import pandas to see whether it is given a series."""
    import pyarrow as pa

    buffer = pa.allocate_buffer(count * np.dtype(dtype).itemsize)
    np.frombuffer(buffer, dtype)[:] = np.fromiter(values, dtype, count)
    return pa.Array.from_buffers(pa.from_numpy_dtype(dtype), count, [None, buffer])
