"""The recipe: one YAML file is one run. Here is what is Understudy's own in it; the rest is trl's, key by key.

A recipe is flat. Its keys are the fields of `CharacterArguments`, of trl's `SFTConfig` and of trl's `ModelConfig`;
on the command line `--key value` overrides them.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import UnderstudyError

ALTERNATIVES = ("split", "first", "second")
NEAR_DUPLICATES = ("keep", "merge")
BATCHING = ("auto", "prefix_tree", "padded")
ON_OVERLONG = ("error", "reject", "truncate_history")
SPEAKER_NAMES = ("prefix", "none")
RESUME = ("auto", "force")
WEIGHT_BY = ("records", "loss_tokens")
MIXED_KINDS = ("background", "setting_qa", "dialogue", "replay")  # what the mixture tells apart
# What one of several characters may have of its own; all else is said once, for all of them.
OWN_KEYS = (
    "character", "weight", "language", "raw", "records_dir", "probes", "background_titles", "voice_only_titles",
    "context_turns", "columns", "user_name", "alternatives", "short_lines", "inner_thoughts", "near_duplicates",
    "meta_speakers", "join", "reviewed", "system_background", "system_setting_qa", "system_dialogue", "system_chat",
)  # fmt: skip
UNSAFE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]|[. ]+$|^[. ]+')
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|cast)(\..*)?", re.IGNORECASE)
LONGEST_NAME = 60  # characters of a folder's name: 4 bytes each at most, of the 255 that file systems allow


def _doc(text: str, default: Any) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass
class CharacterArguments:
    """What Understudy adds to trl's arguments."""

    character: str | None = _doc(
        "The character's name, exactly as the raw files write it. Required, or `characters`.", None
    )
    characters: list[Any] | str | None = _doc(
        "Several characters in one model: [{character: A, raw: [a], weight: 2}, {character: B, ...}].", None
    )
    weight: float = _doc("How often a character's records are seen, beside another's of weight 1.", 1.0)
    language: str = _doc("The language of the prompts: en or zh.", "en")
    raw: list[str] | None = _doc("Raw files and folders to convert. Required, or records_dir.", None)
    records_dir: str | None = _doc(
        "Where `convert` writes (default: build/records/<character>); without `raw`, records to take as they are.",
        None,
    )
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
    recall_items: int = _doc("How many facts in all are probed before, during and after training (0: none).", 16)
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
    def each(self) -> list[CharacterArguments]:
        """The arguments of every character by itself, in the recipe's order: of a single one, just these.

        What an entry of `characters` does not say, it has from the recipe. A `records_dir` of the recipe is then the
        folder above the characters' own, as `convert --character all` writes it.
        """
        entries = entries_of(self.characters)
        return [self._one_of(entry) for entry in entries] if entries else [self]

    def _one_of(self, entry: Mapping[str, Any]) -> CharacterArguments:
        one = replace(self, characters=None, **entry)
        above = self.records_dir if "records_dir" not in entry else None
        return replace(one, records_dir=str(Path(above) / safe_folder_name(one.name, set()))) if above else one

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


def entries_of(value: Any) -> list[dict[str, Any]]:
    """The entries of `characters`, as YAML gives them or as the command line's JSON; a mere name is an entry too."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return [{"character": value}]
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [dict(one) if isinstance(one, Mapping) else {"character": one} for one in listed]


def safe_folder_name(name: str, taken: set[str]) -> str:
    """A folder's name for a character, which can lead nowhere else; it is noted in `taken`, and unlike all there."""
    plain = UNSAFE.sub("_", name)[:LONGEST_NAME] or "_"
    if plain != name or RESERVED.fullmatch(plain) or plain.casefold() in taken:
        plain = f"{plain}-{hashlib.blake2b(name.encode(errors='replace'), digest_size=4).hexdigest()}"
    taken.add(plain.casefold())
    return plain


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
    arguments = _own_arguments(recipe)
    check_values(recipe, arguments)
    return arguments


def cast_arguments(recipe: Path) -> CharacterArguments:
    """The same of a recipe for a cast, which need not name anybody: whoever is in its files is meant then.

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
    _check_ranges(recipe, arguments)


def _refuse_missing(where: str, key: str) -> NoReturn:
    raise UnderstudyError(where, f"'{key}' is missing", fix=f"set `{key}` in the recipe")


def _check_sources(where: str, one: CharacterArguments) -> None:
    if not (one.raw or one.records_dir):
        _refuse_missing(where, "raw")


def _check_ranges(recipe: Path, arguments: CharacterArguments, *, where: str = "") -> None:
    for key, ok, wanted in (
        ("weight", arguments.weight > 0, "above 0"),
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
            place = where or line_of(recipe, key)
            raise UnderstudyError(place, f"'{key}' is {getattr(arguments, key)!r}", fix=f"make it {wanted}")


def check_characters(recipe: Path, arguments: CharacterArguments) -> None:
    """Check each entry of `characters`, by itself and beside the others.

    Raises:
        UnderstudyError: an entry has no name or one that another has, an unknown key, or a value that is none.
    """
    entries, where = entries_of(arguments.characters), line_of(recipe, "characters")
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
    """The place of an entry of `characters`, once its keys are known to be a character's, and its name to be there."""
    for key in entry:
        if key not in OWN_KEYS:
            near = difflib.get_close_matches(key, OWN_KEYS, n=1)
            fix = f"write '{near[0]}', if that is meant" if near else "set it once for all, outside `characters`"
            raise UnderstudyError(where, f"'{key}' is no key of one character", fix=fix)
    name = entry.get("character")
    if not isinstance(name, str) or not name.strip():
        raise UnderstudyError(where, "has no name", fix="write `character: NAME`, as the raw files do")
    place = f"{where} ({name})"
    check_types(recipe, entry, typing.get_type_hints(CharacterArguments), where=place)
    return place


def check_types(recipe: Path, values: Mapping[str, Any], hints: Mapping[str, Any], *, where: str = "") -> None:
    """Check each value against its field's type. `where` is the place of all of them, else each key has its own.

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
    return names.get(hint, str(hint))
