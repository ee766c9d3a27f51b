"""Teacher-forced scores of given replies and texts: one forward for many, what they share computed once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from accelerate import PartialState
from accelerate.utils import gather_object

from pipeline.conversations.render import Conversation, Message, assistant
from pipeline.models.scores import ReplyScore, RowScore, prepare_scoring, score_rows
from pipeline.terminal import Progress, split_progress
from pipeline.tokens.attention import prefix_tree_obstacle
from pipeline.tokens.encode import encode, tokenize
from pipeline.tokens.plain_text import control_words, message_escaper
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# A forward takes as many tokens as have room for their logits (in a tree nearly all are targets): the more, the less is
# computed twice. Where rows stand side by side, most of them are prompt and padding.
LOGITS, ROW_TOKENS = 1 << 26, 2048
# Nats a token by which two scores of one reply may differ, since a forward's rounding depends on what else is in it.
ROUNDING = 0.02
ROUNDS = (2, None)  # how many of the replies that may be likelier are looked at together


def score_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    options: Sequence[Sequence[str]],
    *,
    progress: Progress | None = None,
) -> list[list[ReplyScore]]:
    """The scores of each prompt's replies; replies to one prompt share its computation.

    Every process gets all of them. `progress` is called with the number of prompts done and their total.
    """
    scored = _score(model, _reply_rows(tokenizer, prompts, options), progress)
    return [[score.as_reply() for score in group] for group in scored]


def compare_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    options: Sequence[Sequence[str]],
    *,
    progress: Progress | None = None,
) -> list[tuple[ReplyScore, bool]]:
    """The score of each prompt's first reply, and whether it ranks first: what `score_replies` says, for fewer tokens.

    A mean log-probability is at most that of its first tokens, divided by the number of all; so a reply that is less
    likely than the first one when it parts from it needs no look at the rest of it. Of the others a few are looked at
    before the many, in the order given: one that is likelier settles it. Every process gets all of them. `progress` is
    called with the number of prompts done and their total.
    """
    groups = _reply_rows(tokenizer, prompts, options)
    whole, *later = split_progress(progress or (lambda done, total: None), [len(groups)] * (1 + len(ROUNDS)))
    scored = _score(model, [[gold, *(_opening(row, gold) for row in others)] for gold, *others in groups], whole)
    answers = [scores[0].as_reply() for scores in scored]
    left = [
        [
            row
            for row, opening in zip(others, openings, strict=True)
            if math.fsum(opening.log_probs) / max(_targets(row) - 1, 1) > answer.mean_log_prob - ROUNDING
        ]
        for (_, *others), (_, *openings), answer in zip(groups, scored, answers, strict=True)
    ]
    first = [True] * len(groups)
    for most, part in zip(ROUNDS, later, strict=True):
        asked = [number for number, rows in enumerate(left) if first[number] and rows]
        found = _score(model, [left[number][:most] for number in asked], part)
        for number, scores in zip(asked, found, strict=True):
            first[number] = ranks_first([answers[number], *(score.as_reply() for score in scores)])
            left[number] = left[number][len(scores) :]
    return list(zip(answers, first, strict=True))


def _reply_rows(
    tokenizer: PreTrainedTokenizerBase, prompts: Sequence[Sequence[Message]], options: Sequence[Sequence[str]]
) -> list[list[TokenRow]]:
    """Each prompt's replies as rows."""
    escape = message_escaper(control_words(tokenizer))
    conversations = [
        [Conversation(tuple(prompt), escape(assistant(reply)), "probe", "setting_qa") for reply in replies]
        for prompt, replies in zip(prompts, options, strict=True)
    ]
    rows = encode([one for group in conversations for one in group], tokenizer)
    return [[next(rows) for _ in group] for group in conversations]


def _opening(row: TokenRow, other: TokenRow) -> TokenRow:
    """The row up to the first token in which it differs from the other, which has nothing more to compute for it."""
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(row.input_ids, other.input_ids, strict=False))
    end = min(sum(1 for _ in alike) + 1, len(row.input_ids) - 1)
    return replace(row, input_ids=row.input_ids[:end], labels=row.labels[:end])


def _first_target(row: TokenRow) -> int:
    return next(at for at, label in enumerate(row.labels) if label != IGNORE_INDEX)


def _targets(row: TokenRow) -> int:
    return sum(label != IGNORE_INDEX for label in row.labels)


def score_texts(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[float]:
    """Summed log-probability of each text after its first token, outside any conversation."""
    rows = []
    for ids in tokenize(tokenizer, texts):
        ended = [*ids, int(tokenizer.eos_token_id)]
        rows.append(TokenRow(ended, [IGNORE_INDEX, *ended[1:]], "text", "replay"))
    return [score.as_reply().log_prob for (score,) in _score(model, [[row] for row in rows], None)]


def _score(model: PreTrainedModel, groups: Sequence[list[TokenRow]], progress: Progress | None) -> list[list[RowScore]]:
    """Scores of the rows, group by group.

    The forwards are sharded over the processes, equally many for each (under ZeRO-3 and FSDP all have to take part),
    and their results gathered. What is in a batch does not depend on how many processes there are.
    """
    prepare_scoring(model)
    if prefix_tree_obstacle(model):
        batches = _batches(groups, _tokens_side_by_side, ROW_TOKENS)
    else:
        batches = _batches(groups, _tokens_of_tree, LOGITS // model.config.get_text_config().vocab_size)
    state = PartialState()
    done: list[tuple[int, list[RowScore]]] = []  # of each group, by its number
    training = model.training
    model.eval()
    try:
        for begin in range(0, len(batches), state.num_processes):
            number = begin + state.process_index
            batch = batches[min(number, len(batches) - 1)]  # with none left, the last one again, its scores unused
            scores = iter(score_rows(model, [row for group in batch for row in groups[group]]))
            if number < len(batches):
                done += [(group, [next(scores) for _ in groups[group]]) for group in batch]
            if progress:
                progress(sum(map(len, batches[: begin + state.num_processes])), len(groups))
    finally:
        model.train(training)
    gathered = dict(gather_object(done) if state.num_processes > 1 else done)
    return [gathered[number] for number in range(len(groups))]


def _batches(
    groups: Sequence[list[TokenRow]], tokens_of: Callable[[list[TokenRow]], int], most: int
) -> list[list[int]]:
    """The groups' numbers, as many to a batch as have at most `most` tokens; those that begin alike side by side."""
    batches: list[list[int]] = []
    room = 0
    for number in sorted(range(len(groups)), key=lambda number: groups[number][0].input_ids):
        tokens = tokens_of(groups[number])
        if not batches or tokens > room:
            batches.append([])
            room = most
        batches[-1].append(number)
        room -= tokens
    return batches


def _tokens_of_tree(group: list[TokenRow]) -> int:
    """Tokens of a group that shares its prompt."""
    prompt = _first_target(group[0])
    return prompt + sum(len(row.input_ids) - prompt for row in group)


def _tokens_side_by_side(group: list[TokenRow]) -> int:
    return sum(len(row.input_ids) for row in group)


def ranks_first(replies: Sequence[ReplyScore]) -> bool:
    """Whether the first reply's mean log-probability is above all others'."""
    return all(other.mean_log_prob < replies[0].mean_log_prob for other in replies[1:])
