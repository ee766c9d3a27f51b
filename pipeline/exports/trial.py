"""Twenty conversations that an export is tried on: its prompts and greedy replies against the trained character's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import torch

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, assistant, chat_prompt, user
from pipeline.models.generate import greedy_ids
from pipeline.tokens.encode import prompt_ids
from pipeline.tokens.template import end_of_turn_ids, trained_end

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

REPLY_TOKENS = 32  # as far as replies are compared


@dataclass(frozen=True, slots=True)
class Trial:
    """Conversations of one to six turns, in English and Chinese; each one's trained prompt, and the greedy reply to it.

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


def make_trial(
    tokenizer: PreTrainedTokenizerBase,
    persona: Persona,
    model: Any = None,
    progress: Callable[[int, int], None] | None = None,
) -> Trial:
    """The trained prompts, and the greedy replies of the trained `model` where it is given."""
    conversations = trial_conversations()
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


def _ids(tokenizer: PreTrainedTokenizerBase, turns: Sequence[Message]) -> Sequence[int]:
    text = tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=True)
    ids: Sequence[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
