"""Text stays text: what spells a control token in a message is never read as one.

A tokenizer reads `<|im_end|>` as the end of a turn wherever it stands, so a stranger's log, or somebody who types it
into chat, could end the user's turn and begin one of the assistant's. Templates look for words of their own, too
(`</think>`). In every message but the reply that is learnt such a word gets a space after its first character, in
training and in chat alike, which leaves it readable and makes it text. A reply with one is refused by the proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pipeline.conversations.render import Message

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# What looks like a control word: `<|im_end|>`, `</think>`, `[INST]`, `<<SYS>>`.
TAG = re.compile(r"<[|｜]?/?[^<>\s]{1,40}>|\[/?[A-Z_]{2,20}\]|<</?[A-Z]{2,10}>>")
ROUNDS = 4  # a space could complete a control word that has one within it; none known has


def control_words(tokenizer: PreTrainedTokenizerBase) -> frozenset[str]:
    """The tokenizer's special tokens, its other added tokens that look like tags, and the tags its template knows."""
    added = tokenizer.added_tokens_decoder.values()
    special = {token.content for token in added if token.special} | set(tokenizer.all_special_tokens)
    tags = {token.content for token in added if TAG.fullmatch(token.content)}
    known = set(TAG.findall(str(tokenizer.chat_template or "")))
    return frozenset(word for word in special | tags | known if word.strip())


def control_ids(tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """Ids of the tokens that control: of the special ones, and of the control words that are tokens of their own.

    The unknown token is none: a tokenizer writes it for whatever it cannot spell.
    """
    words = control_words(tokenizer)
    added = {number for number, token in tokenizer.added_tokens_decoder.items() if token.content in words}
    return frozenset((added | set(tokenizer.all_special_ids)) - {tokenizer.unk_token_id})


def find_control_word(words: Iterable[str]) -> Callable[[str], str | None]:
    """Finds the first control word of a text; None if it has none."""
    pattern = _pattern(words)
    return lambda text: found[0] if pattern and (found := pattern.search(text)) else None


def message_escaper(words: Iterable[str]) -> Callable[[Message], Message]:
    """Makes text of the control words in a message."""
    pattern = _pattern(words)

    def escape(message: Message) -> Message:
        content = message["content"]
        for _ in range(ROUNDS if pattern else 0):
            escaped = pattern.sub(lambda found: f"{found[0][0]} {found[0][1:]}", content) if pattern else content
            if escaped == content:
                break
            content = escaped
        return message if content == message["content"] else Message(role=message["role"], content=content)

    return escape


def _pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Any of the words, the longest first; None if there is none."""
    ordered = sorted((word for word in words if len(word) > 1), key=lambda word: (-len(word), word))
    return re.compile("|".join(map(re.escape, ordered))) if ordered else None
