"""A prefix tree trains as its rows do, however its attention is computed."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM

from pipeline.models.locate import prepare_environment
from pipeline.models.threads import threads_for
from pipeline.tokens.attention import (
    block_mask,
    dense_mask,
    prefix_tree_obstacle,
    tree_inputs,
    use_tree_attention,
    uses_tree_attention,
)
from pipeline.tokens.collate import padded_batch, prefix_tree_batch
from pipeline.tokens.prefix_tree import IGNORE_INDEX, branches, build_prefix_tree
from pipeline.tokens.scores import score_targets

Rows = list[tuple[list[int], list[int]]]


def row(prompt: list[int], reply: list[int]) -> tuple[list[int], list[int]]:
    return prompt + reply, [IGNORE_INDEX] * len(prompt) + reply


SYSTEM, OTHER = list(range(10, 40)), list(range(40, 60))
SCENE = [7, 8, 9, 70, 71, 72, 73, 7, 8, 74, 75, 76]
DIALOGUE = [row([*SYSTEM, 100 + n], [120 + n, 130, 5]) for n in range(6)]
SETTINGS = [row([*OTHER, 80 + n % 2], [140 + n, 141, 142, 143, 5]) for n in range(6)]
SCENES = [row([*SYSTEM, *SCENE[:end]], [*SCENE[end : end + 2], 5]) for end in range(2, 10, 2)]
CASES = {
    "dialogue": DIALOGUE,
    "settings": SETTINGS,
    "multi-turn scenes": SCENES,
    "mixed kinds": [*DIALOGUE[:3], *SETTINGS[:3], *SCENES[:2]],
    "a single row": DIALOGUE[:1],
    "nothing in common": [row([200 + 9 * n, 3], [201 + 9 * n, 5]) for n in range(4)],
    "the same row twice": [DIALOGUE[0], DIALOGUE[0]],
}


@pytest.fixture(scope="module")
def models(tiny_model_folder: Path) -> dict[str, Any]:
    """The tiny model on plain sdpa, and on tree attention, with and without activation checkpointing."""
    plain = AutoModelForCausalLM.from_pretrained(tiny_model_folder, attn_implementation="sdpa").train()
    tree = copy.deepcopy(plain)
    use_tree_attention(tree)
    checkpointed = copy.deepcopy(tree)
    checkpointed.gradient_checkpointing_enable({"use_reentrant": False})
    assert not uses_tree_attention(plain)
    assert uses_tree_attention(tree)
    return {"dense": plain, "branches": tree, "checkpointed": checkpointed}


def tree_gradient(model: Any, rows: Rows) -> torch.Tensor:
    batch = prefix_tree_batch([ids for ids, _ in rows], [labels for _, labels in rows])
    logits = model(**tree_inputs(batch, tree_attention=uses_tree_attention(model))).logits.squeeze(0)
    return gradient(model, score_targets(logits, batch["labels"][0], batch["target_rows"][0]).log_prob)


def padded_gradient(model: Any, rows: Rows) -> torch.Tensor:
    batch = padded_batch([ids for ids, _ in rows], [labels for _, labels in rows], pad_token_id=0)
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
    log_prob = -torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch["labels"][:, 1:].flatten(), reduction="none"
    )
    return gradient(model, log_prob)


def gradient(model: Any, log_prob: torch.Tensor) -> torch.Tensor:
    model.zero_grad()
    (-log_prob.sum()).backward()
    return torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


def difference(found: torch.Tensor, expected: torch.Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("way", ["dense", "branches", "checkpointed"])
@pytest.mark.parametrize("case", CASES)
def test_a_trees_gradient_is_that_of_padded_rows(models: dict[str, Any], case: str, way: str) -> None:
    assert difference(tree_gradient(models[way], CASES[case]), padded_gradient(models["dense"], CASES[case])) < 1e-5


@st.composite
def tries(draw: st.DrawFn) -> Rows:
    """Rows over few tokens, so that they share beginnings, repeat, and are each other's prefixes."""
    made = []
    for _ in range(draw(st.integers(1, 6))):
        ids = draw(st.lists(st.integers(1, 3), min_size=2, max_size=9))
        start = draw(st.integers(1, len(ids) - 1))
        made.append(row(ids[:start], ids[start:]))
    return made


@given(tries())
@settings(max_examples=40)
def test_so_it_is_for_any_rows(models: dict[str, Any], rows: Rows) -> None:
    assert difference(tree_gradient(models["branches"], rows), padded_gradient(models["dense"], rows)) < 1e-5


@given(tries())
def test_a_nodes_branch_holds_what_the_mask_lets_it_see(rows: Rows) -> None:
    tree = build_prefix_tree([ids for ids, _ in rows], [labels for _, labels in rows])
    mask = tree.attention_mask()
    found = branches(tree.position)
    assert [node for branch in found for node in range(branch.start, branch.stop)] == list(range(len(tree.tokens)))
    for branch in found:
        for node in range(branch.start, branch.stop):
            assert branch.path[branch.path <= node].tolist() == np.flatnonzero(mask[node]).tolist()


@given(tries())
@settings(max_examples=20)
def test_dense_and_block_mask_are_the_same_rule(rows: Rows) -> None:
    tree = build_prefix_tree([ids for ids, _ in rows], [labels for _, labels in rows])
    ends = torch.from_numpy(tree.end)
    assert (dense_mask(ends)[0, 0].numpy() == tree.attention_mask()).all()
    rule = block_mask(ends, compiled=False).mask_mod
    index = torch.arange(len(ends))
    assert (rule(None, None, index[:, None], index[None, :]).numpy() == tree.attention_mask()).all()


def test_flex_attention_gives_what_sdpa_gives_from_the_dense_mask() -> None:
    from torch.nn.attention.flex_attention import flex_attention

    rows = [row([*range(150), n], list(range(n, n + 260))) for n in range(4)]  # several blocks of 128 tokens
    tree = build_prefix_tree([ids for ids, _ in rows], [labels for _, labels in rows])
    ends = torch.from_numpy(tree.end)
    query, key, value = torch.randn(3, 1, 2, len(ends), 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():  # FlexAttention has no backward on a CPU
        blocks = block_mask(ends, compiled=False)
        flexed = flex_attention(query, key, value, block_mask=blocks)
        dense = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=dense_mask(ends))
    assert blocks.sparsity() > 0  # some blocks are skipped
    assert torch.allclose(flexed, dense, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here: FlexAttention's backward is not tested")
def test_flex_attention_trains_as_padded_rows_do_on_a_gpu(models: dict[str, Any], monkeypatch: Any) -> None:
    monkeypatch.setattr("pipeline.tokens.attention.FLEX_MIN_TOKENS", 1)
    model, plain = copy.deepcopy(models["branches"]).cuda(), models["dense"]
    rows = CASES["mixed kinds"]
    batch = prefix_tree_batch([ids for ids, _ in rows], [labels for _, labels in rows])
    batch = {name: tensor.cuda() for name, tensor in batch.items()}
    logits = model(**tree_inputs(batch, tree_attention=True)).logits.squeeze(0)
    found = gradient(model, score_targets(logits, batch["labels"][0], batch["target_rows"][0]).log_prob)
    assert difference(found.cpu(), padded_gradient(plain, rows)) < 1e-3


def test_generation_and_padding_are_computed_as_before(models: dict[str, Any]) -> None:
    ids = torch.tensor([SYSTEM, [*OTHER, *[0] * 10]])
    mask = torch.tensor([[1] * 30, [1] * 20 + [0] * 10])
    with torch.no_grad():
        ours, plain = (models[way](input_ids=ids, attention_mask=mask).logits for way in ("branches", "dense"))
    assert torch.equal(ours[0], plain[0])
    assert torch.equal(ours[1, :20], plain[1, :20])


def test_tree_attention_is_not_saved_with_the_model(models: dict[str, Any], tmp_path: Path) -> None:
    models["branches"].save_pretrained(tmp_path)
    reloaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert not uses_tree_attention(reloaded)
    assert prefix_tree_obstacle(reloaded) is None


@pytest.mark.parametrize(
    ("environment", "threads"),
    [
        ({}, None),
        ({"OMP_NUM_THREADS": "1"}, None),  # the user's own word
        ({"OMP_NUM_THREADS": "1", "ACCELERATE_MIXED_PRECISION": "no"}, 8),
        ({"OMP_NUM_THREADS": "3", "ACCELERATE_MIXED_PRECISION": "no"}, None),
        ({"OMP_NUM_THREADS": "1", "TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "4"}, 2),
        ({"OMP_NUM_THREADS": "1", "TORCHELASTIC_RUN_ID": "x", "LOCAL_WORLD_SIZE": "16"}, 1),
    ],
)
def test_processes_share_the_cores_that_a_launcher_left_idle(environment: dict[str, str], threads: int | None) -> None:
    assert threads_for(environment, 8) == threads


@pytest.mark.parametrize(
    ("environment", "spins"),
    [
        ({}, "1000"),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
        ({"OMP_WAIT_POLICY": "active"}, None),
    ],
)
def test_threads_wait_without_spinning_unless_the_user_says_how(
    environment: dict[str, str], spins: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", environment)
    prepare_environment()
    assert environment.get("GOMP_SPINCOUNT") == spins
