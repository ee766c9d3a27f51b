"""A recipe and a command line to the three argument objects of a run; everything wrong is named with its place."""

from __future__ import annotations

import argparse
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from trl import ModelConfig, SFTConfig, TrlParser

from pipeline.errors import UnderstudyError
from pipeline.recipe import CharacterArguments, check_known, line_of, read_recipe


@dataclass(frozen=True, slots=True)
class RunArguments:
    """What a recipe says, by whom it is read."""

    character: CharacterArguments
    training: SFTConfig
    model: ModelConfig


class _Parser(TrlParser):  # type: ignore[misc]
    """TrlParser whose complaints are ours."""

    def error(self, message: str) -> NoReturn:
        raise UnderstudyError("command line", message, fix="write overrides as `--key value` with a recipe's keys")


def parse_run(recipe: Path, overrides: Sequence[str] = ()) -> RunArguments:
    """The arguments of a run: trl's defaults, then the recipe, then `overrides` (`--key value ...`).

    Raises:
        UnderstudyError: a key is unknown, a value has the wrong type, or two keys contradict each other.
    """
    values = read_recipe(recipe)
    hints: dict[str, Any] = {}
    for arguments in (CharacterArguments, SFTConfig, ModelConfig):
        known = typing.get_type_hints(arguments)
        hints |= {entry.name: known[entry.name] for entry in fields(arguments) if entry.init}
    check_known(recipe, values, hints)
    for key, value in values.items():
        if not _fits(value, hints[key]):
            raise UnderstudyError(line_of(recipe, key), f"'{key}' is {value!r}", fix=f"make it {_readable(hints[key])}")
    parser = _Parser((CharacterArguments, SFTConfig, ModelConfig), allow_abbrev=False)
    parser.set_defaults_with_config(**values)
    try:
        character, training, model = parser.parse_args_into_dataclasses(args=list(overrides))
    except (ValueError, argparse.ArgumentError) as error:
        raise UnderstudyError(
            recipe, str(error).split("\n", 1)[0], fix="correct the recipe or the command line"
        ) from error
    _check_together(recipe, training, model)
    return RunArguments(character, training, model)


def _check_together(recipe: Path, training: SFTConfig, model: ModelConfig) -> None:
    if not model.model_name_or_path:
        raise UnderstudyError(recipe, "names no model", fix="set model_name_or_path: embedded, a folder, or a hub id")
    for key in ("packing", "padding_free", "assistant_only_loss", "activation_offloading"):
        if getattr(training, key):
            raise UnderstudyError(
                line_of(recipe, key), f"'{key}' cannot be used here", fix="delete it; batching is set by `batching`"
            )
    # Rows come tokenised, with labels, and are collated by us: trl prepares nothing and drops no column.
    training.dataset_kwargs = {"skip_prepare_dataset": True}
    training.remove_unused_columns = False
    training.dataloader_pin_memory = training.dataloader_pin_memory and training.device.type != "cpu"


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
    return names.get(hint, str(hint))
