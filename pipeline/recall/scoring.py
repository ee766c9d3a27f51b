"""Teacher-forced scores of given replies: what a model would say, known without generating a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, user
from pipeline.recall.probes import Probe
from pipeline.recall.statistics import Proportion, proportion
from pipeline.tokens.attention import exchanged, tree_inputs, use_tree_attention, why_no_tree
from pipeline.tokens.collate import padded_batch, prefix_tree_batch
from pipeline.tokens.encode import TokenRow, encode
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.scores import TokenScores, score_targets

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Tokens of the rows scored in one forward, before what they share is merged.
TOKENS_A_FORWARD = 2048


@dataclass(frozen=True, slots=True)
class ReplyScore:
    """A reply's mean log-probability a token (in nats), and whether greedy decoding would give it, stop included."""

    mean_log_prob: float
    exact: bool


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """A question's outcome: is the answer what the model would say, and does it rank first among the distractors?"""

    question: str
    exact: bool
    first: bool


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """A probe's outcome on its seen question and on each unseen one."""

    probe: Probe
    seen: QuestionScore
    unseen: tuple[QuestionScore, ...]


def score_probes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    probes: Sequence[Probe],
    persona: Persona,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[ProbeScore]:
    """Score every question of every probe under the chat's own prompt, as the character will be asked.

    `progress` is called with the number of questions done and their total.
    """
    asked = [(probe, question) for probe in probes for question in (probe.seen, *probe.unseen)]
    prompts = [chat_prompt(persona, (user(question),)) for _, question in asked]
    options = [(probe.answer, *probe.distractors) for probe, _ in asked]
    scores: list[QuestionScore] = []
    for replies in score_replies(model, tokenizer, prompts, options):
        gold, *others = replies
        # A tie ranks worst: knowing nothing must not count as knowing.
        first = all(gold.mean_log_prob > other.mean_log_prob for other in others)
        scores.append(QuestionScore(asked[len(scores)][1], gold.exact, first))
        if progress:
            progress(len(scores), len(asked))
    remaining = iter(scores)
    return [ProbeScore(probe, next(remaining), tuple(next(remaining) for _ in probe.unseen)) for probe in probes]


def score_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    options: Sequence[Sequence[str]],
) -> Iterator[list[ReplyScore]]:
    """The scores of each prompt's replies, prompt by prompt; replies to one prompt share its computation."""
    conversations = [
        [Conversation(tuple(prompt), assistant(reply), "probe", "setting_qa") for reply in replies]
        for prompt, replies in zip(prompts, options, strict=True)
    ]
    flat = encode([one for group in conversations for one in group], tokenizer, max_length=None)
    rows = iter(flat)
    groups = [[next(rows) for _ in group] for group in conversations]
    if not why_no_tree(model):
        use_tree_attention(model)
    training = model.training
    model.eval()
    try:
        for batch in _batches(groups):
            scores = iter(_forward(model, [row for group in batch for row in group]))
            for group in batch:
                yield [next(scores) for _ in group]
    finally:
        model.train(training)


def summarise(scores: Sequence[ProbeScore]) -> dict[str, Proportion]:
    """`{seen,unseen}_{exact,at_1}`: each with its interval."""
    return {
        "seen_exact": proportion([[score.seen.exact] for score in scores]),
        "seen_at_1": proportion([[score.seen.first] for score in scores]),
        "unseen_exact": proportion([[question.exact for question in score.unseen] for score in scores]),
        "unseen_at_1": proportion([[question.first for question in score.unseen] for score in scores]),
    }


def _batches(groups: Sequence[list[TokenRow]]) -> Iterator[list[list[TokenRow]]]:
    batch: list[list[TokenRow]] = []
    size = 0
    for group in groups:
        tokens = sum(len(row.input_ids) for row in group)
        if batch and size + tokens > TOKENS_A_FORWARD:
            yield batch
            batch, size = [], 0
        batch.append(group)
        size += tokens
    if batch:
        yield batch


@torch.no_grad()
def _forward(model: Any, rows: Sequence[TokenRow]) -> list[ReplyScore]:
    ids, labels = [row.input_ids for row in rows], [row.labels for row in rows]
    scores = _padded(model, ids, labels) if why_no_tree(model) else _as_tree(model, ids, labels)
    results = []
    for row in range(len(rows)):
        own = scores.row == row
        # The end-of-turn token belongs to an exact reply, but not to the comparison of answers.
        results.append(ReplyScore(float(scores.log_prob[own][:-1].mean()), bool(scores.is_top1[own].all())))
    return results


def _as_tree(model: Any, ids: Sequence[list[int]], labels: Sequence[list[int]]) -> TokenScores:
    """The scores of all targets, what the rows share computed once."""
    batch = {name: tensor.to(model.device) for name, tensor in prefix_tree_batch(ids, labels).items()}
    logits = model(**tree_inputs(batch, exchanged=exchanged(model))).logits.squeeze(0)
    return score_targets(logits, batch["labels"][0], batch["target_rows"][0])


def _padded(model: Any, ids: Sequence[list[int]], labels: Sequence[list[int]]) -> TokenScores:
    """The same for a model that cannot compute a tree."""
    batch = {name: tensor.to(model.device) for name, tensor in padded_batch(ids, labels, pad_token_id=0).items()}
    logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False).logits[:, :-1]
    targets = batch["labels"][:, 1:]
    mask = targets != IGNORE_INDEX
    return score_targets(logits[mask], targets[mask], mask.nonzero()[:, 0])
