"""A run's conversations as token rows, with what the mixture needs to know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.conversations.render import CONVERSATION_KINDS, Conversation, ConversationKind
from pipeline.errors import UnderstudyError
from pipeline.tokens.encode import encode
from pipeline.tokens.fit import fit
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class RowSet:
    """The rows of every record, a record's rows one after another: record i has `variants[i]` of them.

    `dataset` has `input_ids`, `labels`, `kind` (its number in CONVERSATION_KINDS) and `record` (i). `loss_tokens[i]` is
    the mean number of tokens that the loss sees in an exposure of record i. `rejected` and `shortened` count, by record
    id, the rows that were longer than the run allows.
    """

    dataset: Dataset
    record_ids: tuple[str, ...]
    kinds: tuple[ConversationKind, ...]
    variants: tuple[int, ...]
    loss_tokens: tuple[float, ...]
    rejected: Mapping[str, int]
    shortened: Mapping[str, int]


def encode_rows(
    groups: Sequence[Sequence[Conversation]],
    tokenizer: PreTrainedTokenizerBase,
    *,
    max_length: int | None,
    on_overlong: str,
    progress: Callable[[Iterable[TokenRow], int], Iterable[TokenRow]] = lambda rows, _: rows,
) -> RowSet:
    """Encode and prove every conversation, each once however often it will be seen.

    `groups[i]` are the conversations of one record; a record none of whose rows fit is left out. `progress` wraps the
    rows as they come, and is told how many there will be.

    Raises:
        UnderstudyError: a row cannot be trained on, or none is left.
    """
    flat = [conversation for group in groups for conversation in group]
    rows = iter(progress(encode(flat, tokenizer), len(flat)))
    kept: list[TokenRow] = []
    variants: list[int] = []
    rejected: Counter[str] = Counter()
    shortened: Counter[str] = Counter()
    for group in groups:
        before = len(kept)
        for conversation, row in zip(group, islice(rows, len(group)), strict=True):
            fitted = fit(conversation, row, tokenizer, max_length=max_length, on_overlong=on_overlong)
            if fitted is None:
                rejected[row.record_id] += 1
            else:
                kept.append(fitted)
                shortened[row.record_id] += fitted is not row
        if len(kept) > before:
            variants.append(len(kept) - before)
    if not kept:
        raise UnderstudyError(
            f"record {flat[0].record_id} and all others",
            "are longer than max_length",
            fix="raise max_length in the recipe",
        )
    return _row_set(kept, variants, rejected, +shortened)


def _row_set(
    rows: Sequence[TokenRow], variants: Sequence[int], rejected: Mapping[str, int], shortened: Mapping[str, int]
) -> RowSet:
    from datasets import Dataset

    record = [number for number, count in enumerate(variants) for _ in range(count)]
    first = [number for number in range(len(record)) if number == 0 or record[number] != record[number - 1]]
    dataset = Dataset.from_dict(
        {
            "input_ids": [row.input_ids for row in rows],
            "labels": [row.labels for row in rows],
            "kind": [CONVERSATION_KINDS.index(row.kind) for row in rows],
            "record": record,
        }
    )
    return RowSet(
        dataset=dataset,
        record_ids=tuple(rows[number].record_id for number in first),
        kinds=tuple(rows[number].kind for number in first),
        variants=tuple(variants),
        loss_tokens=tuple(
            sum(row.loss_tokens for row in rows[number : number + count]) / count
            for number, count in zip(first, variants, strict=True)
        ),
        rejected=rejected,
        shortened=shortened,
    )
