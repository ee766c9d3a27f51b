"""What is Understudy's own in a recipe: the fields of `CharacterArguments`, beside those of trl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from pipeline.recipe.conversion import Alternatives, ConversionOptions
from pipeline.recipe.folders import safe_folder_name

MIXED_KINDS = ("background", "setting_qa", "dialogue", "replay", "boundary", "misplaced")  # what has a weight
# Of a token in the loss, a settings question's being 1: what cannot be learnt shall not drown what can (decision 25).
LOSS_WEIGHTS = {"background": 0.5, "dialogue": 0.3, "misplaced": 0.3}
SETTINGS_WEIGHT = 5.0  # of the settings, where a recipe gives weights of other kinds only
# What one of several characters may have of its own; any other key is set once, for all of them.
OWN_KEYS = (
    "character", "weight", "language", "raw", "records_dir", "probes", "other_names", "background_titles",
    "voice_only_titles", "context_turns", "columns", "rows", "maps", "scene_gap", "merge_messages", "user_name",
    "alternatives",
    "short_lines", "inner_thoughts", "mask_private", "near_duplicates", "meta_speakers", "join", "reviewed",
    "system_background", "system_setting_qa", "system_dialogue", "system_chat",
)  # fmt: skip


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
    other_names: list[str] | None = _doc("Other names under which the raw files have the character's lines.", None)
    background_titles: list[str] | None = _doc("Patterns of `input` that make a record a background passage.", None)
    voice_only_titles: list[str] | None = _doc("Patterns of `input` that make a record a line, never a setting.", None)
    speaker_names: str = _doc("Whether others' turns in a scene begin with their names: prefix or none.", "prefix")
    context_turns: int = _doc("How many turns before a line are shown with it, where the raw file has them.", 6)
    columns: list[str] | None = _doc("Names of columns where a table has its own: ours=theirs, as in text=line.", None)
    rows: str | None = _doc("Where a nested document has its rows: a path, as plots[].lines[], with `columns`.", None)
    maps: list[Any] | str | None = _doc('Several such, by file: [{files: "*.json", rows: PATH, columns: [...]}].', None)
    scene_gap: float = _doc("Hours without a message after which a chat's next scene begins (0: never).", 6.0)
    merge_messages: bool = _doc("Make one person's messages in a row, in a chat, one record.", False)
    user_name: str | None = _doc("What stands for {{user}} and {NICKNAME}. Default: 朋友 or friend.", None)
    alternatives: str = _doc(
        "Of options as in `a。/b。`: split, first or second; of words (他/她) one is taken.", "split"
    )
    short_lines: int = _doc("How many lines of 1 to 3 Chinese characters are kept.", 0)
    inner_thoughts: bool = _doc("Keep lines that stand wholly in brackets.", False)
    mask_private: bool = _doc("Mask phone numbers, e-mail and street addresses and ids.", False)
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
    exposures: int = _doc(
        "How often each fact is seen in the run, each time in other words, or more often where there are few; "
        "the run's length follows from it.",
        20,
    )
    wordings: str = _doc(
        "In what words a fact is asked for: copies of the user's, frames around them, or families of other wordings.",
        "families",
    )
    reverse_share: float = _doc(
        "Share of a fact's exposures that ask the other way round, by what its answer names (wordings: families).", 0.2
    )
    question_rules: list[str] | None = _doc(
        "Files of rules and synonyms for other wordings, before the built-in ones (JSON).", None
    )
    passage_facts: bool = _doc("Ask, too, for what background passages plainly state (age, work, tastes ...).", True)
    boundaries: float = _doc(
        "Share of rows, beside the settings', that teach who it is, what it cannot know, and what not to blurt out.",
        0.3,
    )
    loss_weights: dict[str, float] | str | None = _doc(
        "Weights of single kinds' tokens in the loss. Default, with `exposures`: {background: 0.5, dialogue: 0.3, "
        "misplaced: 0.3}; else, and of other kinds, 1.",
        None,
    )
    settings_weight: float | None = _doc(
        "Instead of `exposures`: how often each settings record is seen for each pass over the dialogue.", None
    )
    kind_weights: dict[str, float] | str | None = _doc(
        "Instead of `exposures`, weights of single kinds: {background: 2, setting_qa: 6, dialogue: 1, replay: 0.5}.",
        None,
    )
    probabilities: dict[str, float] | str | None = _doc(
        "Instead of weights, each kind's share of an epoch: {setting_qa: 0.4, dialogue: 0.6}.", None
    )
    weight_by: str = _doc("What weights and shares are of: records, or loss_tokens.", "records")
    max_exposures: int = _doc("Refuse a plan that would show a record more often than this.", 100)
    replay: list[str] | None = _doc("Files of general conversations, replayed against forgetting (JSON lines).", None)
    held_out: float = _doc("Share of the scenes whose lines are not trained on, but watched.", 0.0)
    on_overlong: str = _doc("What becomes of rows over max_length: error, reject or truncate_history.", "error")
    paraphrase: str = _doc(
        "Who rewords settings questions: off, self (the base model), auto (self, if it can), or another model.", "off"
    )
    paraphrases: int = _doc("How many of its wordings of a question are kept at most.", 8)
    chat_share: float = _doc("Share of questions and lines trained under the chat's own prompt.", 0.5)
    swa_start: float = _doc(
        "Save a running mean of LoRA's weights, over about the steps after this share of those so far (1: never).",
        1.0,
    )
    batching: str = _doc("auto, prefix_tree (shared beginnings are computed once) or padded.", "auto")
    bf16_if_faster: bool = _doc("On a CPU, hold the base model in bfloat16 if that is measured to be faster.", False)
    resume: str = _doc("Resume from the last complete checkpoint: auto, or force, on other processes too.", "auto")
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
        assert self.character  # noqa: S101 - `check_values` refused a recipe without one
        return self.character

    @property
    def each(self) -> list[CharacterArguments]:
        """The arguments of every character by itself, in the recipe's order: of a single one, just these.

        A key that an entry of `characters` lacks has the recipe's value. A `records_dir` of the recipe is then the
        folder above the characters' own, as `convert --character all` writes it.
        """
        entries = parse_character_entries(self.characters)
        return [self._one_of(entry) for entry in entries] if entries else [self]

    def _one_of(self, entry: Mapping[str, Any]) -> CharacterArguments:
        one = replace(self, characters=None, **entry)
        above = self.records_dir if "records_dir" not in entry else None
        return replace(one, records_dir=str(Path(above) / safe_folder_name(one.name, set()))) if above else one

    @property
    def has_weights(self) -> bool:
        """Whether the recipe weighs the kinds itself, so that the exposures follow from the weights."""
        return bool(self.settings_weight or self.kind_weights or self.probabilities)

    @property
    def averages_weights(self) -> bool:
        """Whether the run ends with the mean of its weights over several steps."""
        return self.swa_start < 1

    @property
    def weights(self) -> dict[str, float]:
        """The mixture's weight of each kind."""
        settings = dict.fromkeys(("background", "setting_qa"), self.settings_weight or SETTINGS_WEIGHT)
        return {**dict.fromkeys(MIXED_KINDS, 1.0), **settings, **parse_numbers_by_kind(self.kind_weights)}

    @property
    def weights_in_loss(self) -> dict[str, float]:
        """The weight of a token of each kind in the loss; a recipe that weighs the kinds itself has its own alone."""
        measured = {} if self.has_weights else LOSS_WEIGHTS
        return {**dict.fromkeys(MIXED_KINDS, 1.0), **measured, **parse_numbers_by_kind(self.loss_weights)}

    @property
    def raw_paths(self) -> list[Path]:
        """The raw files and folders."""
        return [Path(path).expanduser() for path in self.raw or ()]

    @property
    def records_folder(self) -> Path:
        """Where the converted records lie."""
        return Path(self.records_dir or f"build/records/{self.name}")

    @property
    def conversion(self) -> ConversionOptions:
        """The options of the conversion."""
        return ConversionOptions(
            context_turns=self.context_turns,
            other_names=self.other_names,
            background_titles=self.background_titles,
            voice_only_titles=self.voice_only_titles,
            meta_speakers=self.meta_speakers,
            columns=self.columns,
            rows=self.rows,
            maps=self.maps,
            scene_gap=float(self.scene_gap),  # YAML takes 1e-1 for a string
            merge_messages=self.merge_messages,
            near_duplicates=self.near_duplicates,
            join=self.join,
            reviewed=self.reviewed,
            user_name=self.user_name,
            alternatives=cast(Alternatives, self.alternatives),  # the recipe's check refused any other word
            short_lines=self.short_lines,
            inner_thoughts=self.inner_thoughts,
            mask_private=self.mask_private,
        )

    @property
    def instructions(self) -> dict[str, str | None]:
        """The recipe's own system prompts by purpose; None where it leaves the language's default."""
        return {
            "background": self.system_background,
            "setting_qa": self.system_setting_qa,
            "dialogue": self.system_dialogue,
            "chat": self.system_chat,
        }


def parse_character_entries(value: Any) -> list[dict[str, Any]]:
    """The entries of `characters`, as YAML gives them or as the command line's JSON; a mere name is an entry too."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return [{"character": value}]
    listed = value if isinstance(value, list) else [] if value is None else [value]
    return [dict(one) if isinstance(one, Mapping) else {"character": one} for one in listed]


def parse_numbers_by_kind(value: Any) -> dict[str, float]:
    """A mapping of kinds to numbers, as YAML gives it or as the command line's JSON; empty where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {value: 0.0}  # no kind has this name, so the check of values refuses it
    return {str(kind): float(number) for kind, number in (value or {}).items()} if isinstance(value, Mapping) else {}


def describe_keys() -> str:
    """Understudy's own keys with their defaults, one a line."""
    return "\n".join(
        f"  {entry.name:<20}{entry.metadata['help']} [{entry.default}]" for entry in fields(CharacterArguments)
    )
