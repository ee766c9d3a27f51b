"""Which field of some rows has the names of people: by the character's own in it, or by names that come again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pipeline.records.names import spelling

LONGEST_NAME = 20  # characters
AGAIN = 0.5  # of the values are different ones at most, where they come again


def field_naming(fields: Mapping[str, Sequence[Any]], names: Collection[str]) -> str | None:
    """The first field in which one of the names stands as a whole value."""
    own = {spelling(name) for name in names}
    return next((field for field, values in fields.items() if own & {*map(spelling, _texts(values))}), None)


def may_name_several(values: Sequence[Any]) -> bool:
    """Whether the values are short and come again, as the names of those who speak do."""
    texts = [text for text in _texts(values) if text]
    different = {*texts}
    is_short = max(map(len, different), default=LONGEST_NAME + 1) <= LONGEST_NAME
    is_named = all(any(char.isalpha() for char in text) for text in different)
    return is_short and is_named and 1 < len(different) <= AGAIN * len(texts)


def _texts(values: Sequence[Any]) -> list[str]:
    return [value.strip() for value in values if isinstance(value, str)]
