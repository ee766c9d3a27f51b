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
REJECTED_ANSWER = "a rejected answer, by its own label"
# Whether a turn or a row may be learnt, in the words of the usual trainers.
LEARNABLE = frozenset({"weight", "train", "is_train", "trainable", "learn", "loss", "loss_mask", "loss_weight"})
MASKED = frozenset({"mask", "masked", "ignore"})
# Whether people preferred a reply, as KTO's rows say. Elsewhere a label is a mood or a class, and then no truth value.
LABELS = frozenset({"label", "kto_tag"})
ASKED = ("question", "answer")
SPANS = "train_detail"  # axolotl's: whether each part of a message may be learnt
TRUTHS: Mapping[Any, bool] = {True: True, False: False, "true": True, "false": False}
# What else changes the meaning of a row: where its form does not use it, it is an error.
CHANGES_MEANING = frozenset({"history", "system", "tools", "functions", "rejected", "chosen"})


def why_not_learnt(source: str, entry: Mapping[str, Any]) -> str:
    """Why a turn or a row may not be learnt, as far as it says itself; empty if it may be.

    `weight: 0`, `train: false`, `mask: true` rule it out, and so do a `label` of false and a part that is not trained.

    Raises:
        UnderstudyError: a weight is neither 0 nor 1.
    """
    if False in _preferences(entry).values():
        return REJECTED_ANSWER
    return NOT_LEARNT if _has_untrained_part(entry) or not _is_learnable(source, entry) else ""


def _preferences(entry: Mapping[str, Any]) -> dict[str, bool]:
    """By their keys, the labels that say whether people preferred the reply; a question's own label is its class."""
    if not LABELS & entry.keys() or any(isinstance(key, str) and key.lower() in ASKED for key in entry):
        return {}
    truths = {key: _truth(entry.get(key)) for key in LABELS}
    return {key: truth for key, truth in truths.items() if truth is not None}


def _truth(value: Any) -> bool | None:
    """The truth value, be it written out as in a table or not; None of anything else, numbers among it."""
    return TRUTHS.get(value.lower() if isinstance(value, str) else value) if isinstance(value, bool | str) else None


def _has_untrained_part(entry: Mapping[str, Any]) -> bool:
    """Whether a part of the message is not to be learnt; then none of it is, since a line is learnt whole."""
    parts = entry.get(SPANS)
    return isinstance(parts, list) and any(isinstance(one, Mapping) and one.get("train") is False for one in parts)


def _is_learnable(source: str, entry: Mapping[str, Any]) -> bool:
    """Whether its weights and masks let it be learnt.

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
    known = {*used, *LEARNABLE, *MASKED, SPANS, *_preferences(entry)}
    for key in (key for key in entry if key not in known):  # in the file's order, so that reports can be compared
        is_prompt = key != "system" or not isinstance(entry[key], Mapping)  # a game's data, otherwise
        if key in CHANGES_MEANING and entry[key] and is_prompt:
            raise UnderstudyError(
                source,
                f"has {key!r}, which changes what it means, and its form is read without it",
                fix=f"write it in a form that has it (README.md, Input formats), or delete {key!r}",
            )
        counts[str(key)] += 1
