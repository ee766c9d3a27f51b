"""The loss sees the reply and its end-of-turn token, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, user
from pipeline.tokens.attention import tree_inputs, uses_tree_attention
from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator
from pipeline.tokens.encode import encode
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.row import TokenRow

MIRA = make_persona("Mira", "en", {})


def conversation(question: str, reply: str) -> Conversation:
    return Conversation(chat_prompt(MIRA, [user(question)]), assistant(reply), "some-record", "setting_qa")


def marked(row: TokenRow, tokenizer: Any) -> str:
    """The row's text with what the loss sees in ⟦ ⟧."""
    supervised = [label != IGNORE_INDEX for label in row.labels]
    start, end = supervised.index(True), len(supervised) - supervised[::-1].index(True)
    assert all(supervised[start:end])
    parts = row.input_ids[:start], row.input_ids[start:end], row.input_ids[end:]
    before, seen, after = (tokenizer.decode(part) for part in parts)
    return f"{before}⟦{seen}⟧{after}"


def test_the_golden_row(tokenizer: Any) -> None:
    (row,) = encode([conversation("Where?", "In Saltmere.")], tokenizer)
    assert marked(row, tokenizer) == (
        "<|im_start|>system\nYou are Mira. Stay true to your background and your voice.<|im_end|>\n"
        "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\n⟦In Saltmere.<|im_end|>⟧"
    )


texts = st.text(st.sampled_from("ab é好。\n!?"), min_size=1, max_size=20).map(str.strip).filter(bool)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6))
def test_for_any_text_the_supervised_span_is_the_reply_and_the_rest_is_the_prompt(
    tokenizer: Any, pairs: list[tuple[str, str]]
) -> None:
    rows = list(encode([conversation(question, reply) for question, reply in pairs], tokenizer))
    for row, (_, reply) in zip(rows, pairs, strict=True):
        assert marked(row, tokenizer).endswith(f"assistant\n⟦{reply}<|im_end|>⟧")
        assert all(label in (IGNORE_INDEX, token) for token, label in zip(row.input_ids, row.labels, strict=True))


def as_columns(rows: list[TokenRow]) -> list[dict[str, Any]]:
    return [{"input_ids": row.input_ids, "labels": row.labels, "kind": 1, "record": n} for n, row in enumerate(rows)]


@given(st.lists(texts, min_size=1, max_size=6))
def test_padding_is_never_supervised_and_never_attended(tokenizer: Any, replies: list[str]) -> None:
    rows = list(encode([conversation("Where?", reply) for reply in replies], tokenizer))
    batch = PaddedCollator(tokenizer.pad_token_id)(as_columns(rows))
    for number, row in enumerate(rows):
        length = len(row.input_ids)
        assert batch["input_ids"][number, :length].tolist() == row.input_ids
        assert batch["labels"][number, :length].tolist() == row.labels
        assert (batch["labels"][number, length:] == IGNORE_INDEX).all()
        assert batch["attention_mask"][number].tolist() == [1] * length + [0] * (batch["input_ids"].shape[1] - length)


@given(st.lists(texts, min_size=2, max_size=6))
def test_the_end_of_turn_is_supervised_even_where_it_is_also_the_padding(tokenizer: Any, replies: list[str]) -> None:
    rows = list(encode([conversation("Where?", reply) for reply in replies], tokenizer))
    batch = PaddedCollator(tokenizer.eos_token_id)(as_columns(rows))
    assert ((batch["labels"] == tokenizer.eos_token_id).sum(1) == 1).all()


def gradients(model: Any, rows: list[TokenRow], collate: Any, batch_size: int) -> tuple[float, torch.Tensor]:
    """Summed loss and its gradient over all rows."""
    model.zero_grad()
    total = 0.0
    for start in range(0, len(rows), batch_size):
        batch = collate(as_columns(rows[start : start + batch_size]))
        if "target_nodes" in batch:
            logits = model(**tree_inputs(batch, tree_attention=uses_tree_attention(model))).logits[0]
            targets = batch["labels"][0]
        else:
            logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits[:, :-1]
            targets = batch["labels"][:, 1:]
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, -2), targets.flatten(), reduction="sum")
        loss.backward()
        total += float(loss.detach())
    return total, torch.cat([parameter.grad.flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("kind", ["tree", "padded"])
def test_loss_and_gradient_do_not_depend_on_how_rows_are_batched(
    tokenizer: Any, tiny_model_folder: Any, kind: str, batch_size: int
) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder, dtype=torch.float64, attn_implementation="sdpa")
    replies = [
        "Here.",
        "Here, as ever.",
        "There.",
        "Here.",
        "Nowhere that you would know, traveller.",
        "好。",
        "a",
        "b",
    ]
    rows = list(encode([conversation(f"Where{n % 3}?", reply) for n, reply in enumerate(replies)], tokenizer))
    expected_loss, expected = gradients(model, rows, PaddedCollator(tokenizer.pad_token_id), 1)
    collate = PrefixTreeCollator() if kind == "tree" else PaddedCollator(tokenizer.pad_token_id)
    loss, gradient = gradients(model, rows[::-1], collate, batch_size)
    assert loss == pytest.approx(expected_loss, rel=1e-6)
    assert float((gradient - expected).norm() / expected.norm()) < 1e-6  # its norms are float32 in any case


def test_the_loss_of_a_nearly_known_token_does_not_round_to_nothing() -> None:
    from pipeline.tokens.scores import score_targets

    logits = torch.zeros(1, 100, dtype=torch.bfloat16)
    logits[0, 7] = 10.25
    scores = score_targets(logits, torch.tensor([7]), torch.tensor([0]))
    assert float(scores.log_prob) == pytest.approx(-0.003481, rel=0.01)


def test_scores_are_those_of_the_distribution() -> None:
    from pipeline.tokens.scores import score_targets

    logits = torch.randn(5, 50, generator=torch.Generator().manual_seed(0)) * 3
    targets = torch.tensor([0, 3, 7, 49, 7])
    expected = torch.distributions.Categorical(logits=logits)
    scores = score_targets(logits.clone(), targets, torch.arange(5))
    assert torch.allclose(scores.log_prob, expected.log_prob(targets), atol=1e-5)
    assert torch.allclose(scores.entropy, expected.entropy(), atol=1e-5)
    assert (scores.is_top1 == (logits.argmax(-1) == targets)).all()


@given(st.lists(texts, min_size=1, max_size=6))
def test_tokens_are_counted_without_padding_and_shared_ones_once(tokenizer: Any, replies: list[str]) -> None:
    from pipeline.training.trainer import _real_tokens

    rows = list(encode([conversation("Where?", reply) for reply in replies], tokenizer))
    columns = as_columns(rows)
    assert _real_tokens(PaddedCollator(tokenizer.pad_token_id)(columns)) == sum(len(row.input_ids) for row in rows)
    beginnings = {tuple(row.input_ids[: end + 1]) for row in rows for end in range(len(row.input_ids) - 1)}
    assert _real_tokens(PrefixTreeCollator()(columns)) == len(beginnings)
