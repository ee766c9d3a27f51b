"""Conversations that an export is tried on: its prompts and greedy replies against the trained character's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import torch

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.models.generate import greedy_ids
from pipeline.tokens.encode import prompt_ids
from pipeline.tokens.template import end_of_turn_ids, render, trained_end

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPLY_TOKENS = 32  # as far as replies are compared


@dataclass(frozen=True, slots=True)
class Trial:
    """Conversations in English and Chinese; each one's trained prompt, and the greedy reply to it.

    Prompts and replies are tokens; a reply ends with its end-of-turn token, or after `REPLY_TOKENS`.
    `end_id` is the end of turn that was trained; at any of `stop_ids`, the special tokens, our own chat ends a reply.
    """

    conversations: tuple[tuple[Message, ...], ...]
    prompts: tuple[tuple[int, ...], ...]
    replies: tuple[tuple[int, ...], ...]
    end_id: int
    stop_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first token of a reply that is another: its number in the reply, and the gap of the two logits.

    No gap where one reply ends and the other goes on.
    """

    conversation: int
    token: int
    margin: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many greedy replies were compared, and where those that are not equal begin to differ."""

    replies: int
    differences: tuple[Difference, ...]

    @property
    def equal(self) -> int:
        """How many are the same, token for token."""
        return self.replies - len(self.differences)

    def to_json(self) -> dict[str, Any]:
        """As `export.json` has it."""
        return {
            "replies": self.replies,
            "tokens_compared": REPLY_TOKENS,
            "equal": self.equal,
            "differences": [asdict(one) for one in self.differences],
        }


def trial_conversations() -> tuple[tuple[Message, ...], ...]:
    """The conversations, each from its first user turn to its last one, without a system message."""
    texts = json.loads((files("pipeline.exports") / "conversations.json").read_text(encoding="utf-8"))
    roles = (user, assistant)
    return tuple(tuple(roles[number % 2](text) for number, text in enumerate(turns)) for turns in texts)


def front_end_conversations() -> dict[str, tuple[tuple[Message, ...], ...]]:
    """Conversations in the orders that front ends send, by what is unusual in them: most begin with a greeting."""
    orders = json.loads((files("pipeline.exports") / "front_end_conversations.json").read_text(encoding="utf-8"))
    return {
        order: tuple(tuple(Message(role=role, content=text) for role, text in turns) for turns in conversations)
        for order, conversations in orders.items()
    }


def refused_orders(tokenizer: PreTrainedTokenizerBase, persona: Persona) -> list[str]:
    """Which of the front ends' orders the trained template does not render, or not all the messages of."""
    return [
        order
        for order, conversations in front_end_conversations().items()
        if not all(_renders(tokenizer, chat_prompt(persona, turns)) for turns in conversations)
    ]


def make_trial(
    tokenizer: PreTrainedTokenizerBase,
    persona: Persona,
    model: Any = None,
    progress: Callable[[int, int], None] | None = None,
    *,
    without: Sequence[str] = (),
) -> Trial:
    """The trained prompts, and the greedy replies of the trained `model` where it is given.

    Of the front ends' orders the trial has those that the trained template renders, but for those named in `without`.
    """
    left_out = {*refused_orders(tokenizer, persona), *without}
    orders = [turns for order, turns in front_end_conversations().items() if order not in left_out]
    conversations = sum(orders, trial_conversations())
    prompts = [prompt_ids(tokenizer, chat_prompt(persona, turns)) for turns in conversations]
    stops = end_of_turn_ids(tokenizer)
    replies: Sequence[Sequence[int]] = ()
    if model is not None:
        replies = greedy_ids(model, prompts, end_ids=stops, max_new_tokens=REPLY_TOKENS, progress=progress)
    end_id = int(tokenizer.convert_tokens_to_ids(trained_end(tokenizer)))
    return Trial(conversations, tuple(map(tuple, prompts)), tuple(map(tuple, replies)), end_id, stops)


def count_equal_prompts(tokenizer: PreTrainedTokenizerBase, trial: Trial, first: Sequence[Message] = ()) -> int:
    """How many conversations another tokenizer and its template render and tokenise as training did.

    `first` are messages that are put before each, as a front end does.
    """
    return sum(
        list(_ids(tokenizer, [*first, *turns])) == list(prompt)
        for turns, prompt in zip(trial.conversations, trial.prompts, strict=True)
    )


def compare_greedy(model: Any, trial: Trial) -> Agreement:
    """Whether the model's greedy replies are the trial's, without generating: each token given the ones before it."""
    found = []
    for number, (prompt, reply) in enumerate(zip(trial.prompts, trial.replies, strict=True)):
        logits = _reply_logits(model, prompt, reply)
        wrong = (logits.argmax(-1) != torch.tensor(reply)).nonzero()[:, 0].tolist()
        if wrong:
            at = wrong[0]
            found.append(Difference(number, at, float(logits[at].max() - logits[at, reply[at]])))
    return Agreement(len(trial.replies), tuple(found))


def compare_generated(load: Callable[[], Any], trial: Trial, generated: Sequence[Sequence[int]]) -> Agreement:
    """Where replies that another engine generated differ from the trial's, by the logits of the trial's model.

    `load` gives that model, and is called only if one differs. A reply that goes on after a special token, where our
    chat ends it, is compared up to there.
    """
    found = []
    model = None
    for number, (prompt, ours, whole) in enumerate(zip(trial.prompts, trial.replies, generated, strict=True)):
        stop = next((at for at, token in enumerate(whole) if token in trial.stop_ids), len(whole))
        theirs = whole[: stop + 1]
        if tuple(theirs) != ours:
            at = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
            if at is None:  # one ends where the other goes on
                found.append(Difference(number, min(len(ours), len(theirs)), None))
                continue
            model = model or load()
            logits = _reply_logits(model, prompt, ours)[at]
            found.append(Difference(number, at, float(logits[ours[at]] - logits[theirs[at]])))
    return Agreement(len(generated), tuple(found))


@torch.inference_mode()
def _reply_logits(model: Any, prompt: Sequence[int], reply: Sequence[int]) -> torch.Tensor:
    """Logits of each of the reply's tokens, shape (reply's tokens, vocabulary)."""
    ids = torch.tensor([[*prompt, *reply]], device=model.device)
    logits: torch.Tensor = model(input_ids=ids, use_cache=False, logits_to_keep=len(reply) + 1).logits[0, :-1]
    return logits.float().cpu()


def _renders(tokenizer: PreTrainedTokenizerBase, messages: Sequence[Message]) -> bool:
    try:
        text = render(tokenizer, messages, reply_follows=True)
    except UnderstudyError:
        return False
    return all(message["content"] in text for message in messages)


def _ids(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message]) -> Sequence[int]:
    text = tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=True)
    ids: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
