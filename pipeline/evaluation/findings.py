"""What the untouched and the trained model's measurements say together: what `recall --json` writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.evaluation.measure import Exam, Measurement
from pipeline.evaluation.metrics.replies import alias_hit, contradiction
from pipeline.evaluation.metrics.statistics import paired_difference
from pipeline.evaluation.metrics.summary import (
    by_exposure,
    gains,
    generalisation_gaps,
    interval,
    newly_known,
    summarise,
)
from pipeline.evaluation.metrics.voice import MIN_REPLIES, copy_rate, distinct_2, fit_voice, style_distance, voice_score
from pipeline.evaluation.probes.probe import Probe, choose
from pipeline.evaluation.scoring import ProbeScore, QuestionScore

SAMPLES = 5
ENOUGH_OTHERS = 100  # lines of other speakers, to tell a voice from theirs
HITS = frozenset({"alias_hit", "contradiction", "control", "elsewhere"})  # what either is or is not so
Answered = Callable[[Probe, str], float]


@dataclass(frozen=True, slots=True)
class Texts:
    """What a voice is held against: the texts trained on, the lines among them, and other speakers' lines and names."""

    trained: Sequence[str]
    lines: Sequence[str]
    others: Sequence[str]
    names: Sequence[str]


def findings(
    before: Measurement, after: Measurement, exam: Exam, *, exposures: Mapping[str, int], texts: Texts
) -> dict[str, Any]:
    """Headline, every metric with its interval before and after, what was forgotten, voice, and every item.

    `exposures` are those of the run's ledger, by record id.
    """
    guessed = {score.probe.fact_id for score in before.scores if score.guessed}
    known = newly_known(before.scores, after.scores, guessed)
    return {
        "headline": _headline(before.scores, after.scores),
        "recall": {"base": summarise(before.scores, guessed), "trained": summarise(after.scores, guessed)},
        "gains": gains(before.scores, after.scores, guessed),
        "gaps": {
            model: generalisation_gaps(measured.scores, guessed)
            for model, measured in (("base", before), ("trained", after))
        },
        "newly_known": known,
        "guessed": sorted(guessed),
        "distractors": min(len(probe.distractors) for probe in exam.probes),
        "answers": _answers(before, after, exam.probes),
        "drift": _drift(before, after),
        "voice": _voice(before.voice, after.voice, [text for _, text in exam.lines], texts),
        "by_exposure": by_exposure(after.scores, exposures),
        "samples": _samples(before, after, exam.probes),
        "items": [_item(*pair) for pair in zip(before.scores, after.scores, before.greedy, after.greedy, strict=True)],
    }


def _headline(before: Sequence[ProbeScore], after: Sequence[ProbeScore]) -> dict[str, int]:
    """Facts known word for word: as trained, and in new words (by more than half of the questions that ask so)."""
    return {
        "facts": len(after),
        "asked_as_trained": sum(bool(score.asked("seen")) for score in after),
        "seen": sum(_known(score.asked("seen")) for score in after),
        "unseen": sum(_known(score.asked("unseen")) for score in after),
        "base_seen": sum(_known(score.asked("seen")) for score in before),
        "base_unseen": sum(_known(score.asked("unseen")) for score in before),
    }


def _known(questions: Sequence[QuestionScore]) -> bool:
    return 2 * sum(question.exact for question in questions) > len(questions)


def _answers(before: Measurement, after: Measurement, probes: Sequence[Probe]) -> dict[str, dict[str, Any]]:
    """What is right about the replies to the first question in new words, greedy and as chat samples them."""
    aliases_of = {probe.answer: probe.aliases for probe in probes}

    def named(answer: str) -> Sequence[str]:
        return aliases_of.get(answer) or (answer,)

    metrics: dict[str, Answered] = {
        "alias_hit": lambda probe, reply: float(alias_hit(reply, probe.aliases, probe.answer)),
        "contradiction": lambda probe, reply: float(
            contradiction(
                reply,
                probe.aliases,
                probe.answer,
                [alias for distractor in probe.distractors for alias in named(distractor)],
            )
        ),
    }

    def of(replies: Sequence[str], names: Sequence[str]) -> dict[str, Any]:
        return {
            name: interval([[metrics[name](*pair)] for pair in zip(probes, replies, strict=True)], share=name in HITS)
            for name in names
        }

    return {
        model: of(measured.greedy, list(metrics))
        | {f"sampled_{name}": value for name, value in of(measured.sampled, ["alias_hit", "contradiction"]).items()}
        for model, measured in (("base", before), ("trained", after))
    }


def _drift(before: Measurement, after: Measurement) -> list[dict[str, Any]]:
    """What else training changed, with paired differences; `worse` where the whole interval is for the worse."""
    measured: list[tuple[str, Sequence[float], Sequence[float], int]] = [
        ("control", before.control, after.control, +1),
        ("general_bits", before.general_bits, after.general_bits, -1),
        ("line_bits", before.line_bits, after.line_bits, -1),
        ("elsewhere", before.elsewhere, after.elsewhere, -1),
    ]
    rows = []
    for name, old, new, better in measured:
        if len(old) < 2:
            continue
        one, other = [[float(value)] for value in old], [[float(value)] for value in new]
        change = paired_difference(one, other)
        worse = change.high < 0 if better > 0 else change.low > 0
        rows.append(
            {
                "name": name,
                "base": interval(one, share=name in HITS),
                "trained": interval(other, share=name in HITS),
                "change": asdict(change),
                "worse": worse,
            }
        )
    return rows


def _voice(before: Sequence[str], after: Sequence[str], held_out: Sequence[str], texts: Texts) -> dict[str, Any]:
    """How much the replies sound like the character's real lines, how alike in form, how varied, how much copied.

    Where too few lines were held out, every tenth trained line stands with them; where there are too few other
    speakers' lines, the base model's replies stand for those.
    """
    if not before or not after:
        return {"base": {"replies": len(before)}, "trained": {"replies": len(after)}}
    own, real = sorted(texts.lines), list(held_out)
    if len(real) < MIN_REPLIES:
        own, real = [line for number, line in enumerate(own) if number % 10], real + own[::10]
    enough = len(texts.others) >= ENOUGH_OTHERS
    others = texts.others if enough else before
    tellable = min(len(own), len(real), len(others)) >= MIN_REPLIES
    profile = fit_voice(own, real, others, texts.names) if tellable else None
    heard = profile if profile and profile.separates else None
    return {
        "against": "other speakers" if enough else "the base model",
        "reason": "" if heard else "Its lines are too few, or too little unlike the others', to tell a voice by.",
    } | {
        model: {
            "score": asdict(voice_score(replies, heard)) if heard else None,
            "style": asdict(style_distance(replies, real)) if real else None,
            "copy_rate": copy_rate(replies, texts.trained),
            "distinct_2": distinct_2(replies),
            "replies": len(replies),
        }
        for model, replies in (("base", before), ("trained", after))
    }


def _samples(before: Measurement, after: Measurement, probes: Sequence[Probe]) -> list[dict[str, str]]:
    """Some questions with both models' replies, chosen by a hash of their ids: nobody picks the good ones."""
    chosen = {probe.fact_id for probe in choose(probes, SAMPLES)}
    return [
        {"question": probe.unseen[0], "answer": probe.answer, "asked": "unseen", "base": old, "trained": new}
        for probe, old, new in zip(probes, before.greedy, after.greedy, strict=True)
        if probe.fact_id in chosen
    ]


def _item(before: ProbeScore, after: ProbeScore, old_reply: str, new_reply: str) -> dict[str, Any]:
    probe = after.probe
    questions = [
        {
            "question": new.question,
            "asked": new.asked,
            "base_exact": old.exact,
            "trained_exact": new.exact,
            "base_first": old.rank == 1,
            "trained_first": new.rank == 1,
            "trained_mean_log_prob": new.log_prob / max(new.tokens, 1),
        }
        for old, new in zip(before.questions, after.questions, strict=True)
    ]
    return {
        "fact_id": probe.fact_id,
        "type": probe.type,
        "answer": probe.answer,
        "guessed": before.guessed,
        "base_reply": old_reply,
        "trained_reply": new_reply,
        "questions": questions,
    }
