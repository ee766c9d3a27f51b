"""Conversations to token rows; ids and labels are decided here, together, once, and proven before they are used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from heapq import nlargest
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.conversations.render import Conversation, Message
from pipeline.errors import UnderstudyError
from pipeline.tokens.plain_text import control_ids, control_words, message_escaper
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.proof import prove
from pipeline.tokens.row import TokenRow
from pipeline.tokens.template import end_of_turn_ids, render

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Conversations encoded at a time: enough to keep the tokenizer's threads busy, few enough to hold their texts.
CHUNK = 4096
LONG_TEXTS = 16  # the longest by characters, one of which is likely to have the most tokens


def prompt_ids(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> list[int]:
    """The prompt's tokens, up to where the reply begins."""
    escape = message_escaper(control_words(tokenizer))
    return tokenize(tokenizer, [render(tokenizer, list(map(escape, messages)), reply_follows=True)])[0]


def tokenize(tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of rendered texts; templates write the special tokens themselves, so none are added."""
    return list(tokenizer(list(texts), add_special_tokens=False)["input_ids"])


def most_tokens(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str]) -> int:
    """How many tokens the longest text has; 0 where there is none."""
    longest = nlargest(LONG_TEXTS, texts, key=len)
    return max(map(len, tokenize(tokenizer, longest))) if longest else 0


def encode(conversations: Iterable[Conversation], tokenizer: PreTrainedTokenizerBase) -> Iterator[TokenRow]:
    """One row a conversation, in order, each proven (see `pipeline.tokens.proof`); holds no more than CHUNK of them.

    Raises:
        UnderstudyError: a row cannot be trained on as it is.
    """
    end_ids = end_of_turn_ids(tokenizer)
    escape = message_escaper(control_words(tokenizer))
    counted = ControlCount(tokenizer)
    conversations = (_with_plain_prompt(one, escape) for one in conversations)
    while chunk := list(islice(conversations, CHUNK)):
        prompts = _prompts(chunk, tokenizer)
        full_texts = [render(tokenizer, [*one.prompt, one.completion], reply_follows=False) for one in chunk]
        distinct = list(dict.fromkeys(full_texts))  # a record may stand under the same instruction several times
        ids_of = dict(zip(distinct, tokenize(tokenizer, distinct), strict=True))
        rows = [
            _row(one, len(prompt), ids_of[full_text], end_ids)
            for one, prompt, full_text in zip(chunk, prompts, full_texts, strict=True)
        ]
        prove(rows, (one.completion["content"] for one in chunk), prompts, tokenizer)
        for one, row in zip(chunk, rows, strict=True):
            counted.check(one, row)
            yield _with_own_labels(row, one.labels) if one.labels else row


def _with_own_labels(row: TokenRow, own: Sequence[int]) -> TokenRow:
    """The row, of which it is proven what is supervised, with other labels there.

    Raises:
        UnderstudyError: there are not as many labels as supervised tokens.
    """
    start = len(row.input_ids) - row.loss_tokens
    if len(own) != row.loss_tokens:
        raise UnderstudyError(
            f"record {row.record_id}",
            f"has {len(own)} labels of its own for {row.loss_tokens} supervised tokens",
            fix="report it: they were made for other tokens",
        )
    return replace(row, labels=[*row.labels[:start], *own])


def _with_plain_prompt(conversation: Conversation, escape: Callable[[Message], Message]) -> Conversation:
    """The conversation with its prompt's control words as text."""
    prompt = tuple(map(escape, conversation.prompt))
    return conversation if prompt == conversation.prompt else replace(conversation, prompt=prompt)


class ControlCount:
    """Holds a row's control tokens against those of the same turns with other words: there must be as many.

    What a text adds to them, however it got past the tokenizer, would be a turn that nobody took.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._ids, self._end_ids = control_ids(tokenizer), end_of_turn_ids(tokenizer)
        self._expected: dict[tuple[str, ...], int] = {}  # by the roles of the turns

    def check(self, conversation: Conversation, row: TokenRow) -> None:
        """The row has as many control tokens as its turns.

        Raises:
            UnderstudyError: it has others; names the record and the first that is too many.
        """
        roles = tuple(message["role"] for message in conversation.prompt)
        if roles not in self._expected:
            self._expected[roles] = self._count(self._plain_row(roles, conversation).input_ids)
        found = self._count(row.input_ids)
        if found != self._expected[roles]:
            raise UnderstudyError(
                f"record {row.record_id}, chat template of {self._tokenizer.name_or_path}",
                f"has {found} control tokens in {len(roles) + 1} turns, where other words have {self._expected[roles]}",
                fix="take the control token out of its texts, and report it: it should have been read as text",
            )

    def _plain_row(self, roles: Sequence[str], conversation: Conversation) -> TokenRow:
        prompt = tuple(Message(role=role, content=f"word {number}") for number, role in enumerate(roles))
        plain = replace(conversation, prompt=prompt, completion=Message(role="assistant", content="words"))
        start = len(_prompts([plain], self._tokenizer)[0])
        full_text = render(self._tokenizer, [*plain.prompt, plain.completion], reply_follows=False)
        return _row(plain, start, tokenize(self._tokenizer, [full_text])[0], self._end_ids)

    def _count(self, ids: Sequence[int]) -> int:
        return sum(map(self._ids.__contains__, ids))


def _prompts(conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase) -> list[list[int]]:
    """Each conversation's prompt in tokens; those that many lines share are rendered and tokenised once."""
    keys = [tuple((message["role"], message["content"]) for message in one.prompt) for one in conversations]
    distinct = {key: one.prompt for key, one in zip(keys, conversations, strict=True)}
    texts = [render(tokenizer, prompt, reply_follows=True) for prompt in distinct.values()]
    ids = dict(zip(distinct, tokenize(tokenizer, texts), strict=True))
    return [ids[key] for key in keys]


def _row(conversation: Conversation, start: int, ids: list[int], end_ids: frozenset[int]) -> TokenRow:
    """The prompt, and the supervised reply up to its end-of-turn token.

    What a template writes after that token (ChatML's newline) is never generated, so it is left out.
    """
    end = next((at for at in range(start, len(ids)) if ids[at] in end_ids), len(ids) - 1)
    labels = [IGNORE_INDEX] * min(start, end + 1) + ids[start : end + 1]
    return TokenRow(ids[: end + 1], labels, conversation.record_id, conversation.kind)
