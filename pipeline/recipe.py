"""The recipe: one YAML file is one run. Here is what is Understudy's own in it; the rest is trl's, key by key.

A recipe is flat. Its keys are the fields of `CharacterArguments`, of trl's `SFTConfig` and of trl's `ModelConfig`;
on the command line `--key value` overrides them.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from pipeline.errors import UnderstudyError

BATCHING = ("auto", "prefix_tree", "padded")


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
    context_turns: int = _doc("How many turns before a line are shown with it, where the raw file has them.", 6)
    system_background: str | None = _doc("System prompt of background passages; {character} is the name.", None)
    system_setting_qa: str | None = _doc("System prompt of settings questions.", None)
    system_dialogue: str | None = _doc("System prompt of lines.", None)
    system_chat: str | None = _doc("System prompt of chat, and of recall.", None)
    settings_weight: float = _doc("How often each settings record is seen for each pass over the dialogue.", 5.0)
    rewordings: int = _doc("In how many frames a settings question is asked (1 to 8).", 8)
    chat_share: float = _doc("Share of questions and lines trained under the chat's own prompt.", 0.5)
    batching: str = _doc("auto, prefix_tree (shared beginnings are computed once) or padded.", "auto")
    bf16_if_faster: bool = _doc("On a CPU, hold the base model in bfloat16 if that is measured to be faster.", False)
    probes: str | None = _doc("A probes.jsonl with hand-written recall questions.", None)
    recall_items: int = _doc("How many facts are probed before, during and after training (0: none).", 16)
    recall_steps: int = _doc("Probe them every so many steps (0: at the end of each epoch).", 0)
    recall_distractors: int = _doc("Among how many other answers the right one must rank first.", 7)

    def __post_init__(self) -> None:
        """Check what no type can say.

        Raises:
            UnderstudyError: a value is missing or out of its range.
        """
        for key in ("character", "raw"):
            if not getattr(self, key):
                raise UnderstudyError(f"recipe key '{key}'", "is missing", fix=f"set `{key}` in the recipe")
        for key, ok, wanted in (
            ("settings_weight", self.settings_weight > 0, "above 0"),
            ("rewordings", 1 <= self.rewordings <= 8, "from 1 to 8"),
            ("chat_share", 0 <= self.chat_share <= 1, "from 0 to 1"),
            ("context_turns", self.context_turns >= 0, "0 or more"),
            ("batching", self.batching in BATCHING, " or ".join(BATCHING)),
            ("recall_items", self.recall_items >= 0, "0 or more"),
            ("recall_steps", self.recall_steps >= 0, "0 or more"),
            ("recall_distractors", self.recall_distractors >= 1, "1 or more"),
        ):
            if not ok:
                raise UnderstudyError(f"recipe key '{key}'", f"is {getattr(self, key)!r}", fix=f"make it {wanted}")

    @property
    def name(self) -> str:
        """The character's name."""
        assert self.character  # noqa: S101 - __post_init__ refused an empty one
        return self.character

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
            fix = f"did you mean '{near[0]}'?" if near else "delete it"
            raise UnderstudyError(line_of(path, key), f"unknown key '{key}'", fix=fix)


def describe_keys() -> str:
    """Understudy's own keys with their defaults, one a line."""
    return "\n".join(
        f"  {entry.name:<20}{entry.metadata['help']} [{entry.default}]" for entry in fields(CharacterArguments)
    )


def character_arguments(values: Mapping[str, Any]) -> CharacterArguments:
    """Understudy's own keys of a recipe; trl's are left aside."""
    own = {entry.name for entry in fields(CharacterArguments)}
    return CharacterArguments(**{key: value for key, value in values.items() if key in own})
