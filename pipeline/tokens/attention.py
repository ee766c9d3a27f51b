"""Attention over a prefix tree in transformers models: by branches on a CPU, FlexAttention or a dense mask on a GPU.

The rule is one: a query q attends to a key k exactly if `k <= q < end[k]`. It is handed to the model's public forward
as a 4-D mask, which every sdpa model takes as it is. Where the model lets an attention function be registered
(`AttentionInterface`), the same rule is computed without touching the pairs that it forbids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.flex_attention import flex_attention_forward
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from pipeline.tokens.prefix_tree import branches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch.nn.attention.flex_attention import BlockMask
    from transformers import PreTrainedModel

TREE_ATTENTION = "prefix_tree"  # the name under which transformers knows `tree_attention`
# A GPU's sdpa with a dense mask of that many tokens squared is small; beyond, FlexAttention skips whole blocks of it.
FLEX_MIN_TOKENS = 2048
# Options of some models' attention that `_branch_attention` does not have; sdpa takes or refuses them.
SDPA_ONLY_OPTIONS = ("softcap", "s_aux", "position_bias")


def prefix_tree_obstacle(model: PreTrainedModel) -> str | None:
    """Why the model cannot compute prefix-tree batches, or None if it can.

    A tree needs a mask of its own shape, so every layer must attend to everything (no window, no recurrence) through
    sdpa: flash-attention takes no such mask, and eager attention misreads a boolean one silently.
    """
    config: Any = model.config.get_text_config()
    if config._attn_implementation not in ("sdpa", TREE_ATTENTION):
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


def use_tree_attention(model: PreTrainedModel) -> None:
    """From now on the model computes trees by `tree_attention`, and all else by sdpa as before.

    A model whose attention cannot be replaced stays on sdpa, which computes the same from the dense mask.
    """
    if model._supports_attention_backend:
        model.set_attn_implementation(TREE_ATTENTION)


def tree_inputs(batch: Mapping[str, torch.Tensor], *, tree_attention: bool) -> dict[str, Any]:
    """The arguments of the model's forward for a `prefix_tree_batch`; its logits are `[1, P, V]`, one row a target.

    `tree_attention`: whether the model computes by `tree_attention`.
    """
    ends, position = batch["tree_ends"][0], batch["position_ids"]
    inputs = {
        "input_ids": batch["input_ids"],
        "position_ids": position,
        "logits_to_keep": batch["target_nodes"][0],
        "use_cache": False,
    }
    if tree_attention and ends.device.type == "cuda" and len(ends) >= FLEX_MIN_TOKENS:
        return inputs | {"attention_mask": block_mask(ends, compiled=True)}
    inputs["attention_mask"] = dense_mask(ends)
    if tree_attention and ends.device.type == "cpu":
        inputs["tree_branches"] = tree_branches(position[0])
    return inputs


def uses_tree_attention(model: PreTrainedModel) -> bool:
    """Whether the model computes by `tree_attention`."""
    return bool(model.config.get_text_config()._attn_implementation == TREE_ATTENTION)


def dense_mask(ends: torch.Tensor) -> torch.Tensor:
    """`[1, 1, T, T]`, boolean: whether query q (row) may attend to key k (column)."""
    index = torch.arange(len(ends), device=ends.device)
    return ((index[None, :] <= index[:, None]) & (index[:, None] < ends[None, :]))[None, None]


def block_mask(ends: torch.Tensor, *, compiled: bool) -> BlockMask:
    """The same rule for FlexAttention, which skips the blocks in which it allows nothing."""
    from torch.nn.attention.flex_attention import create_block_mask

    def attends(batch: torch.Tensor, head: torch.Tensor, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        return (k <= q) & (q < ends[k])

    length = len(ends)
    return create_block_mask(attends, None, None, length, length, device=ends.device, _compile=compiled)


@dataclass(frozen=True, slots=True)
class TreeBranches:
    """A tree's branches for one forward: queries come in order, `sizes` a branch; `keys` are all paths, end to end.

    `masks`: one additive float32 mask `[queries, path]` a branch: causal, its queries being the path's last nodes.
    """

    sizes: list[int]
    keys: torch.Tensor
    path_sizes: list[int]
    masks: list[torch.Tensor]


def tree_branches(position: torch.Tensor) -> TreeBranches:
    """The branches of the tree with these positions, `[T]`, on the CPU."""
    in_order = branches(position.numpy())
    sizes = [branch.stop - branch.start for branch in in_order]
    path_sizes = [len(branch.path) for branch in in_order]
    masks = [torch.full((n, m), -torch.inf).triu(m - n + 1) for n, m in zip(sizes, path_sizes, strict=True)]
    keys = torch.cat([torch.from_numpy(branch.path) for branch in in_order])
    return TreeBranches(sizes, keys, path_sizes, masks)


def tree_attention(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Any,
    *,
    tree_branches: TreeBranches | None = None,
    **options: Any,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """An attention function of transformers': each branch of a tree by itself, a BlockMask by flex, all else by sdpa.

    Query `[1, heads, T, d]`, key and value with as many or fewer heads; returns `[1, T, heads, d]`. A branch's
    queries see their path alone, so the work is the sum of branch times path instead of T squared.
    """
    if tree_branches is not None and all(options.get(name) is None for name in SDPA_ONLY_OPTIONS):
        return _branch_attention(query, key, value, tree_branches, options.get("scaling")), None
    if attention_mask is None or isinstance(attention_mask, torch.Tensor):
        output: tuple[torch.Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **options)
        return output
    flex_output: tuple[torch.Tensor, torch.Tensor | None] = flex_attention_forward(
        module, query, key, value, attention_mask, **options
    )
    return flex_output


def _branch_attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, tree: TreeBranches, scaling: float | None
) -> torch.Tensor:
    dtype = query.dtype
    if query.device.type == "cpu" and dtype.itemsize < torch.float32.itemsize:  # sdpa's backward takes twice as long
        query, key, value = query.float(), key.float(), value.float()
    keys, values = (each.index_select(2, tree.keys) for each in (key, value))
    grouped = query.shape[1] != key.shape[1]
    outputs = [
        scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype), scale=scaling, enable_gqa=grouped)
        for q, k, v, mask in zip(
            torch.split(query, tree.sizes, dim=2),
            torch.split(keys, tree.path_sizes, dim=2),
            torch.split(values, tree.path_sizes, dim=2),
            tree.masks,
            strict=True,
        )
    ]
    return torch.cat(outputs, dim=2).transpose(1, 2).to(dtype).contiguous()


AttentionInterface.register(TREE_ATTENTION, tree_attention)
AttentionMaskInterface.register(TREE_ATTENTION, sdpa_mask)
