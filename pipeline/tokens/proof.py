"""The proof that the loss sees exactly the reply and its end-of-turn token.

It is given what encoding decided and compares it with what was meant, so that a fault in template, tokenizer or
encoding stops the run before its first step, by name.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from pipeline.errors import UnderstudyError
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.row import TokenRow
from pipeline.tokens.template import end_of_turn_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def prove(
    rows: Sequence[TokenRow],
    replies: Iterable[str],
    prompts: Iterable[Sequence[int]],
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    """Nothing is wrong with the rows of these replies to these prompts; a prompt is given as chat would tokenise it.

    Raises:
        UnderstudyError: a row's prompt is another than in chat or is supervised, its reply or end-of-turn token is not,
            or its supervised text is not the reply. Names the record, the template and the first differing token.
    """
    end_ids = end_of_turn_ids(tokenizer)
    # The text is that of the supervised tokens, wherever they stand, without the last, which ends the turn.
    supervised = [[token for token in row.labels if token != IGNORE_INDEX][:-1] for row in rows]
    texts = tokenizer.batch_decode(supervised, skip_special_tokens=False)
    for row, reply, prompt, text in zip(rows, replies, prompts, texts, strict=True):
        fault = (
            _prompt_fault(row, prompt, tokenizer)
            or _label_fault(row, len(prompt), tokenizer)
            or _end_fault(row, end_ids, tokenizer)
            or _text_fault(text, reply)
        )
        if fault:
            what, fix = fault
            raise UnderstudyError(f"record {row.record_id}, chat template of {tokenizer.name_or_path}", what, fix=fix)


Fault = tuple[str, str]  # what is wrong, and what to do
ANOTHER_TEMPLATE = "use a model whose template renders a prompt the same with and without its reply"


def _prompt_fault(row: TokenRow, prompt: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> Fault | None:
    """The prompt of chat must be the beginning of the row, token for token."""
    if row.input_ids[: len(prompt)] == list(prompt):
        return None
    pairs = zip(prompt, [*row.input_ids, None], strict=False)
    at, (asked, trained) = next((at, pair) for at, pair in enumerate(pairs) if pair[0] != pair[1])
    where = f"token {at} is {_show(asked, tokenizer)} in chat, and {_show(trained, tokenizer)} once the reply is there"
    if tokenizer.decode(row.input_ids).startswith(tokenizer.decode(list(prompt))):
        return f"the tokenizer merges the prompt's end with the reply's beginning: {where}", ANOTHER_TEMPLATE
    return f"the chat template renders its prompt differently with the reply: {where}", ANOTHER_TEMPLATE


def _label_fault(row: TokenRow, start: int, tokenizer: PreTrainedTokenizerBase) -> Fault | None:
    """Every token from `start` on is supervised as itself, and none before it."""
    if row.labels == [IGNORE_INDEX] * start + row.input_ids[start:] and len(row.input_ids) > start:
        return None
    fix = "report it: encoding has a fault"
    if len(row.input_ids) <= start or len(row.labels) != len(row.input_ids):
        return "no token of the reply is left to be supervised", "give the record a text"
    at = next(
        at
        for at, (label, token) in enumerate(zip(row.labels, row.input_ids, strict=True))
        if label != (token if at >= start else IGNORE_INDEX)
    )
    shown = f"token {at}, {_show(row.input_ids[at], tokenizer)},"
    if at < start:
        return f"{shown} belongs to the prompt and is supervised", fix
    if row.labels[at] == IGNORE_INDEX:
        part = "ends the reply" if at == len(row.labels) - 1 else "belongs to the reply"
        return f"{shown} {part} and is not supervised", fix
    return f"{shown} is supervised as {_show(row.labels[at], tokenizer)}", fix


def _end_fault(row: TokenRow, end_ids: frozenset[int], tokenizer: PreTrainedTokenizerBase) -> Fault | None:
    """The last token ends the turn, and no token of the reply before it does."""
    early = next((label for label in row.labels[:-1] if label in end_ids), None)
    if early is not None:
        return f"{_show(early, tokenizer)} ends the turn within the reply", "take the special token out of the text"
    if row.input_ids[-1] in end_ids:
        return None
    return (
        f"the reply ends with {_show(row.input_ids[-1], tokenizer)}, which is no end-of-turn token, so the model would "
        "never stop",
        "use a template that ends every turn with a special token",
    )


def _text_fault(text: str, reply: str) -> Fault | None:
    """The supervised text is the reply's, but for white space at its ends, which templates write or trim.

    Compared in NFC, to which many tokenizers bring every text.
    """
    supervised, expected = (unicodedata.normalize("NFC", one.strip()) for one in (text, reply))
    if supervised == expected:
        return None
    at = next(
        (at for at, (a, b) in enumerate(zip(supervised, expected, strict=False)) if a != b),
        min(len(supervised), len(expected)),
    )
    return (
        f"the loss would see {supervised[at : at + 30]!r} instead of {expected[at : at + 30]!r} from character {at} of "
        "its text on: the template changes it, the tokenizer cannot write it, or it holds a special token",
        "use a model with a plain chat template, or take the special token out of the text",
    )


def _show(token: int | None, tokenizer: PreTrainedTokenizerBase) -> str:
    return "nothing" if token is None else f"{tokenizer.decode([token])!r} ({token})"
