"""The members that `understudy cast` trains: a recipe's characters, or all in its raw files or converted records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipeline import __version__
from pipeline.atomic_io import write_text
from pipeline.errors import UnderstudyError
from pipeline.recipe import (
    OWN_KEYS,
    CharacterArguments,
    character_arguments,
    line_of,
    multi_character_arguments,
    parse_character_entries,
    read_recipe,
    safe_folder_name,
)
from pipeline.records.characters import ALL, ensure_characters_converted
from pipeline.records.files import CHARACTERS_FILE, RECORDS_FILE

RECORDS_FOLDER = "records"  # of the characters, converted from raw files
RECIPES_FOLDER = "recipes"


@dataclass(frozen=True, slots=True)
class Member:
    """A character, with the recipe that trains it alone into `folder`."""

    name: str
    recipe: Path
    folder: Path

    @property
    def arguments(self) -> CharacterArguments:
        """Understudy's own keys of its recipe."""
        return character_arguments(self.recipe)


def prepare_members(recipe: Path, folder: Path, chosen: Sequence[str], *, num_proc: int = 1) -> list[Member]:
    """The chosen characters of a recipe (`all` of them, or by name), each with a recipe of its own written.

    They are those that the recipe lists as `characters`. Where it lists none, its raw files are converted for
    all of them at once, or, without `raw`, its `records_dir` is what `convert --character all` wrote.

    Raises:
        UnderstudyError: the recipe is wrong, or a chosen character is not there.
    """
    arguments = multi_character_arguments(recipe)
    values = read_recipe(recipe)
    if arguments.characters is None:
        entries = _converted(recipe, arguments, folder, chosen, num_proc=num_proc)
        common = {key: value for key, value in values.items() if key not in ("character", "raw")}
    else:
        common = {key: value for key, value in values.items() if key != "characters"}
        entries = {
            one.name: entry | ({"records_dir": one.records_dir} if one.records_dir else {})
            for one, entry in zip(arguments.each, parse_character_entries(arguments.characters), strict=True)
        }
    names = list(entries) if list(chosen) == [ALL] else list(dict.fromkeys(chosen))
    if absent := [name for name in names if name not in entries]:
        raise UnderstudyError(
            recipe, f"has no {', '.join(absent)}, but {', '.join(entries)}", fix="correct --characters"
        )
    taken: set[str] = set()
    return [_member(recipe, name, common | entries[name], folder, safe_folder_name(name, taken)) for name in names]


def member_key(member: Member, overrides: Sequence[str]) -> str:
    """A hash of all that decides how a member is trained; while it is the same, the trained model is up to date.

    The source tree's commit does not belong to it: committing a recipe should not train a hundred characters again. Of
    records to be taken as they are it is their content; of raw files and of replay, which are looked through where they
    are trained on, the size and time of each.
    """
    arguments = member.arguments
    digest = hashlib.blake2b(repr((__version__, member.recipe.read_text(encoding="utf-8"), overrides)).encode())
    records = arguments.records_folder / RECORDS_FILE
    if not arguments.raw_paths and records.is_file():
        digest.update(records.read_bytes())
    for path in (*arguments.raw_paths, *(Path(name).expanduser() for name in arguments.replay or ())):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        digest.update(repr([(str(file), _state(file)) for file in files]).encode())
    return digest.hexdigest()


def _state(file: Path) -> tuple[int, int] | None:
    if not file.is_file():
        return None
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _member(recipe: Path, name: str, values: Mapping[str, Any], folder: Path, below: str) -> Member:
    own = dict(values) | {"character": name, "output_dir": str(folder / below)}
    own.pop("weight", None)  # it is alone
    ordered = {key: own[key] for key in (*OWN_KEYS, *own) if key in own}
    path = folder / RECIPES_FOLDER / f"{below}.yaml"
    text = yaml.safe_dump(ordered, allow_unicode=True, sort_keys=False, width=1000)
    # `member_key` hashes this text: another wording would train everybody again
    header = f"# {name} alone, of the cast of {recipe}: written by `understudy cast`, and again each time\n"
    write_text(path, header + text)
    return Member(name, path, folder / below)


def _converted(
    recipe: Path, arguments: CharacterArguments, folder: Path, chosen: Sequence[str], *, num_proc: int
) -> dict[str, dict[str, Any]]:
    """Each member's own keys, its records converted."""
    if arguments.probes:
        raise UnderstudyError(
            line_of(recipe, "probes"),
            "'probes' is one file for all characters",
            fix="list `characters`, each with its own",
        )
    tree = Path(arguments.records_dir or folder / RECORDS_FOLDER)
    if arguments.raw_paths:
        wanted = None if list(chosen) == [ALL] else chosen
        summary = ensure_characters_converted(
            arguments.raw_paths, tree, arguments.conversion, chosen=wanted, num_proc=num_proc
        )
    else:
        summary = _read_summary(tree)
    return {one["name"]: {"records_dir": str(tree / one["folder"])} for one in summary["characters"]}


def _read_summary(tree: Path) -> dict[str, Any]:
    try:
        summary: dict[str, Any] = json.loads((tree / CHARACTERS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnderstudyError(
            tree,
            "holds no converted characters",
            fix=f"give `raw` in the recipe, or `convert --character all --out {tree}` first",
        ) from error
    return summary
