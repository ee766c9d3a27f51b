"""What is wrong in a recipe, with its file, its line, its key and the fix."""

from __future__ import annotations

import typing
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import UnderstudyError
from pipeline.recipe.arguments import (
    MIXED_KINDS,
    OWN_KEYS,
    CharacterArguments,
    parse_character_entries,
    parse_numbers_by_kind,
)
from pipeline.recipe.conversion import ALTERNATIVES
from pipeline.recipe.suggestions import suggestion
from pipeline.recipe.value_types import check_types
from pipeline.recipe.yaml_file import line_of

COMMAND_LINE = "command line"
NEAR_DUPLICATES = ("keep", "merge")
BATCHING = ("auto", "prefix_tree", "padded")
ON_OVERLONG = ("error", "reject", "truncate_history")
SPEAKER_NAMES = ("prefix", "none")
RESUME = ("auto", "force")
LANGUAGES = ("en", "zh")
WORDINGS = ("copies", "frames", "families")
PARAPHRASERS = ("off", "self", "auto", "embedded")  # or a folder or a hub id, in which there is a slash
WEIGHT_BY = ("records", "loss_tokens")
_SHARES = "a mapping of " + ", ".join(MIXED_KINDS) + " to a {} above 0, such as {{setting_qa: 2}}"


def check_known(path: Path, keys: Iterable[str], known: Iterable[str]) -> None:
    """Refuse unknown keys.

    Raises:
        UnderstudyError: a key is unknown; the message suggests the nearest known one.
    """
    names = list(known)
    for key in keys:
        if key not in names:
            raise UnderstudyError(line_of(path, key), f"unknown key '{key}'", fix=suggestion(key, names) or "delete it")


def check_values(recipe: Path, arguments: CharacterArguments, *, overridden: Collection[str] = ()) -> None:
    """Check what the types of the fields leave open; the keys that are `overridden` come from the command line.

    Raises:
        UnderstudyError: a value is missing or out of its range.
    """
    if arguments.characters is not None:
        check_characters(recipe, arguments)
    else:
        if not arguments.character:
            _refuse_missing(line_of(recipe, "character"), "character")
        if arguments.weight != 1:
            raise UnderstudyError(
                line_of(recipe, "weight"), "'weight' is of one of several characters", fix="set `settings_weight`"
            )
        _check_sources(line_of(recipe, "raw"), arguments)
    _check_ranges(recipe, arguments, overridden=overridden)


def _refuse_missing(where: str, key: str) -> NoReturn:
    raise UnderstudyError(where, f"'{key}' is missing", fix=f"set `{key}` in the recipe")


def _check_sources(where: str, one: CharacterArguments) -> None:
    if not (one.raw or one.records_dir):
        _refuse_missing(where, "raw")


def _check_ranges(
    recipe: Path, arguments: CharacterArguments, *, where: str = "", overridden: Collection[str] = ()
) -> None:
    for key, ok, wanted in (
        ("weight", arguments.weight > 0, "above 0"),
        ("language", arguments.language in LANGUAGES, " or ".join(LANGUAGES)),
        ("wordings", arguments.wordings in WORDINGS, " or ".join(WORDINGS)),
        ("reverse_share", 0 <= arguments.reverse_share < 1, "0 or more, and less than 1"),
        ("boundaries", 0 <= arguments.boundaries < 1, "0 or more, and less than 1"),
        ("settings_weight", arguments.settings_weight is None or arguments.settings_weight > 0, "above 0"),
        ("kind_weights", _are_shares(arguments.kind_weights), _SHARES.format("weight")),
        ("loss_weights", _are_shares(arguments.loss_weights), _SHARES.format("weight")),
        ("probabilities", _are_shares(arguments.probabilities), _SHARES.format("share")),
        ("weight_by", arguments.weight_by in WEIGHT_BY, " or ".join(WEIGHT_BY)),
        ("max_exposures", arguments.max_exposures >= 1, "1 or more"),
        ("exposures", 1 <= arguments.exposures <= arguments.max_exposures, "1 or more, up to max_exposures"),
        ("held_out", 0 <= arguments.held_out < 1, "0 or more, and less than 1"),
        ("on_overlong", arguments.on_overlong in ON_OVERLONG, " or ".join(ON_OVERLONG)),
        ("speaker_names", arguments.speaker_names in SPEAKER_NAMES, " or ".join(SPEAKER_NAMES)),
        ("paraphrase", _names_paraphraser(arguments.paraphrase), "off, self, auto, embedded, a folder or a hub id"),
        ("paraphrases", 1 <= arguments.paraphrases <= 16, "from 1 to 16"),
        ("chat_share", 0 <= arguments.chat_share <= 1, "from 0 to 1"),
        ("context_turns", arguments.context_turns >= 0, "0 or more"),
        ("scene_gap", float(arguments.scene_gap) >= 0, "0 or more"),
        ("alternatives", arguments.alternatives in ALTERNATIVES, " or ".join(ALTERNATIVES)),
        ("short_lines", arguments.short_lines >= 0, "0 or more"),
        ("near_duplicates", arguments.near_duplicates in NEAR_DUPLICATES, " or ".join(NEAR_DUPLICATES)),
        ("swa_start", 0 <= arguments.swa_start <= 1, "from 0 to 1"),
        ("batching", arguments.batching in BATCHING, " or ".join(BATCHING)),
        ("resume", arguments.resume in RESUME, " or ".join(RESUME)),
        ("recall_items", arguments.recall_items >= 0, "0 or more"),
        ("early_stopping", arguments.early_stopping >= 0, "0 or more"),
        ("recall_steps", arguments.recall_steps >= 0, "0 or more"),
        ("recall_distractors", arguments.recall_distractors >= 1, "1 or more"),
    ):
        if not ok:
            place = where or (COMMAND_LINE if key in overridden else line_of(recipe, key))
            raise UnderstudyError(place, f"'{key}' is {getattr(arguments, key)!r}", fix=f"make it {wanted}")


def check_characters(recipe: Path, arguments: CharacterArguments) -> None:
    """Check each entry of `characters`, by itself and beside the others.

    Raises:
        UnderstudyError: an entry has no name or one that another has, an unknown key, or a wrong value.
    """
    entries, where = parse_character_entries(arguments.characters), line_of(recipe, "characters")
    if not entries:
        raise UnderstudyError(where, "'characters' is empty", fix="list them: [{character: A, raw: [a]}]")
    for key in ("character", "probes"):
        if getattr(arguments, key):
            raise UnderstudyError(where, f"'characters' stands beside '{key}'", fix=f"move `{key}` into its entries")
    places = [_check_entry(recipe, f"{where}, character {number}", entry) for number, entry in enumerate(entries, 1)]
    names = [entry["character"] for entry in entries]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UnderstudyError(where, f"'characters' names {', '.join(twice)} twice", fix="give each one entry")
    for place, one in zip(places, arguments.each, strict=True):
        _check_sources(place, one)
        _check_ranges(recipe, one, where=place)


def _check_entry(recipe: Path, where: str, entry: Mapping[str, Any]) -> str:
    """The place of an entry of `characters`, whose keys are a character's and whose name is there."""
    for key in entry:
        if key not in OWN_KEYS:
            fix = suggestion(key, OWN_KEYS) or "set it once for all, outside `characters`"
            raise UnderstudyError(where, f"'{key}' is no key of one character", fix=fix)
    name = entry.get("character")
    if not isinstance(name, str) or not name.strip():
        raise UnderstudyError(where, "has no name", fix="write `character: NAME`, as the raw files do")
    place = f"{where} ({name})"
    check_types(recipe, entry, typing.get_type_hints(CharacterArguments), where=place)
    return place


def _are_shares(value: Mapping[str, Any] | str | None) -> bool:
    try:
        numbers = parse_numbers_by_kind(value)
        return value is None or (
            bool(numbers) and all(kind in MIXED_KINDS and number > 0 for kind, number in numbers.items())
        )
    except (TypeError, ValueError):
        return False


def _names_paraphraser(value: str) -> bool:
    return value in PARAPHRASERS or "/" in value
