"""Results of recall, the bleed matrix and comparisons as plain tables in the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict

from pipeline.evaluation.bleed import Bleed, BleedingPair, Outcome
from pipeline.evaluation.comparison import ComparedPrice, ComparedRun, Comparison
from pipeline.evaluation.labels import (
    ANSWERS,
    BLEED,
    COMPARED,
    CONDUCT,
    DRIFT,
    GAPS,
    MADE_BY,
    MISSES,
    OVER_SEEDS,
    QUICK,
    RECALL,
    WHOSE_FACTS,
)
from pipeline.evaluation.metrics.statistics import Difference, Estimate
from pipeline.evaluation.report.words import plain_words_of
from pipeline.evaluation.results import RecallResults, Sample
from pipeline.terminal import display_width, padded

UNTOUCHED = "(untouched)"
MOST_COLUMNS = 8  # of a matrix in the terminal


def format_results(found: RecallResults, language: str = "en") -> str:
    """Recall, answers and drift, before and after, each with its 95% interval; in the character's language."""
    recall, gaps, answers, say = found.recall, found.gaps, found.answers, plain_words_of(language)
    lines = [
        f"{'':<42}{_right(say('before'), 20)}{_right(say('after'), 22)}",
        *(_row(say(RECALL[key].title), recall.base[key], recall.trained[key]) for key in RECALL if key in recall.base),
        *(_row(say(GAPS[one].title), gaps.base[one], gaps.trained[one]) for one in GAPS if one in gaps.base),
        "",
        *(
            _row(say(name.title), pick(answers.base), after)
            for pick, name in ANSWERS
            if (after := pick(answers.trained))
        ),
        "",
        *(_row(say(CONDUCT[row.name].title), row.base, row.trained) for row in found.conduct),
        *[""] * bool(found.conduct),
        *(
            _row(say(DRIFT[row.name].title), row.base, row.trained) + f"  {say('worse')}" * row.worse
            for row in found.drift
        ),
        *(say("({note})", note=note) for note in _notes(found, say)),
    ]
    return "\n".join(lines)


def _notes(found: RecallResults, say: Callable[..., str]) -> Iterator[str]:
    """What is said below the figures, of the questions, the misses, the ranks and the exam."""
    by_whom = say(", ").join(f"{count} {say(MADE_BY[by])}" for by, count in found.made_by.items())
    yield say("questions in new words: {by_whom}", by_whom=by_whom)
    if found.misses.questions:
        yield say(MISSES, **asdict(found.misses))
    yield _ranked_among(found, say)
    if found.extent == "quick":
        yield say(QUICK)


def _ranked_among(found: RecallResults, say: Callable[..., str]) -> str:
    """What stands beside an answer that is ranked first, and what the brackets are."""
    guessed = len(found.guessed)
    without = say(", without {count} facts guessed without a question", count=guessed) if guessed else ""
    among = "ranked first: among {distractors} other true answers{guessed}; in brackets: 95% intervals"
    return say(among, distractors=found.distractors, guessed=without)


def format_samples(samples: Sequence[Sample], language: str = "en") -> str:
    """Questions with the expected answer and both models' replies; in the character's language."""
    say = plain_words_of(language)
    return "\n".join(
        f"\n{sample.question}\n"
        f"  {say('before: {reply}', reply=_one_line(sample.base))}\n"
        f"  {say('after:  {reply}', reply=_one_line(sample.trained))}\n"
        f"  {say('(fact:  {answer})', answer=sample.answer)}"
        for sample in samples
    )


def format_bleed(bleed: Bleed) -> str:
    """The matrix of bleed, where it is small enough for a terminal, and what it says in short."""
    lines = [
        f"Whose facts does each know? One question in new words for each fact, asked under the name on the left; "
        f"ranked first: among {bleed.distractors} other true answers."
    ]
    if len(bleed.columns) <= MOST_COLUMNS:
        lines += [f"\n{label.title}, of the facts of\n{_matrix(bleed, outcome)}" for outcome, label in BLEED.items()]
    lines.append(f"\n{'':<42}{BLEED['exact'].title:>20}{BLEED['first'].title:>22}")
    exact, first = bleed.exact.present(), bleed.first.present()
    lines += [_row(title, exact[key], first[key]) for key, title in WHOSE_FACTS.items() if key in exact]
    lines += [
        f"bleeds: {pair.asked} knows of {pair.of}, ranked first {format_change(pair)} against the untouched"
        for pair in bleed.bleeding
    ]
    if bleed.bleeding and bleed.by_chance:
        lines.append(f"(of {bleed.pairs} pairs; about {bleed.by_chance} would be listed by chance alone)")
    return "\n".join(lines)


def format_comparison(comparison: Comparison) -> str:
    """Each row's outcomes, beside them their differences from the first row's, and then what the runs paid."""
    width = max(len(row.name) for row in comparison.rows)
    lines = [f"{comparison.facts} facts; in brackets: 95% intervals, of differences paired fact by fact"]
    if comparison.over_seeds:
        lines.append(OVER_SEEDS)
    for number, key in enumerate(comparison.metrics):
        lines.append(f"\n{COMPARED[key].title}")
        for row in comparison.rows:
            outcome = row.outcomes[number]
            change = f"   {format_change(outcome.change)}" if outcome.change else ""
            each = f"   ({' '.join(f'{value:.2f}' for value in outcome.each)})" if outcome.each else ""
            lines.append(f"  {row.name:<{width}}  {format_outcome(outcome.value)}{change}{each}")
    for name in comparison.prices:
        lines.append(f"\n{DRIFT[name].title}")
        for row in comparison.rows:
            price = row.prices[name]
            lines.append(f"  {row.name:<{width}}  {price.value:.2f}   base {price.base:.2f}{_worse(row, price)}")
    return "\n".join(lines)


def _worse(row: ComparedRun, price: ComparedPrice) -> str:
    if len(row.seeds) > 1:
        return f"   worse with {price.worse} of {len(row.seeds)} seeds" if price.worse else ""
    return "   worse" if price.worse else ""


def format_change(change: Difference | BleedingPair) -> str:
    """`+0.12 [+0.03, +0.20]`."""
    return f"{change.value:+.2f} [{change.low:+.2f}, {change.high:+.2f}]"


def format_outcome(outcome: Estimate | Difference) -> str:
    """`0.97 [0.90, 0.99]`."""
    return f"{outcome.value:.2f} [{outcome.low:.2f}, {outcome.high:.2f}]"


def _matrix(bleed: Bleed, outcome: Outcome) -> str:
    left = max(map(display_width, [*bleed.rows, UNTOUCHED])) + 2
    widths = [max(6, display_width(column.name)) + 2 for column in bleed.columns]
    heads = [_right(column.name, width) for column, width in zip(bleed.columns, widths, strict=True)]
    lines = [" " * left + "".join(heads)]
    for name, shares in [*bleed.rows.items(), (UNTOUCHED, bleed.base)]:
        cells = "".join(f"{share:>{width}.2f}" for share, width in zip(shares.of(outcome), widths, strict=True))
        lines.append(padded(name, left) + cells)
    return "\n".join(lines)


def _row(title: str, before: Estimate | Difference | None, after: Estimate | Difference) -> str:
    return f"{padded(title, 42)}{format_outcome(before) if before else '':>20}{format_outcome(after):>22}"


def _right(word: str, width: int) -> str:
    return " " * (width - display_width(word)) + word


def _one_line(text: str) -> str:
    return " ".join(text.split())
