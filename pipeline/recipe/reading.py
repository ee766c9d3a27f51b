"""A recipe read and checked: Understudy's own keys, ready for use."""

from __future__ import annotations

import difflib
import typing
from dataclasses import replace
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.recipe.arguments import CharacterArguments
from pipeline.recipe.checks import check_values
from pipeline.recipe.value_types import check_types
from pipeline.recipe.yaml_file import line_of, read_recipe


def character_arguments(recipe: Path) -> CharacterArguments:
    """Understudy's own keys of a recipe, checked; trl's are checked where trl is imported.

    Raises:
        UnderstudyError: a key has the wrong type or a value out of its range, or is nearly one of ours.
    """
    arguments = _own_arguments(recipe)
    check_values(recipe, arguments)
    return arguments


def multi_character_arguments(recipe: Path) -> CharacterArguments:
    """Understudy's own keys of a recipe for several characters; where it names none, those found in its files.

    Raises:
        UnderstudyError: as `character_arguments`.
    """
    arguments = _own_arguments(recipe)
    check_values(recipe, arguments if arguments.characters is not None else replace(arguments, character="all"))
    return arguments


def _own_arguments(recipe: Path) -> CharacterArguments:
    values, hints = read_recipe(recipe), typing.get_type_hints(CharacterArguments)
    own = {key: value for key, value in values.items() if key in hints}
    for key in values.keys() - own.keys():
        if near := difflib.get_close_matches(key, hints, n=1, cutoff=0.85):
            raise UnderstudyError(
                line_of(recipe, key), f"unknown key '{key}'", fix=f"write '{near[0]}', if that is meant"
            )
    check_types(recipe, own, hints)
    return CharacterArguments(**own)
