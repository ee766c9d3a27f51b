"""What to do about a table whose columns no reader knows: the names that its rows suggest for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.records.shape import NOBODY_NAMED, TEXTS, guess_maps, shape_of

# Columns of what somebody says, or of what is told of them.
OF_ANYTHING = frozenset({"content", "value", "body", "text", "内容", "內容", "文本"})


def describe_columns(rows: Sequence[Mapping[str, Any]], names: Sequence[str] = ()) -> str:
    """What to do about a table: the columns that its rows suggest, ready for a recipe, if they suggest any.

    Where one of the character's `names` stands, there are the speakers.
    """
    guessed = next((guess.columns for guess in guess_maps(shape_of(rows), names) if guess.rows == ()), ())
    found = dict(pair.split("=", 1) for pair in guessed)
    names_texts = found.get("text", "").lower() in TEXTS
    own = {ours: theirs for ours, theirs in found.items() if any(theirs in row for row in rows)}
    if found.get("speaker") == NOBODY_NAMED and own.keys() >= {"text", "title"} and own["text"].lower() in OF_ANYTHING:
        return (
            f"if it is about the character, set `columns` in the recipe to [input={own['title']}, text={own['text']}]"
        )
    if found.get("speaker") == NOBODY_NAMED and names_texts:
        pairs = ", ".join(f"'{ours}={theirs}'" for ours, theirs in {"speaker": NOBODY_NAMED, **own}.items())
        return f"if all of it is the character's, set `columns` in the recipe to [{pairs}]"
    if "speaker" not in own and not names_texts:
        own = {}
    pairs = ", ".join(f"{ours}={theirs}" for ours, theirs in own.items()) or "speaker=who, text=line"
    return f"set `columns` in the recipe, such as [{pairs}]"
