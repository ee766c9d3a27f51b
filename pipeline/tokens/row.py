"""The token row: a conversation as the model and the loss see it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.conversations.render import ConversationKind
from pipeline.tokens.prefix_tree import IGNORE_INDEX


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A conversation in tokens. `labels` is `input_ids` on the reply and its end-of-turn token, -100 elsewhere.

    Of a conversation with labels of its own these stand there instead.
    """

    input_ids: list[int]
    labels: list[int]
    record_id: str
    kind: ConversationKind

    @property
    def loss_tokens(self) -> int:
        """How many tokens the loss sees."""
        return len(self.labels) - self.labels.count(IGNORE_INDEX)
