"""Base and trained model on the same probes: the numbers, the items behind them, and some answers to read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import chat_prompt, user
from pipeline.models.generate import generate_reply
from pipeline.recall.probes import Probe, choose
from pipeline.recall.scoring import ProbeScore, score_probes, summarise
from pipeline.recall.statistics import Proportion

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAMPLES = 5
METRICS = {
    "seen_exact": "word for word, asked as trained",
    "unseen_exact": "word for word, asked in new words",
    "seen_at_1": "ranked first, asked as trained",
    "unseen_at_1": "ranked first, asked in new words",
}


def measure(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    probes: Sequence[Probe],
    persona: Persona,
    progress: Callable[[int, int], None],
) -> tuple[list[ProbeScore], list[dict[str, str]]]:
    """One model's scores on every probe, and its greedy replies to the sample questions."""
    scores = score_probes(model, tokenizer, probes, persona, progress=progress)
    replies = [
        {
            "question": probe.unseen[0],
            "answer": probe.answer,
            "asked": "unseen",
            "reply": generate_reply(model, tokenizer, chat_prompt(persona, (user(probe.unseen[0]),))),
        }
        for probe in choose(probes, SAMPLES)  # by a hash of their ids: nobody picks the good ones
    ]
    return scores, replies


def compare(
    base: tuple[list[ProbeScore], list[dict[str, str]]],
    trained: tuple[list[ProbeScore], list[dict[str, str]]],
    distractors: int,
) -> dict[str, Any]:
    """What `recall --json` writes: headline, metrics with intervals, samples and every item, before and after."""
    before, after = base[0], trained[0]
    return {
        "headline": {
            "facts": len(after),
            "seen": sum(score.seen.exact for score in after),
            "unseen": _unseen_hits(after),
            "unseen_questions": sum(len(score.unseen) for score in after),
            "base_seen": sum(score.seen.exact for score in before),
            "base_unseen": _unseen_hits(before),
        },
        "recall": {
            "base": {name: asdict(share) for name, share in summarise(before).items()},
            "trained": {name: asdict(share) for name, share in summarise(after).items()},
        },
        "distractors": distractors,
        "samples": [
            {**_without_reply(old), "base": old["reply"], "trained": new["reply"]}
            for old, new in zip(base[1], trained[1], strict=True)
        ],
        "items": [_item(old, new) for old, new in zip(before, after, strict=True)],
    }


def format_recall(recall: Mapping[str, Mapping[str, Mapping[str, float]]], distractors: int) -> str:
    """The four metrics before and after, each with its 95% interval, as a plain table."""
    lines = [f"{'settings recall':<36}{'before':>22}{'after':>24}"]
    for name, meaning in METRICS.items():
        before, after = (format_share(Proportion(**recall[model][name])) for model in ("base", "trained"))  # type: ignore[arg-type]
        lines.append(f"{meaning:<36}{before:>22}{after:>24}")
    lines.append(f"(ranked first: among {distractors} other true answers; in brackets: 95% intervals)")
    return "\n".join(lines)


def format_share(share: Proportion) -> str:
    """`.97 [.90, .99]`."""
    return f"{share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"


def format_samples(samples: Sequence[Mapping[str, str]]) -> str:
    """Questions with the expected answer and both models' replies."""
    return "\n".join(
        f"\n{sample['question']}\n  before: {_one_line(sample['base'])}\n  after:  {_one_line(sample['trained'])}\n"
        f"  (fact:  {sample['answer']})"
        for sample in samples
    )


def _unseen_hits(scores: Sequence[ProbeScore]) -> int:
    return sum(question.exact for score in scores for question in score.unseen)


def _item(before: ProbeScore, after: ProbeScore) -> dict[str, Any]:
    probe = after.probe
    pairs = [
        ("seen", before.seen, after.seen),
        *(("unseen", old, new) for old, new in zip(before.unseen, after.unseen, strict=True)),
    ]
    questions = [
        {
            "question": new.question,
            "asked": asked,
            "base_exact": old.exact,
            "trained_exact": new.exact,
            "base_first": old.first,
            "trained_first": new.first,
        }
        for asked, old, new in pairs
    ]
    return {"fact_id": probe.fact_id, "type": probe.type, "answer": probe.answer, "questions": questions}


def _without_reply(sample: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in sample.items() if name != "reply"}


def _one_line(text: str) -> str:
    return " ".join(text.split())
