"""What the base model would say in the place of each token of a reply: drawn once, kept, and trained as its labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_io import write_json
from pipeline.conversations.render import Conversation
from pipeline.home import understudy_home
from pipeline.models.identity import model_identity
from pipeline.models.scores import draw_labels, prepare_scoring
from pipeline.tokens.encode import encode
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Labels = list[list[int]]
SEED = 0
TOKENS_A_BATCH = 2048  # of the rows of a forward, before what they share is merged


class BaseLabels:
    """Draws labels for conversations from a base model, or finds those that it has kept.

    `load` loads the model, and is called only if there is something to draw; `options` are those it loads with.
    """

    def __init__(
        self,
        model_name: str,
        tokenizer: PreTrainedTokenizerBase,
        options: Mapping[str, Any],
        load: Callable[[], PreTrainedModel],
    ) -> None:
        self._identity = model_identity(model_name, options, str(tokenizer.chat_template))
        self._tokenizer = tokenizer
        self._load = load

    def kept(self, conversations: Sequence[Conversation]) -> Labels | None:
        """The labels that `draw` has kept; None if it has not drawn them yet."""
        return _read(self._path(self._rows(conversations)))

    def draw(
        self, conversations: Sequence[Conversation], *, progress: Callable[[int, int], None] | None = None
    ) -> Labels:
        """For each token that the loss would see of each conversation, one drawn from what the model says before it.

        They are drawn once, and kept by the digest of the model and of the conversations' tokens. `progress` is called
        with the number of conversations done and their total.
        """
        rows = self._rows(conversations)
        path = self._path(rows)
        if (kept := _read(path)) is not None:
            return kept
        model = self._load()
        prepare_scoring(model)
        generator = torch.Generator().manual_seed(SEED)
        labels: Labels = []
        for batch in _batches(rows):
            labels += draw_labels(model, batch, generator)
            if progress:
                progress(len(labels), len(rows))
        write_json(path, labels)
        return labels

    def _rows(self, conversations: Sequence[Conversation]) -> list[TokenRow]:
        return list(encode(conversations, self._tokenizer))

    def _path(self, rows: Sequence[TokenRow]) -> Path:
        content = json.dumps([self._identity, SEED, [[row.input_ids, row.loss_tokens] for row in rows]])
        digest = hashlib.blake2b(content.encode(), digest_size=16).hexdigest()
        return understudy_home() / "labels" / f"{digest}.json"


def _read(path: Path) -> Labels | None:
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, list) else None


def _batches(rows: Sequence[TokenRow]) -> list[list[TokenRow]]:
    """The rows in order, as many together as have `TOKENS_A_BATCH` tokens, one at least."""
    batches: list[list[TokenRow]] = []
    room = 0
    for row in rows:
        if not batches or len(row.input_ids) > room:
            batches.append([])
            room = TOKENS_A_BATCH
        batches[-1].append(row)
        room -= len(row.input_ids)
    return batches
