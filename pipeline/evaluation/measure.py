"""One model, measured: its scores on every probe, what it says when asked, what else it still knows, its voice."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Language, Persona
from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.evaluation.exam import Exam
from pipeline.evaluation.metrics.replies import bits_per_character, rank_of_gold
from pipeline.evaluation.probes.control import ControlItem, control_items, filler_turns, general_texts
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.scoring import (
    ProbeScore,
    Question,
    QuestionScore,
    plain_questions,
    score_probes,
    score_replies,
    score_texts,
)
from pipeline.models.generate import generate_replies
from pipeline.terminal import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FILLER_TURNS = 2
CONDUCT_TOKENS = 48  # of a reply to what asks for no fact
SAMPLING_SEED = 0
# Somebody else, asked for the character's facts: what belongs to the character's name should not come to everybody.
SOMEBODY_ELSE: Mapping[Language, str] = {"en": "Marta Quill", "zh": "陆清和"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """A model's outcome. `greedy` and `sampled` are its replies to each probe's first question in new words.

    `control` says which control questions it ranks right, `general_bits` and `line_bits` are bits per character of
    general passages and of held-out lines, `first_for_other_persona` which facts it ranks first under somebody else's
    name, `voice` its sampled replies to lines; `small_talk`, `unanswerable` and `identity` are its greedy replies to
    messages that ask for no fact.
    """

    scores: list[ProbeScore]
    greedy: list[str]
    sampled: list[str]
    control: list[bool]
    general_bits: list[float]
    line_bits: list[float]
    first_for_other_persona: list[bool]
    voice: list[str]
    small_talk: list[str] = field(default_factory=list)
    unanswerable: list[str] = field(default_factory=list)
    identity: list[str] = field(default_factory=list)


def measure_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    exam: Exam,
    progress_for: Callable[[str], Progress],
) -> Measurement:
    """The model's outcome on the exam; the same model gets the same outcome, bit for bit.

    `progress_for` gives the progress to call during a long part, by the part's title.
    """
    persona, probes = exam.persona, exam.probes
    prompts = [chat_prompt(persona, (user(probe.unseen[0]),)) for probe in probes]
    sorts = (exam.small_talk, exam.unanswerable, exam.identity)
    conduct = iter(
        _replies(model, tokenizer, [text for sort in sorts for text in sort], persona, progress_for("small talk"))
    )
    small_talk, unanswerable, identity = (list(islice(conduct, len(sort))) for sort in sorts)
    return Measurement(
        scores=score_probes(
            model, tokenizer, probes, persona, questions=_with_filler(persona), progress=progress_for("questions")
        ),
        greedy=generate_replies(model, tokenizer, prompts, progress=progress_for("answers")),
        sampled=_sample(model, tokenizer, prompts, persona, progress_for("answers as chat samples them")),
        control=_control(model, tokenizer, persona),
        general_bits=_bits(
            score_texts(model, tokenizer, general_texts(persona.language)), general_texts(persona.language)
        ),
        line_bits=_line_bits(model, tokenizer, exam.lines),
        first_for_other_persona=_first_for_other_persona(model, tokenizer, exam),
        voice=_sample(model, tokenizer, exam.voice_prompts, persona, progress_for("lines")),
        small_talk=small_talk,
        unanswerable=unanswerable,
        identity=identity,
    )


def save_measurement(measurement: Measurement, path: Path) -> None:
    """The measurement as JSON; the probes themselves are not in it."""
    content = asdict(replace(measurement, scores=[]))
    content["scores"] = [
        {"questions": [asdict(question) for question in score.questions], "guessed": score.guessed}
        for score in measurement.scores
    ]
    write_text(path, json.dumps(content, ensure_ascii=False))


def load_measurement(path: Path, probes: Sequence[Probe]) -> Measurement | None:
    """What `save_measurement` wrote of these probes; None if there is none or it is broken."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        scores = [
            ProbeScore(probe, tuple(map(_question, score["questions"])), score["guessed"])
            for probe, score in zip(probes, content.pop("scores"), strict=True)
        ]
        return Measurement(scores=scores, **content)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _question(fields: Mapping[str, Any]) -> QuestionScore:
    return QuestionScore(**{**fields, "misses": tuple(fields["misses"])})


def _with_filler(persona: Persona) -> Callable[[Probe], list[Question]]:
    """Each probe's questions, and its first one in new words once more after an everyday exchange or two."""
    turns = tuple(filler_turns(persona.language)[: 2 * FILLER_TURNS])

    def questions(probe: Probe) -> list[Question]:
        return [*plain_questions(probe), ("amid", probe.unseen[0], turns)]

    return questions


def _replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    messages: Sequence[str],
    persona: Persona,
    progress: Progress,
) -> list[str]:
    """Greedy replies to single messages, as in chat."""
    prompts = [chat_prompt(persona, (user(message),)) for message in messages]
    return generate_replies(model, tokenizer, prompts, max_new_tokens=CONDUCT_TOKENS, progress=progress)


def _sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    persona: Persona,
    progress: Progress,
) -> list[str]:
    """Replies as chat samples them, from the same random numbers every time."""
    with torch.random.fork_rng():
        torch.manual_seed(SAMPLING_SEED)
        return generate_replies(model, tokenizer, prompts, sampling=persona.sampling, progress=progress)


def _control(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona) -> list[bool]:
    items: Sequence[ControlItem] = control_items(persona.language)
    prompts = [chat_prompt(persona, (user(item.question),)) for item in items]
    scored = score_replies(model, tokenizer, prompts, [(item.answer, *item.wrong) for item in items])
    return [
        rank_of_gold(gold.mean_log_prob, [other.mean_log_prob for other in others]) == 1 for gold, *others in scored
    ]


def _line_bits(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, lines: Sequence[tuple[tuple[Message, ...], str]]
) -> list[float]:
    scored = score_replies(model, tokenizer, [prompt for prompt, _ in lines], [(text,) for _, text in lines])
    return _bits([score.log_prob for (score,) in scored], [text for _, text in lines])


def _first_for_other_persona(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, exam: Exam) -> list[bool]:
    """Whether each fact's answer ranks first when somebody else is asked."""
    other = replace(exam.persona, name=SOMEBODY_ELSE[exam.persona.language])
    scores = score_probes(
        model, tokenizer, exam.probes, other, questions=lambda probe: [("unseen", probe.unseen[0], ())]
    )
    return [score.questions[0].rank == 1 for score in scores]


def _bits(log_probs: Sequence[float], texts: Sequence[str]) -> list[float]:
    return [bits_per_character(log_prob, text) for log_prob, text in zip(log_probs, texts, strict=True)]
