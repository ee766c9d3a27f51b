"""Rows of keys and values, from wherever they come: the form of each is recognised by its keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.records.raw import USER, RawRecord, ReadOptions, UnknownFormError, mapping, string
from pipeline.records.readers import alpaca, haruhi, messages, seed
from pipeline.records.readers.messages import SYSTEM_PROMPT
from pipeline.records.readers.row_keys import NOT_LEARNT, count_unused, is_learnable
from pipeline.records.shape import describe_columns


@dataclass(frozen=True, slots=True)
class RowForm:
    """A form of row: the keys that it cannot lack, how it is read, and the other keys that it uses."""

    name: str
    keys: frozenset[str]
    read: Callable[[str, Mapping[str, Any], ReadOptions], Iterator[RawRecord]]
    uses: frozenset[str] = frozenset()


SYSTEM = frozenset({"system"})
# The first whose keys a row has reads it.
ROW_FORMS: tuple[RowForm, ...] = (
    RowForm("ChatHaruhi line", frozenset({"input_hint", "input", "output"}), haruhi.read_line),
    RowForm("ChatHaruhi scene", frozenset({"file", "text"}), haruhi.read_scene),
    RowForm("messages", frozenset({"messages"}), messages.read_messages, SYSTEM),
    RowForm("prompt and completion", frozenset({"prompt", "completion"}), messages.read_completion, SYSTEM),
    RowForm("ShareGPT", frozenset({"conversations"}), messages.read_sharegpt, SYSTEM),
    RowForm("alpaca", frozenset({"instruction", "output"}), alpaca.read_row, SYSTEM | {"input", "history"}),
    RowForm("ms-swift", frozenset({"query", "response"}), alpaca.read_exchange, SYSTEM | {"history"}),
    RowForm("line", frozenset({"speaker", "text"}), seed.read_row, frozenset({"input", "source_title"})),
)
KNOWN_KEYS = frozenset(key for form in ROW_FORMS for key in form.keys)


def form_of(row: Mapping[str, Any]) -> RowForm | None:
    """The form whose keys the row has."""
    return next((form for form in ROW_FORMS if form.keys <= row.keys()), None)


def read_rows(rows: Iterable[tuple[str, Any]], options: ReadOptions) -> Iterator[RawRecord]:
    """The records of (place, row) pairs.

    Raises:
        UnderstudyError: a row is no mapping, or lacks what its form needs.
    """
    ours = {theirs: name for name, theirs in options.columns.items()}
    for source, value in rows:
        row = mapping(source, value)
        if ours:
            row = {ours.get(key, key): content for key, content in row.items()}
        form = form_of(row) or _nearest(row)
        if form is None:
            keys = ", ".join(map(str, list(row)[:8])) or "nothing"
            raise UnknownFormError(source, f"has {keys}, which is no known form", fix=describe_columns(row))
        count_unused(source, row, form.keys | form.uses, options.unused_keys)
        learnt = is_learnable(source, row)
        for raw in (*_system_prompt(source, row), *form.read(source, row, options)):
            yield raw if learnt else replace(raw, unusable=raw.unusable or NOT_LEARNT)


def _system_prompt(source: str, row: Mapping[str, Any]) -> Iterator[RawRecord]:
    """A row's own system prompt, which is set aside: the persona has the character's."""
    if text := string(source, row, "system"):
        yield RawRecord(f"{source}.system", USER, text, unusable=SYSTEM_PROMPT)


def _nearest(row: Mapping[str, Any]) -> RowForm | None:
    """The form that shares most keys with the row: its reader reports what is missing."""
    partly = [form for form in reversed(ROW_FORMS) if form.keys & row.keys()]
    return max(partly, key=lambda form: len(form.keys & row.keys()), default=None)
