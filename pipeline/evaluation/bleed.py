"""Bleed: what each character knows of the others' facts, which is theirs to know and not its own.

Row A, column B is asked as A is deployed: by A's model, under A's chat prompt, one question in new words for each of
B's facts, whose answer has to win against other true answers of B. The diagonal is recall; off it, what exceeds the
untouched model has bled from one character into another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import chat_prompt, user
from pipeline.evaluation.metrics.statistics import Estimate, estimate, paired_difference
from pipeline.evaluation.probes.probe import Probe, sample_probes, with_distractors
from pipeline.models.generate import generate_replies
from pipeline.models.reply_scores import compare_replies
from pipeline.models.scores import ReplyScore
from pipeline.terminal import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Outcome = Literal["exact", "first"]
MOST_SAMPLES = 6  # rows whose reply to another's question is kept, to be read
ABOVE_BY_CHANCE = 0.025  # of pairs that do not bleed, a 95% interval stands above the untouched model's
MOST_PAIRS = 20  # that are named as bleeding, the worst first


@dataclass(frozen=True, slots=True)
class BleedColumn:
    """A character's column: some of its facts, each with its distractors."""

    persona: Persona
    probes: Sequence[Probe]


@dataclass(frozen=True, slots=True)
class CrossSample:
    """What was said to a question that is another's to answer."""

    of: str
    question: str
    answer: str
    reply: str


@dataclass(frozen=True, slots=True)
class BleedCell:
    """A column's facts, asked of one character: which it knows word for word, and whose answers it ranks first."""

    exact: list[bool]
    first: list[bool]

    def hits(self, outcome: Outcome) -> list[bool]:
        """The outcome of each fact."""
        return self.exact if outcome == "exact" else self.first


@dataclass(frozen=True, slots=True)
class BleedRow:
    """One character asked for everybody's facts: a cell for each column."""

    cells: Sequence[BleedCell]
    sample: CrossSample | None = None


@dataclass(frozen=True, slots=True)
class ColumnSize:
    """How many facts a column asks for."""

    name: str
    facts: int


@dataclass(frozen=True, slots=True)
class HitShares:
    """Of each column the share of facts known word for word, and ranked first."""

    exact: tuple[float, ...]
    first: tuple[float, ...]

    def of(self, outcome: Outcome) -> tuple[float, ...]:
        """The shares by one outcome."""
        return self.exact if outcome == "exact" else self.first


@dataclass(frozen=True, slots=True)
class Overall:
    """All facts asked of whom they are of, of everybody else, and of the untouched model; None if nobody is asked."""

    own: Estimate | None
    others: Estimate | None
    base: Estimate | None

    def present(self) -> dict[str, Estimate]:
        """Those that there are, by name."""
        named = {"own": self.own, "others": self.others, "base": self.base}
        return {name: outcome for name, outcome in named.items() if outcome}


@dataclass(frozen=True, slots=True)
class BleedingPair:
    """`asked` ranks more of the facts `of` another first than the untouched model, by `value`; with its interval."""

    asked: str
    of: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Bleed:
    """The matrix with what it says in short. `shared`: all rows are of one adapter.

    Of `pairs` of different characters about `by_chance` would be listed as bleeding if none did.
    """

    model: str
    shared: bool
    columns: tuple[ColumnSize, ...]
    distractors: int
    rows: Mapping[str, HitShares]
    base: HitShares
    exact: Overall
    first: Overall
    pairs: int
    by_chance: int
    bleeding: tuple[BleedingPair, ...]
    samples: Mapping[str, CrossSample]

    def to_json(self) -> dict[str, Any]:
        """As `bleed.json` has it."""
        overall = {"exact": self.exact, "first": self.first}
        return {
            "model": self.model,
            "shared": self.shared,
            "columns": [asdict(column) for column in self.columns],
            "distractors": self.distractors,
            "rows": [{"name": name} | asdict(shares) for name, shares in self.rows.items()],
            "base": asdict(self.base),
            "summary": {
                outcome: {name: asdict(figure) for name, figure in figures.present().items()}
                for outcome, figures in overall.items()
            },
            "pairs": self.pairs,
            "by_chance": self.by_chance,
            "bleeding": [asdict(pair) for pair in self.bleeding],
            "samples": [{"asked": name} | asdict(sample) for name, sample in self.samples.items()],
        }


def make_column(persona: Persona, probes: Sequence[Probe], count: int, *, distractors: int) -> BleedColumn:
    """The column of a character: `count` of its facts, always the same ones."""
    return BleedColumn(persona, sample_probes(with_distractors(probes, distractors), count))


def score_cells(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    persona: Persona | None,
    columns: Sequence[BleedColumn],
    progress: Progress | None = None,
) -> list[BleedCell]:
    """Everybody's facts asked of `persona`; without one, each character's own of itself, as the untouched model is."""
    questions = [(persona or column.persona, probe) for column in columns for probe in column.probes]
    prompts = [chat_prompt(asked, (user(probe.unseen[0]),)) for asked, probe in questions]
    options = [(probe.answer, *probe.distractors) for _, probe in questions]
    scored = iter(compare_replies(model, tokenizer, prompts, options, progress=progress) if questions else ())
    return [_cell([next(scored) for _ in column.probes]) for column in columns]


def _cell(answers: Sequence[tuple[ReplyScore, bool]]) -> BleedCell:
    return BleedCell([answer.exact for answer, _ in answers], [first for _, first in answers])


def sample_reply(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, persona: Persona, of: BleedColumn
) -> CrossSample:
    """What `persona` says when asked for somebody else's fact."""
    probe = of.probes[0]
    (reply,) = generate_replies(model, tokenizer, [chat_prompt(persona, (user(probe.unseen[0]),))])
    return CrossSample(of.persona.name, probe.unseen[0], probe.answer, reply)


def choose_cross_probe(names: Sequence[str], columns: Sequence[BleedColumn]) -> dict[str, BleedColumn]:
    """For the first few characters, the column whose question each is given to answer: the next one's after its own."""
    order = [column.persona.name for column in columns]
    chosen = {}
    for number, name in enumerate(names[:MOST_SAMPLES]):
        place = order.index(name) + 1 if name in order else number
        other = columns[place % len(columns)]
        if other.persona.name != name:
            chosen[name] = other
    return chosen


def summarise_bleed(
    rows: Mapping[str, BleedRow], base: BleedRow, columns: Sequence[BleedColumn], *, model: str, shared: bool
) -> Bleed:
    """The matrix of these rows, and of the untouched model's row `base`, with what it says in short."""
    names = [column.persona.name for column in columns]
    pairs = len(rows) * len(names) - len(rows.keys() & set(names))
    return Bleed(
        model=model,
        shared=shared,
        columns=tuple(ColumnSize(column.persona.name, len(column.probes)) for column in columns),
        distractors=min(len(probe.distractors) for column in columns for probe in column.probes),
        rows={name: _shares(row) for name, row in rows.items()},
        base=_shares(base),
        exact=_overall(rows, base, names, "exact"),
        first=_overall(rows, base, names, "first"),
        pairs=pairs,
        by_chance=round(ABOVE_BY_CHANCE * pairs),
        bleeding=_bleeding(rows, base, names),
        samples={name: row.sample for name, row in rows.items() if row.sample},
    )


def _shares(row: BleedRow) -> HitShares:
    return HitShares(
        exact=tuple(sum(cell.exact) / len(cell.exact) for cell in row.cells),
        first=tuple(sum(cell.first) / len(cell.first) for cell in row.cells),
    )


def _overall(rows: Mapping[str, BleedRow], base: BleedRow, names: Sequence[str], outcome: Outcome) -> Overall:
    own: list[list[float]] = []
    others: list[list[float]] = []
    untouched: list[list[float]] = []
    for number, name in enumerate(names):
        for fact, hit in enumerate(base.cells[number].hits(outcome)):
            untouched.append([float(hit)])
            answered = {asked: float(row.cells[number].hits(outcome)[fact]) for asked, row in rows.items()}
            own += [[answered[name]]] if name in answered else []
            others.append([value for asked, value in answered.items() if asked != name])
    return Overall(*(_share(values) for values in (own, [of_fact for of_fact in others if of_fact], untouched)))


def _share(values: Sequence[Sequence[float]]) -> Estimate | None:
    return estimate(values, share=True) if values else None


def _bleeding(rows: Mapping[str, BleedRow], base: BleedRow, names: Sequence[str]) -> tuple[BleedingPair, ...]:
    """The pairs that rank more of the other's facts first than the untouched model, the whole interval above it."""
    found = []
    for asked, row in rows.items():
        for number, of in enumerate(names):
            before, after = ([[float(hit)] for hit in one.cells[number].first] for one in (base, row))
            if of == asked or len(after) < 2 or sum(map(sum, after)) <= sum(map(sum, before)):
                continue
            change = paired_difference(before, after)
            if change.low > 0:
                found.append(BleedingPair(asked, of, change.value, change.low, change.high))
    return tuple(sorted(found, key=lambda pair: -pair.value)[:MOST_PAIRS])
