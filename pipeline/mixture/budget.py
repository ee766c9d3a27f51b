"""How long a run is, from what there is to learn: exposures of a fact first, steps after."""

from __future__ import annotations

import math
from dataclasses import dataclass

MIN_STEPS = 100  # fewer do not bring a learning rate up and down; few facts are then seen more often
ROUNDED_UP = 2  # exposures by which a record may exceed the plan, beside its share of what fills the last step
MOST_EXPOSURES = 3.0  # times the exposures asked for, at most, to fill these steps
PASSAGE_SHARE = 0.2  # exposures of a passage for each of a fact: a passage has many times the tokens
LINES_BESIDE = 0.25  # the lines' share of the rows of facts, where the lines are few and have to be repeated
MOST_PASSES = 4  # over the lines: more of the same would be learnt by heart


@dataclass(frozen=True, slots=True)
class Budget:
    """Exposures over the whole run: of each fact, each passage and each line; and of all boundary rows together."""

    fact: int
    passage: int
    line: int
    boundaries: int


def plan_budget(
    *, facts: int, passages: int, lines: int, exposures: int, boundaries: float, rows_per_step: int, most: int
) -> Budget:
    """The exposures of a run that ends when each fact has been seen `exposures` times, or more often if they are few.

    More often is never more than `most` times. `boundaries` is the share of boundary rows among the rows that are not
    lines. Lines are all seen once; where they are few beside the facts they are repeated, `MOST_PASSES` times at most.
    """
    scale = MIN_STEPS * rows_per_step / max(facts * exposures, 1)
    filled = ROUNDED_UP + math.ceil((rows_per_step - 1) * (1 - boundaries) / max(facts, 1))
    more = min(round(exposures * min(max(scale, 1.0), MOST_EXPOSURES)), most - filled)
    fact = max(more, exposures) if facts else 0
    passage = max(1, round(PASSAGE_SHARE * (fact or exposures))) if passages else 0
    settings = facts * fact + passages * passage
    line = min(max(1, round(LINES_BESIDE * settings / lines)), MOST_PASSES) if lines else 0
    return Budget(fact, passage, line, round(settings * boundaries / (1 - boundaries)))
