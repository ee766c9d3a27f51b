"""Rows of keys and values, from wherever they come: the form of each is recognised by its keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.column_advice import describe_columns
from pipeline.records.column_words import (
    EXCHANGES,
    NAMES,
    PEOPLE,
    PROMPTS,
    QUESTIONS,
    SAYINGS,
    SPEAKS,
    WEAK,
    WRITERS,
    rank,
)
from pipeline.records.raw import USER, RawRecord, ReadOptions, UnknownFormError, mapping, string
from pipeline.records.readers.rows import alpaca, haruhi, messages, seed
from pipeline.records.readers.rows.messages import SYSTEM_PROMPT
from pipeline.records.readers.rows.row_keys import count_unused, why_not_learnt
from pipeline.records.readers.rows.system_prompts import other_than
from pipeline.records.splits import remark_of_row


@dataclass(frozen=True, slots=True)
class RowForm:
    """A form of row: the keys that it cannot lack, how it is read, and the other keys that it uses."""

    name: str
    keys: frozenset[str]
    read: Callable[[str, Mapping[str, Any], ReadOptions], Iterator[RawRecord]]
    uses: frozenset[str] = frozenset()


SYSTEM = frozenset({"system"})
OF_A_LINE = frozenset({"input", "source_title"})
# The first whose keys a row has reads it.
ROW_FORMS: tuple[RowForm, ...] = (
    RowForm("ChatHaruhi line", frozenset({"input_hint", "input", "output"}), haruhi.read_line),
    RowForm("line", frozenset({"speaker", "text"}), seed.read_row, OF_A_LINE),
    RowForm("ChatHaruhi scene", frozenset({"file", "text"}), haruhi.read_scene),
    RowForm("messages", frozenset({"messages"}), messages.read_messages, SYSTEM),
    RowForm("prompt and completion", frozenset({"prompt", "completion"}), messages.read_completion, SYSTEM),
    RowForm("ShareGPT", frozenset({"conversations"}), messages.read_sharegpt, SYSTEM),
    RowForm("alpaca", frozenset({"instruction", "output"}), alpaca.read_row, SYSTEM | {"input", "history"}),
    RowForm("ms-swift", frozenset({"query", "response"}), alpaca.read_exchange, SYSTEM | {"history"}),
    RowForm("question and answer", frozenset({"question", "answer"}), seed.read_answer, frozenset({"speaker"})),
    RowForm("setting", frozenset({"input", "text"}), seed.read_setting, OF_A_LINE),
    RowForm("input and output", frozenset({"input", "output"}), alpaca.read_row, SYSTEM | {"history"}),
)
# Other words for these keys, as people head their tables.
OTHER_WORDS: Mapping[str, tuple[str, ...]] = {
    "speaker": (*sorted(SPEAKS | PEOPLE),),
    "text": (*sorted(SAYINGS),),
    "source_title": (
        "scene", "scenario", "chapter", "quest", "场景", "章节", "任务", "出处", "标题",
        "場景", "章節", "任務", "出處", "標題",
    ),
    "question": ("问题", "提问", "问", "问句", "問題", "提問", "問"),
    "answer": ("reply", "回答", "答案", "答", "答复", "回复", "答覆", "回覆"),
}  # fmt: skip
ANOTHER_BY_PROMPT = "a reply of somebody else, by its system prompt"
OF_ANOTHER = "rows are left out whose system prompt says `You are {0}`; if that is the character: --other_names '{0}'"
PROBE = frozenset({"fact_id", "questions_unseen"})
KNOWN_KEYS = frozenset(key for form in ROW_FORMS for key in form.keys)
OURS = {key: key for form in ROW_FORMS for key in (*form.keys, *form.uses)}
OURS |= {word: key for key, words in OTHER_WORDS.items() for word in words}


def form_of(row: Mapping[str, Any]) -> RowForm | None:
    """The form whose keys the row has, or has in other words."""
    return _form_of(row) or _form_of(in_our_words(row))


def _form_of(row: Mapping[str, Any]) -> RowForm | None:
    return next((form for form in ROW_FORMS if form.keys <= row.keys()), None)


def in_our_words(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row with our keys for other words and spellings of them, if its own keys are of no form and these are."""
    if _form_of(row):
        return _with_input(row)
    plain = {key: str(key).strip().lower() for key in row}
    weak = dict.fromkeys(WEAK, "text") if SPEAKS & {*plain.values()} else {}
    if any(name == "q" and str(row[key]).rstrip().endswith(("?", "？")) for key, name in plain.items()):
        weak |= {"q": "question", "a": "answer"}
    chosen: dict[str, Any] = {}
    for key, name in plain.items():
        ours = OURS.get(name) or weak.get(name)
        surest = chosen.get(ours, key) if ours else key
        if ours and ours not in row and (surest == key or rank(name) < rank(plain[surest])):
            chosen[ours] = key  # and a key of ours itself stays
    ours_for = {key: ours for ours, key in chosen.items()}
    renamed = {ours_for.get(key, key): value for key, value in row.items()}
    return _with_input(renamed) if _form_of(renamed) else _exchange(row)


def _with_input(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row whose line is asked by something with that as its `input`."""
    form = _form_of(row)
    asks = _first_text(row, (*QUESTIONS, *PROMPTS)) if form and form.name == "line" and "input" not in row else None
    return row if asks is None else {"input" if key == asks else key: row[key] for key in row}


def _exchange(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row of something asked and something replied, as data sets name them, with our keys; any other as it is.

    Where it says who replies, it is a line of theirs.
    """
    pairs = ((_first_text(row, asked), _first_text(row, replied)) for asked, replied in EXCHANGES)
    asks, replies = next((pair for pair in pairs if None not in pair), (None, None))
    if asks is None:
        return row
    speaker = _first_text(row, sorted(SPEAKS | PEOPLE))
    if speaker is not None:
        ours = {speaker: "speaker", asks: "input", replies: "text"}
    elif str(asks).strip().lower() in QUESTIONS:
        ours = {asks: "question", replies: "answer"}
    else:
        ours = {asks: "instruction", replies: "output"} | ({"context": "input"} if "input" not in row else {})
    return {ours.get(key, key): value for key, value in row.items()}


def _first_text(row: Mapping[str, Any], names: Iterable[str]) -> Any:
    """The row's key of the first of the `names` that it has with a text; None if there is none."""
    plain = {str(key).strip().lower(): key for key, value in row.items() if isinstance(value, str)}
    return next((plain[name] for name in names if name in plain), None)


def ours_by_theirs(options: ReadOptions) -> dict[str, str]:
    """Our key for each column that the recipe's `columns` name."""
    return {theirs: _our_key(name) for name, theirs in options.columns.items() if not _is_quoted(theirs)}


def constant_columns(options: ReadOptions) -> dict[str, str]:
    """What the recipe's `columns` say of every row themselves, in quotation marks: speaker="{{char}}"."""
    return {_our_key(name): theirs[1:-1] for name, theirs in options.columns.items() if _is_quoted(theirs)}


def _our_key(name: str) -> str:
    return "source_title" if name == "title" else name


def _is_quoted(theirs: str) -> bool:
    return len(theirs) > 1 and theirs[0] == theirs[-1] and theirs[0] in "'\""


def read_rows(rows: Iterable[tuple[str, Any]], options: ReadOptions) -> Iterator[RawRecord]:
    """The records of (place, row) pairs.

    Raises:
        UnderstudyError: a row is no mapping, or lacks what its form needs.
    """
    ours, constants = ours_by_theirs(options), constant_columns(options)
    for source, value in rows:
        row = mapping(source, value)
        if row.keys() >= PROBE:
            what = "is a question to test with, and nothing to learn: `probes` in the recipe names such a file"
            raise UnknownFormError(source, what, fix="name it there")
        _check_columns(source, row, ours)
        row = in_our_words({ours.get(key, key): content for key, content in row.items()} if ours else row)
        if constants and not _form_of(row):  # a row that names its own speaker keeps it
            row = in_our_words({**constants, **row})
        form = _form_of(row) or (None if _says_whose(row, options.names) else _nearest(row))
        if form is None:
            keys = ", ".join(map(str, list(row)[:8])) or "nothing"
            raise UnknownFormError(
                source, f"has {keys}, which is no known form", fix=describe_columns([row], options.names)
            )
        count_unused(source, row, form.keys | form.uses, options.unused_keys)
        if remark := remark_of_row(row):
            options.remarks[remark] += 1
        read = (*_system_prompt(source, row), *form.read(source, row, options))
        not_learnt = why_not_learnt(source, row) or _why_of_another(read, options)
        for raw in read:
            yield replace(raw, unusable=raw.unusable or not_learnt) if not_learnt else raw


def _check_columns(source: str, row: Mapping[str, Any], ours: Mapping[str, str]) -> None:
    """Of the recipe's `columns` a row has all that its form needs, or none at all.

    Raises:
        UnderstudyError: it has some of them, and is of no form without the others.
    """
    missing = [theirs for theirs in ours if theirs not in row]
    if missing and len(missing) < len(ours) and not form_of({ours.get(key, key): one for key, one in row.items()}):
        raise UnderstudyError(
            source,
            f"has no {missing[0]!r}, which `columns` names; it has {', '.join(map(repr, row))}",
            fix="correct `columns` in the recipe",
        )


def _system_prompt(source: str, row: Mapping[str, Any]) -> Iterator[RawRecord]:
    """A row's own system prompt, which is set aside: the persona has the character's."""
    if not isinstance(row.get("system"), Mapping) and (text := string(source, row, "system")):
        yield RawRecord(f"{source}.system", USER, text, unusable=SYSTEM_PROMPT)


def _why_of_another(read: Iterable[RawRecord], options: ReadOptions) -> str:
    """Why a row's records are not the character's, where its system prompt says that somebody else replies."""
    for raw in read:
        if raw.unusable == SYSTEM_PROMPT and (who := other_than(raw.text, options.names)):
            options.remarks[OF_ANOTHER.format(who)] += 1
            return ANOTHER_BY_PROMPT
    return ""


def _says_whose(row: Mapping[str, Any], names: Collection[str]) -> bool:
    """Whether a row of no form has a text and says whose it is, under a name that is not ours: it may be another's."""
    return "text" in row and any(
        str(key).strip().lower() in WRITERS | NAMES | PEOPLE or value.strip() in names
        for key, value in row.items()
        if isinstance(value, str) and key != "text"
    )


def _nearest(row: Mapping[str, Any]) -> RowForm | None:
    """The form that shares most keys with the row: its reader reports what is missing."""
    partly = [form for form in reversed(ROW_FORMS) if form.keys & row.keys()]
    return max(partly, key=lambda form: len(form.keys & row.keys()), default=None)
