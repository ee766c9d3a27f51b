"""The findings as a plain table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

RECALL = {
    "seen_exact": "word for word, asked as trained",
    "unseen_exact": "word for word, asked in new words",
    "amid_exact": "the same, amid a conversation",
    "seen_at_1": "ranked first, asked as trained",
    "unseen_at_1": "ranked first, asked in new words",
}
GAPS = {"exact": "word for word, trained - new", "at_1": "ranked first, trained - new"}
ANSWERS = {
    "alias_hit": "says it, asked in new words",
    "sampled_alias_hit": "says it, as chat samples",
    "contradiction": "says another fact's answer instead",
}
DRIFT = {
    "control": "control questions right",
    "general_bits": "general text, bits a character",
    "line_bits": "held-out lines, bits a character",
    "elsewhere": "facts told as somebody else",
}


def format_findings(found: Mapping[str, Any]) -> str:
    """Recall, answers and drift, before and after, each with its 95% interval."""
    recall, answers = found["recall"], found["answers"]
    lines = [f"{'':<42}{'before':>20}{'after':>22}"]
    lines += [
        _row(title, recall["base"][name], recall["trained"][name])
        for name, title in RECALL.items()
        if name in recall["base"]
    ]
    lines += [
        _row(f"the gap: {title}", found["gaps"]["base"][name], found["gaps"]["trained"][name])
        for name, title in GAPS.items()
        if name in found["gaps"]["base"]
    ]
    lines += ["", *(_row(title, answers["base"][name], answers["trained"][name]) for name, title in ANSWERS.items())]
    lines += [
        "",
        *(
            _row(DRIFT[row["name"]], row["base"], row["trained"]) + ("  worse" if row["worse"] else "")
            for row in found["drift"]
        ),
    ]
    lines.append(
        f"(ranked first: among {found['distractors']} other true answers"
        + (f", without {len(found['guessed'])} facts guessed without a question" if found["guessed"] else "")
        + "; in brackets: 95% intervals)"
    )
    return "\n".join(lines)


def format_outcome(outcome: Mapping[str, float]) -> str:
    """`0.97 [0.90, 0.99]`."""
    return f"{outcome['value']:.2f} [{outcome['low']:.2f}, {outcome['high']:.2f}]"


def format_samples(samples: Sequence[Mapping[str, str]]) -> str:
    """Questions with the expected answer and both models' replies."""
    return "\n".join(
        f"\n{sample['question']}\n  before: {_one_line(sample['base'])}\n  after:  {_one_line(sample['trained'])}\n"
        f"  (fact:  {sample['answer']})"
        for sample in samples
    )


def _row(title: str, before: Mapping[str, float], after: Mapping[str, float]) -> str:
    return f"{title:<42}{format_outcome(before):>20}{format_outcome(after):>22}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
