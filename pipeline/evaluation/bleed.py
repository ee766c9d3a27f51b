"""Bleed: what each character knows of the others' facts, which is theirs to know and not its own.

Row A, column B is asked as A is deployed: by A's model, under A's chat prompt, one question in new words for each of
B's facts, whose answer has to win against other true answers of B. The diagonal is recall; off it, what exceeds the
untouched model has bled from one character into another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import chat_prompt, user
from pipeline.evaluation.metrics.replies import rank_of_gold
from pipeline.evaluation.metrics.statistics import paired_difference
from pipeline.evaluation.metrics.summary import interval
from pipeline.evaluation.probes.probe import Probe, choose, with_distractors
from pipeline.evaluation.scoring import ReplyScore, score_replies
from pipeline.models.generate import generate_replies

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Outcome = Literal["exact", "first"]
OUTCOMES: tuple[Outcome, ...] = ("exact", "first")
MATRIX_FACTS = 16  # of each character, unless more or fewer are asked for
MOST_SAMPLES = 6  # rows whose reply to another's question is kept, to be read
ABOVE_BY_CHANCE = 0.025  # of pairs that do not bleed, a 95% interval stands above the untouched model's
MOST_PAIRS = 20  # that are named as bleeding, the worst first


@dataclass(frozen=True, slots=True)
class Facts:
    """A character's column: some of its facts, each with the answers that it has to be told from."""

    persona: Persona
    probes: Sequence[Probe]


@dataclass(frozen=True, slots=True)
class Sample:
    """What was said to a question that is another's to answer."""

    of: str
    question: str
    answer: str
    reply: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A column's facts as one asked for them: which were known word for word, and whose answers were ranked first."""

    exact: list[bool]
    first: list[bool]


@dataclass(frozen=True, slots=True)
class Row:
    """One character asked for everybody's facts: a cell for each column."""

    cells: Sequence[Cell]
    sample: Sample | None = None


def facts_of(persona: Persona, probes: Sequence[Probe], count: int, *, distractors: int) -> Facts:
    """The column of a character: `count` of its facts, always the same ones."""
    return Facts(persona, choose(with_distractors(probes, distractors), count))


def ask(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    persona: Persona | None,
    columns: Sequence[Facts],
    progress: Callable[[int, int], None] | None = None,
) -> list[Cell]:
    """Everybody's facts asked of `persona`; without one, each character's own of itself, as the untouched model is."""
    asked = [(persona or column.persona, probe) for column in columns for probe in column.probes]
    prompts = [chat_prompt(whom, (user(probe.unseen[0]),)) for whom, probe in asked]
    options = [(probe.answer, *probe.distractors) for _, probe in asked]
    scored = iter(score_replies(model, tokenizer, prompts, options, progress=progress) if asked else ())
    return [_cell([next(scored) for _ in column.probes]) for column in columns]


def _cell(answers: Sequence[Sequence[ReplyScore]]) -> Cell:
    ranks = [rank_of_gold(gold.mean_log_prob, [one.mean_log_prob for one in others]) for gold, *others in answers]
    return Cell([gold.exact for gold, *_ in answers], [rank == 1 for rank in ranks])


def sample_reply(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona, of: Facts) -> Sample:
    """What `persona` says when asked for somebody else's fact."""
    probe = of.probes[0]
    (reply,) = generate_replies(model, tokenizer, [chat_prompt(persona, (user(probe.unseen[0]),))])
    return Sample(of.persona.name, probe.unseen[0], probe.answer, reply)


def choose_cross_probe(names: Sequence[str], columns: Sequence[Facts]) -> dict[str, Facts]:
    """For the first few characters, the column whose question each is given to answer: the next one's after its own."""
    order = [column.persona.name for column in columns]
    chosen = {}
    for number, name in enumerate(names[:MOST_SAMPLES]):
        place = order.index(name) + 1 if name in order else number
        other = columns[place % len(columns)]
        if other.persona.name != name:
            chosen[name] = other
    return chosen


def bleed_of(
    rows: Mapping[str, Row], base: Row, columns: Sequence[Facts], *, model: str, shared: bool
) -> dict[str, Any]:
    """The matrix with what it says in short, as JSON takes it. `shared` says that all rows are of one adapter."""
    names = [column.persona.name for column in columns]
    pairs = len(rows) * len(names) - len(rows.keys() & set(names))
    return {
        "model": model,
        "shared": shared,
        "columns": [{"name": name, "facts": len(column.probes)} for name, column in zip(names, columns, strict=True)],
        "distractors": min(len(probe.distractors) for column in columns for probe in column.probes),
        "rows": [{"name": name} | _shares(row) for name, row in rows.items()],
        "base": _shares(base),
        "summary": {outcome: _summary(rows, base, names, outcome) for outcome in OUTCOMES},
        "pairs": pairs,
        "by_chance": round(ABOVE_BY_CHANCE * pairs),
        "bleeding": _bleeding(rows, base, names),
        "samples": [{"asked": name} | asdict(row.sample) for name, row in rows.items() if row.sample],
    }


def _hits(row: Row, outcome: Outcome) -> list[list[bool]]:
    return [cell.exact if outcome == "exact" else cell.first for cell in row.cells]


def _shares(row: Row) -> dict[str, list[float]]:
    """Of each column the share of hits."""
    return {outcome: [sum(hits) / len(hits) for hits in _hits(row, outcome)] for outcome in OUTCOMES}


def _summary(rows: Mapping[str, Row], base: Row, names: Sequence[str], outcome: Outcome) -> dict[str, Any]:
    """Over all facts: asked of whom they are of, asked of everybody else, and of the untouched model."""
    own: list[list[float]] = []
    others: list[list[float]] = []
    untouched: list[list[float]] = []
    for number, name in enumerate(names):
        for fact, hit in enumerate(_hits(base, outcome)[number]):
            untouched.append([float(hit)])
            answered = {whose: float(_hits(row, outcome)[number][fact]) for whose, row in rows.items()}
            own += [[answered[name]]] if name in answered else []
            others.append([value for whose, value in answered.items() if whose != name])
    told = {"own": own, "others": [of_fact for of_fact in others if of_fact], "base": untouched}
    return {name: interval(values, share=True) for name, values in told.items() if values}


def _bleeding(rows: Mapping[str, Row], base: Row, names: Sequence[str]) -> list[dict[str, Any]]:
    """The pairs that rank more of the other's facts first than the untouched model, the whole interval above it."""
    found = []
    for asked, row in rows.items():
        for number, of in enumerate(names):
            before, after = ([[float(hit)] for hit in one.cells[number].first] for one in (base, row))
            if of == asked or len(after) < 2 or sum(map(sum, after)) <= sum(map(sum, before)):
                continue
            change = paired_difference(before, after)
            if change.low > 0:
                found.append({"asked": asked, "of": of, **asdict(change)})
    return sorted(found, key=lambda pair: -pair["value"])[:MOST_PAIRS]
