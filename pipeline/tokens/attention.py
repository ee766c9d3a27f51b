"""Whether a model can compute a prefix tree exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def why_no_tree(model: PreTrainedModel) -> str | None:
    """Why the model cannot compute prefix-tree batches, or None if it can.

    A tree needs a mask of its own shape, so every layer must attend to everything (no window, no recurrence) through
    sdpa: flash-attention takes no such mask, and eager attention misreads a boolean one without a word.
    """
    config: Any = model.config.get_text_config()
    if config._attn_implementation != "sdpa":
        return f"its attention is {config._attn_implementation}, not sdpa"
    values = config.to_dict()
    other = sorted(set(values.get("layer_types") or ()) - {"full_attention"})
    if other:
        return f"it has {', '.join(other)} layers"
    if values.get("sliding_window") and values.get("use_sliding_window", True):
        return f"it attends to a window of {values['sliding_window']} tokens"
    if values.get("attention_dropout"):
        return "it has attention dropout, which would differ between rows that share tokens"
    return None
