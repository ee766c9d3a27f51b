"""What the base model would say in the place of each token of a reply: drawn once, kept, and trained as its labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_io import write_json
from pipeline.home import kept_file, read_kept_list
from pipeline.models.identity import model_identity
from pipeline.models.scores import draw_labels, prepare_scoring
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedModel

Labels = list[list[int]]
SEED = 1  # another whenever others would be drawn
TOKENS_A_BATCH = 2048  # of the rows of a forward, before what they share is merged


def kept_labels(rows: Sequence[TokenRow], model_name: str, template: str, options: Mapping[str, Any]) -> Labels | None:
    """The labels that `base_labels` has kept for the rows; None if it has not drawn them yet."""
    return read_kept_list(_path(rows, model_name, template, options), len(rows))


def base_labels(
    rows: Sequence[TokenRow],
    model_name: str,
    template: str,
    options: Mapping[str, Any],
    load: Callable[[], PreTrainedModel],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Labels:
    """For each supervised token of each row, one drawn from what the base model says in its place.

    They are drawn once and kept by the digest of model, chat template and tokens. `load` loads the model, with
    `options`; `progress` is called with the number of rows done and their total.
    """
    kept = kept_labels(rows, model_name, template, options)
    if kept is not None:
        return kept
    model = load()
    prepare_scoring(model)
    generator = torch.Generator().manual_seed(SEED)
    labels: Labels = [[] for _ in rows]
    order = sorted(range(len(rows)), key=lambda number: rows[number].input_ids)  # what rows share stands in one batch
    done = 0
    for batch in _batches([rows[number] for number in order]):
        for drawn in draw_labels(model, batch, generator):
            labels[order[done]] = drawn
            done += 1
        if progress:
            progress(done, len(rows))
    write_json(_path(rows, model_name, template, options), labels)
    return labels


def _batches(rows: Sequence[TokenRow]) -> list[list[TokenRow]]:
    """The rows in their order, as many together as have `TOKENS_A_BATCH` tokens, one at least."""
    batches: list[list[TokenRow]] = []
    room = 0
    for row in rows:
        if not batches or len(row.input_ids) > room:
            batches.append([])
            room = TOKENS_A_BATCH
        batches[-1].append(row)
        room -= len(row.input_ids)
    return batches


def _path(rows: Sequence[TokenRow], model_name: str, template: str, options: Mapping[str, Any]) -> Path:
    decisive = [*model_identity(model_name, options, template), SEED]
    return kept_file("labels", [decisive, [[row.input_ids, row.loss_tokens] for row in rows]])
