"""The keys of a row: those that its form uses, those that decide what may be learnt, and all others, which are counted.

A key such as `weight` or `history` changes what a row means. It is used, or it is an error: passed over, it would have
something learnt that its author ruled out, or leave out what stood before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import UnderstudyError

NOT_LEARNT = "not to be learnt, by its own weight"
# Whether a turn or a row may be learnt, in the words of the usual trainers.
LEARNABLE = frozenset({"weight", "train", "is_train", "trainable", "learn", "loss", "loss_mask", "loss_weight"})
MASKED = frozenset({"mask", "masked", "ignore"})
# What else changes the meaning of a row: where its form does not use it, it is an error.
CHANGES_MEANING = frozenset({"history", "system", "tools", "functions", "rejected", "chosen"})


def is_learnable(source: str, entry: Mapping[str, Any]) -> bool:
    """Whether a turn or a row may be learnt, as far as it says: `weight: 0`, `train: false`, `mask: true` rule it out.

    Raises:
        UnderstudyError: a weight is neither 0 nor 1.
    """
    for key in (LEARNABLE | MASKED) & entry.keys():
        value = entry[key]
        if value is None:
            continue
        if value not in (0, 1, "0", "1", "true", "false", "True", "False"):
            raise UnderstudyError(
                source,
                f"has {key!r} of {value!r}, and a record is learnt or not",
                fix="write 0 or 1; kinds of records are weighted by `settings_weight` and `kind_weights` in the recipe",
            )
        if (value in (1, "1", "true", "True")) == (key in MASKED):
            return False
    return True


def count_unused(source: str, entry: Mapping[str, Any], used: Iterable[str], counts: Counter[str]) -> None:
    """Count the entry's keys that its form does not use.

    Raises:
        UnderstudyError: one of them changes what the entry means.
    """
    known = {*used, *LEARNABLE, *MASKED}
    for key in (key for key in entry if key not in known):  # in the file's order, so that reports can be compared
        is_prompt = key != "system" or not isinstance(entry[key], Mapping)  # a game's data, otherwise
        if key in CHANGES_MEANING and entry[key] and is_prompt:
            raise UnderstudyError(
                source,
                f"has {key!r}, which changes what it means, and its form is read without it",
                fix=f"write it in a form that has it (README.md, Input formats), or delete {key!r}",
            )
        counts[str(key)] += 1
