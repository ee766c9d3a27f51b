"""Whether a YAML value can stand for a field of a dataclass."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.recipe.yaml_file import line_of


def check_types(recipe: Path, values: Mapping[str, Any], hints: Mapping[str, Any], *, where: str = "") -> None:
    """Check each value against its field's type. `where` is the place to name in errors (by default each key's line).

    Raises:
        UnderstudyError: a value cannot stand for its field.
    """
    for key, value in values.items():
        if not _fits(value, hints[key]):
            place = where or line_of(recipe, key)
            raise UnderstudyError(place, f"'{key}' is {value!r}", fix=f"make it {_readable(hints[key])}")


def _fits(value: Any, hint: Any) -> bool:
    """Whether a YAML value can stand for a field of this type."""
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return any(_fits(value, option) for option in typing.get_args(hint))
    if hint is Any:
        return True
    if isinstance(value, bool) or hint is bool:  # a bool is an int to Python, but not to a reader
        return isinstance(value, bool) and hint is bool
    if hint is float:
        return _is_number(value)
    # list[str] is checked as list; enums and the like are written as strings
    plain = origin or hint
    return isinstance(value, plain if plain in (int, str, dict, list, type(None)) else str)


def _is_number(value: Any) -> bool:
    """Whether it reads as a number: YAML takes 1e-4, without a point, for a string."""
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _readable(hint: Any) -> str:
    names = {bool: "true or false", int: "a whole number", float: "a number", str: "a string", type(None): "empty"}
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return " or ".join(_readable(option) for option in typing.get_args(hint))
    if typing.get_origin(hint) is list:
        return "a list, such as [one] or [one, another]"
    if typing.get_origin(hint) is dict:
        return "a mapping, such as {dialogue: 1}"
    return names.get(hint, str(hint))
