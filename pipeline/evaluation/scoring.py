"""Scores of probes: what a model would answer to each question, known without generating a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Message, chat_prompt, user
from pipeline.evaluation.metrics.replies import rank_of_gold
from pipeline.evaluation.probes.probe import Probe
from pipeline.models.reply_scores import compare_replies, score_replies
from pipeline.models.scores import ReplyScore
from pipeline.terminal import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# How a fact is asked for: as trained, in new words, the other way round, or in new words amid a conversation.
QuestionForm = Literal["seen", "unseen", "reverse", "amid"]
QUESTION_FORMS: tuple[QuestionForm, ...] = get_args(QuestionForm)


@dataclass(frozen=True, slots=True)
class Ranks:
    """An answer's ranks among its distractors, 1 the best, ties counted as lost.

    By mean log-probability, by its sum, and by what the question adds to the sum: three ways that treat the length of
    an answer differently.
    """

    by_mean: int
    by_sum: int
    by_gain: int


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """A question's outcome; `first`: the answer is likelier by its mean log-probability than every distractor.

    It is None of a question the other way round, which names the answer: to rank it would be to read. `ranks` is None
    where no more was asked. `misses` are those of `ReplyScore`.
    """

    asked: QuestionForm
    question: str
    exact: bool
    log_prob: float
    tokens: int
    first: bool | None
    ranks: Ranks | None = None
    misses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """A probe's outcome on all its questions."""

    probe: Probe
    questions: tuple[QuestionScore, ...]

    def questions_of(self, form: QuestionForm) -> list[QuestionScore]:
        """The questions of this form."""
        return [question for question in self.questions if question.asked == form]


Question = tuple[QuestionForm, str, tuple[Message, ...]]  # its form, its text, and the turns before it


def plain_questions(probe: Probe) -> list[Question]:
    """Every question of the probe, each at the beginning of a conversation."""
    seen: list[Question] = [("seen", probe.seen, ())] if probe.seen else []
    return [*seen, *(("unseen", text, ()) for text in probe.unseen)]


def both_ways(probe: Probe) -> list[Question]:
    """The plain questions of the probe, and those that ask the other way round."""
    return [*plain_questions(probe), *(("reverse", text, ()) for text in probe.reverse)]


def score_probes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    probes: Sequence[Probe],
    persona: Persona,
    *,
    questions: Callable[[Probe], Sequence[Question]] = plain_questions,
    priors: Sequence[Sequence[ReplyScore]] | None = None,
    progress: Progress | None = None,
) -> list[ProbeScore]:
    """Score the questions of every probe under the chat's own prompt, as the character will be asked.

    With `priors` (see `score_priors`) every question gets all its ranks; without, only whether its answer ranks first,
    which takes a fraction of the tokens. The work is sharded over the processes, and each of them gets all scores.
    `progress` is called with the number of prompts done and their total.
    """
    asked = [(number, *question) for number, probe in enumerate(probes) for question in questions(probe)]
    prompts = [chat_prompt(persona, (*before, user(text))) for _, _, text, before in asked]
    options = [_options(probes[number])[: 1 if form == "reverse" else None] for number, form, *_ in asked]
    of_probe: list[list[QuestionScore]] = [[] for _ in probes]
    if priors is None:
        compared = compare_replies(model, tokenizer, prompts, options, progress=progress)
        for (number, form, text, _), (answer, first) in zip(asked, compared, strict=True):
            of_probe[number].append(_question_score(form, text, answer, first, None))
    else:
        scored = score_replies(model, tokenizer, prompts, options, progress=progress)
        for (number, form, text, _), replies in zip(asked, scored, strict=True):
            ranks = _ranks(replies, priors[number][: len(replies)])
            of_probe[number].append(_question_score(form, text, replies[0], ranks.by_mean == 1, ranks))
    return [ProbeScore(probe, tuple(scores)) for probe, scores in zip(probes, of_probe, strict=True)]


def score_priors(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, probes: Sequence[Probe], persona: Persona
) -> list[list[ReplyScore]]:
    """The scores of each probe's answer and distractors without a question: the answers of all probes stand once."""
    nothing = chat_prompt(persona, (user(persona.cue("")),))
    distinct = list(dict.fromkeys(option for probe in probes for option in _options(probe)))
    scored = score_replies(model, tokenizer, [nothing] * len(distinct), [(text,) for text in distinct])
    score_of = dict(zip(distinct, (score for (score,) in scored), strict=True))
    return [[score_of[option] for option in _options(probe)] for probe in probes]


def _options(probe: Probe) -> tuple[str, ...]:
    return (probe.answer, *probe.distractors)


def _question_score(
    form: QuestionForm, text: str, answer: ReplyScore, first: bool, ranks: Ranks | None
) -> QuestionScore:
    ranked = form != "reverse"
    return QuestionScore(
        asked=form,
        question=text,
        exact=answer.exact,
        log_prob=answer.log_prob,
        tokens=answer.tokens,
        first=first if ranked else None,
        ranks=ranks if ranked else None,
        misses=answer.misses,
    )


def _ranks(replies: Sequence[ReplyScore], prior: Sequence[ReplyScore]) -> Ranks:
    gains = [reply.log_prob - bare.log_prob for reply, bare in zip(replies, prior, strict=True)]
    return Ranks(
        by_mean=rank_of_gold(replies[0].mean_log_prob, [reply.mean_log_prob for reply in replies[1:]]),
        by_sum=rank_of_gold(replies[0].log_prob, [reply.log_prob for reply in replies[1:]]),
        by_gain=rank_of_gold(gains[0], gains[1:]),
    )
