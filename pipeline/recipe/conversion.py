"""The options of a conversion, as plain values: the recipe's keys for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Alternatives = Literal["split", "first", "second"]
ALTERNATIVES: tuple[Alternatives, ...] = get_args(Alternatives)


@dataclass(frozen=True, slots=True)
class ConversionOptions:
    """The recipe's keys for conversion.

    `columns` holds "ours=theirs" pairs, `rows` and `maps` say where rows lie. `near_duplicates` is keep or merge.
    `join` names transcripts in which lines find the turns before them, `reviewed` a table that `--review` wrote, with
    decisions. Those from `user_name` to `mask_private` are those of `records.clean.CleaningRules`. `strict`: a broken
    file of a folder ends the whole.

    Its `repr` is part of the fingerprint that recognises records converted before.
    """

    context_turns: int = 6
    other_names: Sequence[str] | None = None
    background_titles: Sequence[str] | None = None
    voice_only_titles: Sequence[str] | None = None
    meta_speakers: Sequence[str] | None = None
    columns: Sequence[str] | None = None
    rows: str | None = None
    maps: Sequence[Any] | str | None = None  # a string is the command line's JSON
    scene_gap: float = 6.0
    merge_messages: bool = False
    near_duplicates: str = "keep"
    join: Sequence[str] | None = None
    reviewed: str | None = None
    user_name: str | None = None
    alternatives: Alternatives = "split"
    short_lines: int = 0
    inner_thoughts: bool = False
    mask_private: bool = False
    strict: bool = False
