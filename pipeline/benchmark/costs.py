"""Costs that need no model: the tokens of long scenes, and the time that planning and collating take."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from transformers import PreTrainedTokenizerBase

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, user
from pipeline.mixture.dealing import deal_rows
from pipeline.mixture.plan import MixturePlan, exposures_by_weight, plan_mixture
from pipeline.tokens.collate import PrefixTreeCollator
from pipeline.tokens.encode import encode
from pipeline.tokens.prefix_tree import branches, build_prefix_tree
from pipeline.tokens.row_set import RowSet, token_lengths

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints

TURNS = (5, 10, 20, 40)
ROWS = (1_000, 10_000, 100_000)
BATCHES = 200  # collated for each size
PROCESSES = (1, 2, 4, 8)
STEPS = 25  # looked at for each number of processes


class SceneCost(TypedDict):
    """A multi-turn scene, one row per reply: its tokens as separate rows and as one tree, and its attention pairs."""

    turns: int
    tokens_apart: int
    tokens_tree: int
    pairs_apart: int
    pairs_tree: int


class SlowestProcessTokens(TypedDict):
    """Tokens a row of the slowest of so many processes, and of the largest micro-batch: in order, and dealt out."""

    processes: int
    slowest_in_order: float
    slowest_dealt: float
    largest_in_order: int
    largest_dealt: int


class PlanningCost(TypedDict):
    """Seconds a row: `planning` an epoch's order, `collating` fetched rows into trees."""

    rows: int
    planning: float
    collating: float


def scene_costs(tokenizer: PreTrainedTokenizerBase) -> list[SceneCost]:
    """Scenes of a few to many turns, each reply a row with all that came before it."""
    persona = make_persona("Mira", "en", {})
    costs = []
    for turns in TURNS:
        messages: list[Message] = []
        rows = []
        for turn in range(turns):
            messages.append(user(f"Bram: That was bell number {turn}. How many more before the tide turns?"))
            reply = assistant(f"Number {turn} was out of tune, mind your ears. We ring until the harbour is dark.")
            rows.append(Conversation(chat_prompt(persona, messages), reply, "scene", "dialogue"))
            messages.append(reply)
        encoded = list(encode(rows, tokenizer))
        lengths = [len(row.input_ids) for row in encoded]
        tree = build_prefix_tree([row.input_ids for row in encoded], [row.labels for row in encoded])
        pairs = sum((branch.stop - branch.start) * len(branch.path) for branch in branches(tree.position))
        apart = sum(length * length for length in lengths)
        costs.append(SceneCost(turns=turns, tokens_apart=sum(lengths), tokens_tree=len(tree.tokens),
                               pairs_apart=apart, pairs_tree=pairs))  # fmt: skip
    return costs


def slowest_process_tokens(rows: RowSet, plan: MixturePlan, batch_size: int) -> list[SlowestProcessTokens]:
    """Tokens of the slowest process per step, by how rows are dealt to micro-batches, over the steps of an epoch."""
    lengths, order = token_lengths(rows.dataset), plan.rows(0, rows.variants)
    costs = []
    for processes in PROCESSES:
        step = processes * batch_size
        steps = min(STEPS, len(order) // step)
        in_order = order[: steps * step]
        dealt = deal_rows(in_order, lengths, rows_per_step=step, rows_per_batch=batch_size)
        trees = [_tree_tokens(rows, one, batch_size).reshape(steps, processes) for one in (in_order, dealt)]
        slowest = [float(one.max(1).mean() / batch_size) for one in trees]
        largest = [int(one.max()) for one in trees]
        costs.append(SlowestProcessTokens(processes=processes, slowest_in_order=slowest[0], slowest_dealt=slowest[1],
                                 largest_in_order=largest[0], largest_dealt=largest[1]))  # fmt: skip
    return costs


def _tree_tokens(rows: RowSet, order: Ints, batch_size: int) -> Ints:
    """Tokens of the tree of each micro-batch, in order."""
    batches = (rows.dataset[batch.tolist()] for batch in order.reshape(-1, batch_size))
    return np.array([len(build_prefix_tree(batch["input_ids"], batch["labels"]).tokens) for batch in batches])


def planning_costs(rows: RowSet, batch_size: int) -> list[PlanningCost]:
    """The same rows over and over, until there are so many; planned, fetched and collated as a run does."""
    costs = []
    records = len(rows.variants)
    first = list(itertools.accumulate(rows.variants, initial=0))
    for number in ROWS:
        copies = [index % records for index in range(number)]
        kinds = [rows.kinds[record] for record in copies]
        evenly = exposures_by_weight(kinds, dict.fromkeys(kinds, 1.0))
        plan = plan_mixture(kinds, evenly, seed=0, rows_per_step=batch_size)
        dataset, collate = rows.dataset.select([first[record] for record in copies]), PrefixTreeCollator()
        began = time.perf_counter()
        order = plan.rows(0, [1] * number)
        planned = time.perf_counter()
        batches = min(BATCHES, number // batch_size)
        for start in range(0, batches * batch_size, batch_size):
            collate(dataset.__getitems__(order[start : start + batch_size].tolist()))
        collated = time.perf_counter()
        costs.append(PlanningCost(rows=number, planning=(planned - began) / len(order),
                                  collating=(collated - planned) / (batches * batch_size)))  # fmt: skip
    return costs
