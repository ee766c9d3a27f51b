"""The findings as a plain table in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.terminal import display_width, padded

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
BLEED = {"exact": "word for word", "first": "ranked first"}
WHOSE = {
    "own": "a character's own facts",
    "others": "other characters' facts",
    "base": "the untouched model, all facts",
}
UNTOUCHED = "(untouched)"
MOST_COLUMNS = 8  # of a matrix in the terminal
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


def format_bleed(bleed: Mapping[str, Any]) -> str:
    """The matrix of bleed, where it is small enough for a terminal, and what it says in short."""
    lines = [
        f"Whose facts does each know? One question in new words for each fact, asked under the name on the left; "
        f"ranked first: among {bleed['distractors']} other true answers."
    ]
    if len(bleed["columns"]) <= MOST_COLUMNS:
        lines += [f"\n{title}, of the facts of\n{_matrix(bleed, outcome)}" for outcome, title in BLEED.items()]
    lines.append(f"\n{'':<42}{'word for word':>20}{'ranked first':>22}")
    exact, first = bleed["summary"]["exact"], bleed["summary"]["first"]
    lines += [_row(title, exact[key], first[key]) for key, title in WHOSE.items() if key in exact]
    for pair in bleed["bleeding"]:
        lines.append(
            f"bleeds: {pair['asked']} knows of {pair['of']}, ranked first {format_change(pair)} against the untouched"
        )
    if bleed["bleeding"] and bleed["by_chance"]:
        lines.append(f"(of {bleed['pairs']} pairs; about {bleed['by_chance']} would be listed by chance alone)")
    return "\n".join(lines)


def _matrix(bleed: Mapping[str, Any], outcome: str) -> str:
    names = [row["name"] for row in bleed["rows"]]
    left = max(map(display_width, [*names, UNTOUCHED])) + 2
    widths = [max(6, display_width(column["name"])) + 2 for column in bleed["columns"]]
    heads = [
        " " * (width - display_width(one["name"])) + one["name"]
        for one, width in zip(bleed["columns"], widths, strict=True)
    ]
    lines = [" " * left + "".join(heads)]
    for name, shares in [*((row["name"], row[outcome]) for row in bleed["rows"]), (UNTOUCHED, bleed["base"][outcome])]:
        cells = "".join(f"{share:>{width}.2f}" for share, width in zip(shares, widths, strict=True))
        lines.append(padded(name, left) + cells)
    return "\n".join(lines)


def format_change(change: Mapping[str, float]) -> str:
    """`+0.12 [+0.03, +0.20]`."""
    return f"{change['value']:+.2f} [{change['low']:+.2f}, {change['high']:+.2f}]"


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
