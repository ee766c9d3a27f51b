"""One model, measured: its scores on every probe, what it says when asked, what else it still knows, its voice."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Language, Persona
from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.evaluation.exam import Exam
from pipeline.evaluation.metrics.replies import bits_per_character
from pipeline.evaluation.probes.control import ControlItem, control_items, filler_turns, general_texts
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.scoring import (
    ProbeScore,
    Question,
    QuestionScore,
    Ranks,
    both_ways,
    score_priors,
    score_probes,
)
from pipeline.models.generate import generate_replies, room_for_reply
from pipeline.models.reply_scores import compare_replies, ranks_first, score_replies, score_texts
from pipeline.models.scores import ReplyScore
from pipeline.terminal import Progress, split_progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

FILLER_TURNS = 2
REPLY_TOKENS, CONDUCT_TOKENS = 64, 48  # of a reply to a fact's question, and to what asks for none
TOKENS_A_REPLY = 14  # of an answer, about: for how long it will take
SAMPLING_SEED = 0
# Somebody else, asked for the character's facts: what belongs to the character's name should not come to everybody.
SOMEBODY_ELSE: Mapping[Language, str] = {"en": "Marta Quill", "zh": "陆清和"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """A model's outcome. `greedy` and `sampled` are its replies to each probe's first question in new words.

    `guessed` are the facts whose answer ranks first without a question, `control` says which control questions it ranks
    right, `general_bits` and `line_bits` are bits per character of general passages and of held-out lines,
    `first_for_other_persona` which facts it ranks first under somebody else's name, `voice` its sampled replies to
    lines; `small_talk`, `unanswerable`, `identity` and `premises` are its greedy replies to what asks for no fact. A
    quick exam leaves lists empty, and a reply None where it was not asked for.
    """

    scores: list[ProbeScore]
    guessed: list[str]
    greedy: list[str | None]
    general_bits: list[float]
    first_for_other_persona: list[bool]
    sampled: list[str] = field(default_factory=list)
    control: list[bool] = field(default_factory=list)
    line_bits: list[float] = field(default_factory=list)
    voice: list[str] = field(default_factory=list)
    small_talk: list[str] = field(default_factory=list)
    unanswerable: list[str] = field(default_factory=list)
    identity: list[str] = field(default_factory=list)
    premises: list[str] = field(default_factory=list)


def measure_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    exam: Exam,
    progress: Progress,
    *,
    replies_to: Collection[str] | None = None,
) -> Measurement:
    """The model's outcome on the exam; the same model gets the same outcome, bit for bit.

    `replies_to`: the facts to whose question it says its greedy reply; by default all. `progress` moves with the tokens
    computed.
    """
    persona, probes, full = exam.persona, exam.probes, exam.extent == "full"
    asked = [probe for probe in probes if replies_to is None or probe.fact_id in replies_to]
    questions = _with_filler(persona) if full else both_ways
    parts = _parts(exam, questions, len(asked), progress)
    priors = score_priors(model, tokenizer, probes, persona)
    hardest_first = [_hardest_first(probe, prior) for probe, prior in zip(probes, priors, strict=True)]
    scores = score_probes(
        model,
        tokenizer,
        probes if full else hardest_first,
        persona,
        questions=questions,
        priors=priors if full else None,
        progress=parts["questions"],
    )
    texts = general_texts(persona.language)
    quick = Measurement(
        scores=scores,
        guessed=[probe.fact_id for probe, prior in zip(probes, priors, strict=True) if ranks_first(prior)],
        first_for_other_persona=_first_for_other_persona(model, tokenizer, hardest_first, persona, parts["elsewhere"]),
        greedy=_greedy(model, tokenizer, scores, asked, parts["answers"], persona=persona),
        general_bits=_bits(score_texts(model, tokenizer, texts), texts),
    )
    return _measure_the_rest(model, tokenizer, exam, quick, parts) if full else quick


def _measure_the_rest(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    exam: Exam,
    quick: Measurement,
    parts: Mapping[str, Progress],
) -> Measurement:
    """The quick measurement with what only the full exam asks for."""
    persona = exam.persona
    sorts = (exam.small_talk, exam.unanswerable, exam.identity, [one.text for one in exam.premises])
    messages = [chat_prompt(persona, (user(text),)) for sort in sorts for text in sort]
    conduct = iter(
        generate_replies(model, tokenizer, messages, max_new_tokens=CONDUCT_TOKENS, progress=parts["conduct"])
    )
    small_talk, unanswerable, identity, premises = (list(islice(conduct, len(sort))) for sort in sorts)
    prompts = [_first_prompt(persona, probe) for probe in exam.probes]
    longest = [_longest_reply(score) for score in quick.scores]
    return replace(
        quick,
        sampled=_sample(model, tokenizer, prompts, persona, parts["sampled"], max_new_tokens=longest),
        control=_control(model, tokenizer, persona),
        line_bits=_line_bits(model, tokenizer, exam.lines),
        voice=_sample(model, tokenizer, exam.voice_prompts, persona, parts["voice"]),
        small_talk=small_talk,
        unanswerable=unanswerable,
        identity=identity,
        premises=premises,
    )


def _parts(
    exam: Exam, questions: Callable[[Probe], Sequence[Question]], replies: int, progress: Progress
) -> dict[str, Progress]:
    """The progress of each part, in the order in which they come, by about as many tokens as it computes."""
    asked = sum(len(questions(probe)) for probe in exam.probes)
    options = 1 + (max((len(probe.distractors) for probe in exam.probes), default=0) if exam.extent == "full" else 1)
    conduct = len(exam.small_talk) + len(exam.unanswerable) + len(exam.identity) + len(exam.premises)
    full = exam.extent == "full"
    sizes = {
        "questions": asked * (1 + options) * TOKENS_A_REPLY,
        "elsewhere": len(exam.probes) * 3 * TOKENS_A_REPLY,
        "answers": replies * REPLY_TOKENS // 2,
        "conduct": conduct * CONDUCT_TOKENS,
        "sampled": len(exam.probes) * REPLY_TOKENS // 2 if full else 0,
        "voice": len(exam.voice_prompts) * REPLY_TOKENS,
    }
    return dict(zip(sizes, split_progress(progress, list(sizes.values())), strict=True))


def _hardest_first(probe: Probe, prior: Sequence[ReplyScore]) -> Probe:
    """The probe with its distractors in the order in which they are likely without a question."""
    order = sorted(zip(probe.distractors, prior[1:], strict=True), key=lambda pair: -pair[1].mean_log_prob)
    return replace(probe, distractors=tuple(text for text, _ in order))


def _first_prompt(persona: Persona, probe: Probe) -> tuple[Message, ...]:
    return chat_prompt(persona, (user(probe.unseen[0]),))


def _greedy(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    scores: Sequence[ProbeScore],
    asked: Sequence[Probe],
    progress: Progress,
    *,
    persona: Persona,
) -> list[str | None]:
    """The greedy reply to each probe's first question in new words, of those asked for.

    An exact answer is what greedy decoding gives: the scores have shown it, so it is not generated once more.
    """
    said = {
        score.probe.fact_id: score.probe.answer.strip() for score in scores if score.questions_of("unseen")[0].exact
    }
    longest = {score.probe.fact_id: _longest_reply(score) for score in scores}
    rest = [probe for probe in asked if probe.fact_id not in said]
    prompts = [_first_prompt(persona, probe) for probe in rest]
    limits = [longest[probe.fact_id] for probe in rest]
    replies = generate_replies(model, tokenizer, prompts, max_new_tokens=limits, progress=progress)
    said |= {probe.fact_id: reply for probe, reply in zip(rest, replies, strict=True)}
    wanted = {probe.fact_id for probe in asked}
    return [said[one.probe.fact_id] if one.probe.fact_id in wanted else None for one in scores]


def _longest_reply(score: ProbeScore) -> int:
    """How many tokens of a reply are looked at: a long answer has room in it."""
    return room_for_reply(score.questions_of("unseen")[0].tokens, usual=REPLY_TOKENS)


def save_measurement(measurement: Measurement, path: Path) -> None:
    """The measurement as JSON; the probes themselves are not in it."""
    content = asdict(replace(measurement, scores=[]))
    content["scores"] = [
        {"questions": [asdict(question) for question in score.questions]} for score in measurement.scores
    ]
    write_text(path, json.dumps(content, ensure_ascii=False))


def load_measurement(path: Path, probes: Sequence[Probe]) -> Measurement | None:
    """What `save_measurement` wrote of these probes; None if there is none or it is broken."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        scores = [
            ProbeScore(probe, tuple(map(_question, score["questions"])))
            for probe, score in zip(probes, content.pop("scores"), strict=True)
        ]
        return Measurement(scores=scores, **content)
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _question(fields: Mapping[str, Any]) -> QuestionScore:
    ranks = Ranks(**fields["ranks"]) if fields["ranks"] else None
    return QuestionScore(**{**fields, "misses": tuple(fields["misses"]), "ranks": ranks})


def _with_filler(persona: Persona) -> Callable[[Probe], list[Question]]:
    """Each probe's questions, and its first one in new words once more after an everyday exchange or two."""
    turns = tuple(filler_turns(persona.language)[: 2 * FILLER_TURNS])

    def questions(probe: Probe) -> list[Question]:
        return [*both_ways(probe), ("amid", probe.unseen[0], turns)]

    return questions


def _sample(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    persona: Persona,
    progress: Progress,
    *,
    max_new_tokens: int | Sequence[int] = REPLY_TOKENS,
) -> list[str]:
    """Replies as chat samples them, from the same random numbers every time."""
    with torch.random.fork_rng():
        torch.manual_seed(SAMPLING_SEED)
        return generate_replies(
            model, tokenizer, prompts, sampling=persona.sampling, max_new_tokens=max_new_tokens, progress=progress
        )


def _control(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona) -> list[bool]:
    items: Sequence[ControlItem] = control_items(persona.language)
    prompts = [chat_prompt(persona, (user(item.question),)) for item in items]
    compared = compare_replies(model, tokenizer, prompts, [(item.answer, *item.wrong) for item in items])
    return [first for _, first in compared]


def _line_bits(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, lines: Sequence[tuple[tuple[Message, ...], str]]
) -> list[float]:
    scored = score_replies(model, tokenizer, [prompt for prompt, _ in lines], [(text,) for _, text in lines])
    return _bits([score.log_prob for (score,) in scored], [text for _, text in lines])


def _first_for_other_persona(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    probes: Sequence[Probe],
    persona: Persona,
    progress: Progress,
) -> list[bool]:
    """Whether each fact's answer ranks first when somebody else is asked."""
    other = replace(persona, name=SOMEBODY_ELSE[persona.language])
    scores = score_probes(
        model,
        tokenizer,
        probes,
        other,
        questions=lambda probe: [("unseen", probe.unseen[0], ())],
        progress=progress,
    )
    return [bool(score.questions[0].first) for score in scores]


def _bits(log_probs: Sequence[float], texts: Sequence[str]) -> list[float]:
    return [bits_per_character(log_prob, text) for log_prob, text in zip(log_probs, texts, strict=True)]
