"""The recipe: one YAML file is one run. Here is what is Understudy's own in it; the rest is trl's, key by key.

A recipe is flat. Its keys are the fields of `CharacterArguments`, of trl's `SFTConfig` and of trl's `ModelConfig`;
on the command line `--key value` overrides them.
"""

from __future__ import annotations

import difflib
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError

ALTERNATIVES = ("split", "first", "second")
NEAR_DUPLICATES = ("keep", "merge")
BATCHING = ("auto", "prefix_tree", "padded")
ON_OVERLONG = ("error", "reject", "truncate_history")
SPEAKER_NAMES = ("prefix", "none")
RESUME = ("auto", "force")
WEIGHT_BY = ("records", "loss_tokens")
MIXED_KINDS = ("background", "setting_qa", "dialogue", "replay")  # what the mixture tells apart


def _doc(text: str, default: Any) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass
class CharacterArguments:
    """What Understudy adds to trl's arguments."""

    character: str | None = _doc("The character's name, exactly as the raw files write it. Required.", None)
    language: str = _doc("The language of the prompts: en or zh.", "en")
    raw: list[str] | None = _doc("Raw files and folders to convert. Required.", None)
    records_dir: str | None = _doc("Where `convert` writes. Default: build/records/<character>.", None)
    background_titles: list[str] | None = _doc("Patterns of `input` that make a record a background passage.", None)
    voice_only_titles: list[str] | None = _doc("Patterns of `input` that make a record a line, never a setting.", None)
    speaker_names: str = _doc("Whether others' turns in a scene begin with their names: prefix or none.", "prefix")
    context_turns: int = _doc("How many turns before a line are shown with it, where the raw file has them.", 6)
    columns: list[str] | None = _doc("Names of columns where a table has its own: ours=theirs, as in text=line.", None)
    user_name: str | None = _doc("What stands for {{user}} and {NICKNAME}. Default: 朋友 or friend.", None)
    alternatives: str = _doc(
        "Of options as in `a。/b。`: split, first or second; of words (他/她) one is taken.", "split"
    )
    short_lines: int = _doc("How many lines of 1 to 3 Chinese characters are kept.", 0)
    inner_thoughts: bool = _doc("Keep lines that stand whole in brackets.", False)
    near_duplicates: str = _doc("Lines that are nearly the same (.8 of their 5-grams): keep or merge.", "keep")
    meta_speakers: list[str] | None = _doc("Patterns of speakers that are notes, not anybody.", None)
    join: list[str] | None = _doc("Transcripts in which single lines find the turns before them.", None)
    reviewed: str | None = _doc(
        "The table that `convert --review` wrote, with your decisions in its column kind.", None
    )
    system_background: str | None = _doc("System prompt of background passages; {character} is the name.", None)
    system_setting_qa: str | None = _doc("System prompt of settings questions.", None)
    system_dialogue: str | None = _doc("System prompt of lines.", None)
    system_chat: str | None = _doc("System prompt of chat, and of recall.", None)
    settings_weight: float = _doc("How often each settings record is seen for each pass over the dialogue.", 5.0)
    kind_weights: dict[str, float] | str | None = _doc(
        "The same for single kinds: {background: 2, setting_qa: 6, dialogue: 1, replay: 0.5}.", None
    )
    probabilities: dict[str, float] | str | None = _doc(
        "Instead of weights, each kind's share of an epoch: {setting_qa: 0.4, dialogue: 0.6}.", None
    )
    weight_by: str = _doc("What weights and shares are of: records, or loss_tokens.", "records")
    max_exposures: int = _doc("Refuse a plan that would show a record more often than this.", 100)
    replay: list[str] | None = _doc("Files of general conversations, replayed against forgetting (JSON lines).", None)
    held_out: float = _doc("Share of the scenes whose lines are not trained on, but watched.", 0.0)
    on_overlong: str = _doc("What becomes of rows over max_length: error, reject or truncate_history.", "error")
    rewordings: int = _doc("In how many frames a settings question is asked (1 to 8).", 8)
    chat_share: float = _doc("Share of questions and lines trained under the chat's own prompt.", 0.5)
    batching: str = _doc("auto, prefix_tree (shared beginnings are computed once) or padded.", "auto")
    bf16_if_faster: bool = _doc("On a CPU, hold the base model in bfloat16 if that is measured to be faster.", False)
    resume: str = _doc("Go on from the last whole checkpoint: auto, or force, on other processes too.", "auto")
    probes: str | None = _doc("A probes.jsonl with hand-written recall questions.", None)
    recall_items: int = _doc("How many facts are probed before, during and after training (0: none).", 16)
    recall_steps: int = _doc("Probe them, and watch held-out lines, every so many steps (0: each epoch).", 0)
    early_stopping: int = _doc(
        "Stop when metric_for_best_model has not improved for so many evaluations (0: never).", 0
    )
    recall_distractors: int = _doc("Among how many other answers the right one must rank first.", 7)

    @property
    def name(self) -> str:
        """The character's name."""
        assert self.character  # noqa: S101 - __post_init__ refused an empty one
        return self.character

    @property
    def weights(self) -> dict[str, float]:
        """The weight of each kind that the mixture tells apart."""
        settings = dict.fromkeys(("background", "setting_qa"), self.settings_weight)
        return {**dict.fromkeys(MIXED_KINDS, 1.0), **settings, **numbers_of(self.kind_weights)}

    @property
    def raw_paths(self) -> list[Path]:
        """The raw files and folders."""
        return [Path(path).expanduser() for path in self.raw or ()]

    @property
    def records_folder(self) -> Path:
        """Where the converted records lie."""
        return Path(self.records_dir or f"build/records/{self.name}")

    @property
    def conversion(self) -> dict[str, Any]:
        """What the conversion is told beside the files and the name."""
        return {
            "background_titles": self.background_titles,
            "voice_only_titles": self.voice_only_titles,
            "context_turns": self.context_turns,
            "columns": self.columns,
            "user_name": self.user_name,
            "alternatives": self.alternatives,
            "short_lines": self.short_lines,
            "inner_thoughts": self.inner_thoughts,
            "near_duplicates": self.near_duplicates,
            "meta_speakers": self.meta_speakers,
            "join": self.join,
            "reviewed": self.reviewed,
        }

    @property
    def instructions(self) -> dict[str, str | None]:
        """The recipe's own system prompts by purpose; None where it leaves the language's default."""
        return {
            "background": self.system_background,
            "setting_qa": self.system_setting_qa,
            "dialogue": self.system_dialogue,
            "chat": self.system_chat,
        }


def numbers_of(value: Any) -> dict[str, float]:
    """A mapping of kinds to numbers, as YAML gives it or as the command line's JSON; empty where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {value: 0.0}  # no kind is called so, which the check of values says
    return {str(kind): float(number) for kind, number in (value or {}).items()} if isinstance(value, Mapping) else {}


_SHARES = "a mapping of " + ", ".join(MIXED_KINDS) + " to a {} above 0, such as {{setting_qa: 2}}"


def _are_shares(value: Mapping[str, Any] | str | None) -> bool:
    try:
        numbers = numbers_of(value)
        return value is None or (
            bool(numbers) and all(kind in MIXED_KINDS and number > 0 for kind, number in numbers.items())
        )
    except (TypeError, ValueError):
        return False


def read_recipe(path: Path) -> dict[str, Any]:
    """The recipe's keys and values.

    Raises:
        UnderstudyError: the file is missing, no YAML, or no mapping.
    """
    import yaml

    if not path.is_file():
        raise UnderstudyError(path, "is not there", fix="name a recipe, for example recipes/demo.yaml")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnderstudyError(path, f"is no YAML: {' '.join(str(error).split())}", fix="correct it there") from error
    if not isinstance(content, dict):
        raise UnderstudyError(path, "is no mapping of keys to values", fix="write one `key: value` a line")
    return {str(key): value for key, value in content.items()}


def value_of(recipe: Path, overrides: Sequence[str], key: str) -> Any:
    """What a run will use for one key, known before any heavy import: the command line's value, else the recipe's."""
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


def check_known(path: Path, keys: Iterable[str], known: Iterable[str]) -> None:
    """Refuse keys that nothing reads.

    Raises:
        UnderstudyError: a key is unknown; the message has the nearest known one.
    """
    names = list(known)
    for key in keys:
        if key not in names:
            near = difflib.get_close_matches(key, names, n=1)
            fix = f"write '{near[0]}', if that is meant" if near else "delete it"
            raise UnderstudyError(line_of(path, key), f"unknown key '{key}'", fix=fix)


def describe_keys() -> str:
    """Understudy's own keys with their defaults, one a line."""
    return "\n".join(
        f"  {entry.name:<20}{entry.metadata['help']} [{entry.default}]" for entry in fields(CharacterArguments)
    )


def character_arguments(recipe: Path) -> CharacterArguments:
    """Understudy's own keys of a recipe, checked; trl's are left to those who import trl.

    Raises:
        UnderstudyError: a key has the wrong type or a value out of its range, or is nearly one of ours.
    """
    values, hints = read_recipe(recipe), typing.get_type_hints(CharacterArguments)
    own = {key: value for key, value in values.items() if key in hints}
    for key in values.keys() - own.keys():
        if near := difflib.get_close_matches(key, hints, n=1, cutoff=0.85):
            raise UnderstudyError(
                line_of(recipe, key), f"unknown key '{key}'", fix=f"write '{near[0]}', if that is meant"
            )
    check_types(recipe, own, hints)
    arguments = CharacterArguments(**own)
    check_values(recipe, arguments)
    return arguments


def output_folder(recipe: Path) -> Path:
    """Where a recipe's run is saved.

    Raises:
        UnderstudyError: the recipe does not say.
    """
    folder = read_recipe(recipe).get("output_dir")
    if not isinstance(folder, str):
        raise UnderstudyError(
            line_of(recipe, "output_dir"), "names no output_dir", fix="set `output_dir: outputs/NAME`"
        )
    return Path(folder)


def check_values(recipe: Path, arguments: CharacterArguments) -> None:
    """Check what no type can say.

    Raises:
        UnderstudyError: a value is missing or out of its range.
    """
    for key in ("character", "raw"):
        if not getattr(arguments, key):
            raise UnderstudyError(line_of(recipe, key), f"'{key}' is missing", fix=f"set `{key}` in the recipe")
    for key, ok, wanted in (
        ("settings_weight", arguments.settings_weight > 0, "above 0"),
        ("kind_weights", _are_shares(arguments.kind_weights), _SHARES.format("weight")),
        ("probabilities", _are_shares(arguments.probabilities), _SHARES.format("share")),
        ("weight_by", arguments.weight_by in WEIGHT_BY, " or ".join(WEIGHT_BY)),
        ("max_exposures", arguments.max_exposures >= 1, "1 or more"),
        ("held_out", 0 <= arguments.held_out < 1, "0 or more, and less than 1"),
        ("on_overlong", arguments.on_overlong in ON_OVERLONG, " or ".join(ON_OVERLONG)),
        ("speaker_names", arguments.speaker_names in SPEAKER_NAMES, " or ".join(SPEAKER_NAMES)),
        ("rewordings", 1 <= arguments.rewordings <= 8, "from 1 to 8"),
        ("chat_share", 0 <= arguments.chat_share <= 1, "from 0 to 1"),
        ("context_turns", arguments.context_turns >= 0, "0 or more"),
        ("alternatives", arguments.alternatives in ALTERNATIVES, " or ".join(ALTERNATIVES)),
        ("short_lines", arguments.short_lines >= 0, "0 or more"),
        ("near_duplicates", arguments.near_duplicates in NEAR_DUPLICATES, " or ".join(NEAR_DUPLICATES)),
        ("batching", arguments.batching in BATCHING, " or ".join(BATCHING)),
        ("resume", arguments.resume in RESUME, " or ".join(RESUME)),
        ("recall_items", arguments.recall_items >= 0, "0 or more"),
        ("early_stopping", arguments.early_stopping >= 0, "0 or more"),
        ("recall_steps", arguments.recall_steps >= 0, "0 or more"),
        ("recall_distractors", arguments.recall_distractors >= 1, "1 or more"),
    ):
        if not ok:
            raise UnderstudyError(
                line_of(recipe, key), f"'{key}' is {getattr(arguments, key)!r}", fix=f"make it {wanted}"
            )


def check_types(recipe: Path, values: Mapping[str, Any], hints: Mapping[str, Any]) -> None:
    """Check each value against its field's type.

    Raises:
        UnderstudyError: a value cannot stand for its field.
    """
    for key, value in values.items():
        if not _fits(value, hints[key]):
            raise UnderstudyError(line_of(recipe, key), f"'{key}' is {value!r}", fix=f"make it {_readable(hints[key])}")


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
