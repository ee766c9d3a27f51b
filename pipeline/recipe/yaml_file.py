"""A recipe's YAML file: its keys and values, and the line of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError

OFF_IS_A_WORD = ("paraphrase",)


def read_recipe(path: Path) -> dict[str, Any]:
    """The recipe's keys and values.

    Raises:
        UnderstudyError: the file is missing, no YAML, or no mapping.
    """
    import yaml

    if not path.is_file():
        raise UnderstudyError(path, "is not there", fix="name a recipe, for example recipes/demo.yaml")
    try:
        loader = yaml.SafeLoader(path.read_text(encoding="utf-8"))
        if isinstance(node := loader.get_single_node(), yaml.MappingNode):
            _check_once(path, node)  # before it is constructed, which puts what `<<` names among its own keys
        content = loader.construct_document(node) if node else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}" if mark else path
        why = " ".join(part for part in (error.problem, error.context) if part)
        raise UnderstudyError(where, f"is no YAML: {why}", fix="correct it there, or on the line before") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        why = " ".join(str(error).split())
        raise UnderstudyError(path, f"is no YAML: {why}", fix="save it as plain text, in UTF-8") from error
    if not isinstance(content, dict):
        raise UnderstudyError(path, "is no mapping of keys to values", fix="write one `key: value` a line")
    # YAML reads a bare `off` as false; where off is one of several words, it is meant as the word.
    return {str(key): "off" if key in OFF_IS_A_WORD and value is False else value for key, value in content.items()}


def _check_once(path: Path, node: Any) -> None:
    """Every key stands once: of two, YAML takes the last without a word.

    Raises:
        UnderstudyError: one stands twice.
    """
    if node.id == "sequence":
        for one in node.value:
            _check_once(path, one)
    if node.id != "mapping":
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        _check_once(path, value)
        number = key.start_mark.line + 1
        if key.value in lines:
            what = f"has '{key.value}' a second time, after line {lines[key.value]}"
            raise UnderstudyError(f"{path}:{number}", what, fix="delete one of them")
        lines[key.value] = number


def value_of(recipe: Path, overrides: Sequence[str], key: str) -> Any:
    """The value that a run uses for one key, without any heavy import: the command line's, else the recipe's."""
    for index, word in enumerate(overrides):
        if word == f"--{key}" and index + 1 < len(overrides):
            return overrides[index + 1]
        if word.startswith(f"--{key}="):
            return word.partition("=")[2]
    return read_recipe(recipe).get(key)


def line_of(path: Path, key: str) -> str:
    """`file:line` of a key."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith((f"{key}:", f"{key} :", f'"{key}"', f"'{key}'")):
            return f"{path}:{number}"
    return str(path)


def output_folder(recipe: Path) -> Path:
    """Where a recipe's run is saved.

    Raises:
        UnderstudyError: the recipe names no folder.
    """
    folder = read_recipe(recipe).get("output_dir")
    if not isinstance(folder, str):
        raise UnderstudyError(
            line_of(recipe, "output_dir"), "names no output_dir", fix="set `output_dir: outputs/NAME`"
        )
    return Path(folder)
