"""What a language model is asked for about a question: other wordings, and which answer a wording calls for."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pipeline.conversations.persona import Language, Sampling
from pipeline.conversations.render import Conversation, Message, assistant, system, user
from pipeline.models.generate import generate_replies
from pipeline.models.scores import ReplyScore, prepare_scoring, score_rows
from pipeline.tokens.encode import encode
from pipeline.tokens.plain_text import control_words, message_escaper

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAMPLES_A_KIND = 2
SAMPLING = Sampling(temperature=0.8, top_p=0.95, repetition_penalty=1.0, max_new_tokens=48)
TOLERANCE = 1.5  # nats: a wording may make the answer 4.5 times less likely than the question does
JUDGED_A_FORWARD = 4  # wordings; each comes with all answers, and their logits are the largest tensor

_MARKER = re.compile(r"^\s*(?:[-*•·]+|[(（]?\d{1,2}[)）.．、:：]|[①-⑩]|[a-fA-F][).])\s*")
_LABEL = re.compile(r"^(?:question|rewording|q|way \d|问题|问法|改写)\s*\d*\s*[:：]\s*", re.IGNORECASE)
_QUOTES = "\"'“”‘’「」*` "


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of wording: its name, as the prompt has it, and for each example two wordings of this kind."""

    kind: str
    rewordings: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Prompts:
    """All that the model is shown in a language, beside the question itself; `topics` are what the examples are of."""

    instruction: str
    request: str
    notes: str
    examples: tuple[tuple[str, str], ...]
    topics: tuple[str, ...]
    kinds: tuple[Kind, ...]

    def of(self, kind: Kind, question: str, answer: str) -> list[Message]:
        """The prompt that asks for wordings of one kind."""
        messages = [system(self.instruction.replace("{kind}", kind.kind))]
        for example, rewordings in zip(self.examples, kind.rewordings, strict=True):
            listed = "\n".join(f"{number}. {wording}" for number, wording in enumerate(rewordings, 1))
            messages += [self._request(kind, *example), assistant(listed)]
        return [*messages, self._request(kind, question, answer)]

    def _request(self, kind: Kind, question: str, answer: str) -> Message:
        return user(self.request.format(kind=kind.kind, question=question, answer=answer))


@cache
def prompts_for(language: Language) -> Prompts:
    """The prompts of a language, from `paraphrase.<language>.json`."""
    fields = json.loads(Path(__file__).with_name(f"paraphrase.{language}.json").read_text(encoding="utf-8"))
    return Prompts(
        instruction=fields["instruction"],
        request=fields["request"],
        notes=fields["notes"],
        examples=tuple((example["question"], example["answer"]) for example in fields["examples"]),
        topics=tuple(fields["topics"]),
        kinds=tuple(Kind(one["kind"], tuple(map(tuple, one["rewordings"]))) for one in fields["kinds"]),
    )


def propose(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[tuple[str, str]],
    language: Language,
    *,
    seed: int,
) -> list[list[str]]:
    """What the model offers as wordings of each (question, answer), unchecked; of every kind in turn.

    Sampled, always the same for the same questions and seed; torch's own random state is left as it was.
    """
    prompts = prompts_for(language)
    replies_by_kind: list[list[str]] = []
    with torch.random.fork_rng(devices=[model.device] if model.device.type == "cuda" else []):
        torch.manual_seed(seed)
        for kind in prompts.kinds:
            asked = [prompts.of(kind, *pair) for pair in questions for _ in range(SAMPLES_A_KIND)]
            replies_by_kind.append(
                generate_replies(
                    model,
                    tokenizer,
                    asked,
                    sampling=SAMPLING,
                    max_new_tokens=SAMPLING.max_new_tokens,
                )
            )
    offered = []
    for number in range(len(questions)):
        own = slice(number * SAMPLES_A_KIND, (number + 1) * SAMPLES_A_KIND)
        # The first sample of every kind before the second: whatever is cut off later, the kinds stay mixed.
        replies = [
            reply for sample in zip(*(of_kind[own] for of_kind in replies_by_kind), strict=True) for reply in sample
        ]
        offered.append(list(dict.fromkeys(line for reply in replies for line in parse_wordings(reply))))
    return offered


def parse_wordings(reply: str) -> list[str]:
    """The wordings that a reply lists, one a line, without numbers, bullets, labels and quotation marks.

    What announces a list is left out, and so is a line that was cut off.
    """
    wordings = []
    for line in reply.splitlines():
        bare = _LABEL.sub("", _MARKER.sub("", line.strip())).strip(_QUOTES)
        if bare and bare[-1] in ".?!。？！":
            wordings.append(bare)
    return wordings


def asks_the_same(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    *,
    question: str,
    wordings: Sequence[str],
    answers: Sequence[str],
    language: Language,
) -> list[bool]:
    """Whether each wording asks for what `question` asks for, whose answer is the first of `answers`: by this model.

    Teacher-forced, not generated: the model is shown all answers as notes and asked the question, then each wording. A
    wording passes if it makes the first answer likelier than every other (or, where not even the question does, leaves
    it no further behind), and at most `TOLERANCE` nats less likely than the question itself does. The others stand
    there because small models echo a single note whatever they are asked; that nothing but the note tells the answer
    is for `paraphrase_checks.reveals`. What the prompts share is computed once a forward, and no word is generated, so
    a wording costs some tens of tokens.
    """
    notes = "\n".join(f"- {answer}" for answer in sorted(answers))
    instruction = system(prompts_for(language).notes.format(notes=notes))
    prepare_scoring(model)
    asked = [question, *wordings]
    scores: list[list[ReplyScore]] = []
    for start in range(0, len(asked), JUDGED_A_FORWARD):
        scores += _score(model, tokenizer, instruction, asked[start : start + JUDGED_A_FORWARD], answers)
    least = scores[0][0].log_prob - TOLERANCE
    behind = min(0.0, _lead(scores[0]))
    return [score[0].log_prob >= least and _lead(score) >= behind for score in scores[1:]]


def _lead(scores: Sequence[ReplyScore]) -> float:
    """By how much the first is likelier than the best of the others, in nats."""
    return scores[0].log_prob - max((other.log_prob for other in scores[1:]), default=-math.inf)


def _score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    instruction: Message,
    questions: Sequence[str],
    answers: Sequence[str],
) -> list[list[ReplyScore]]:
    """The scores of all answers to each question, in one forward."""
    escape = message_escaper(control_words(tokenizer))
    conversations = [
        Conversation((instruction, user(question)), escape(assistant(answer)), "paraphrase", "setting_qa")
        for question in questions
        for answer in answers
    ]
    scores = iter(score_rows(model, list(encode(conversations, tokenizer))))
    return [[next(scores).as_reply() for _ in answers] for _ in questions]
