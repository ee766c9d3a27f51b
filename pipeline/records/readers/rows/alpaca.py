"""Instructions: {"instruction", "input", "output"}, the original's own among them; ms-swift's query and response."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import CHARACTER, USER, RawRecord, RawTurn, ReadOptions, scene_records, sequence, string
from pipeline.records.record import Kind, Turn

# The instructions that the original wrote into its rows, and the kind that each of them means.
INSTRUCTIONS: tuple[tuple[re.Pattern[str], Kind], ...] = (
    (re.compile(r"以下是关于.+的背景故事和设定描述。?"), "background"),
    (re.compile(r"你现在是.+。请根据你的背景设定回答问题。?"), "setting_qa"),
    (re.compile(r"你现在是.+。请模仿.+的语气、口癖和性格进行对话。?"), "dialogue"),
)
# An instruction that says who is to answer, as a system prompt does, and asks for nothing.
SAYS_WHO = re.compile(
    r"(?:(?:please |now )?(?:you are|you're|you will be|act as|pretend to be|pretend you are|role-?play as|"
    r"play the role of|take on the role of|imagine (?:that )?you are|respond as|reply as|answer as|speak as)\b"
    r"|(?:现在)?(?:请)?(?:你现在是|你是|你将扮演|你要扮演|扮演|假设你是|想象你是|以.{1,20}的(?:身份|口吻|语气)))"
    # at most one more sentence, of how to answer: another task is a part of what is asked
    r"(?:(?! and (?!answer|reply|respond|speak|talk|stay))[^.。!！?？\n])*[.。!！]?\s*"
    r"(?:(?:please |always )?(?:answer|reply|respond|speak|talk|stay)\b[^.!?\n]*[.!]?"
    r"|请?(?:用|以|回答|按)[^。！？\n]*[。！]?)?",
    re.IGNORECASE | re.DOTALL,
)


def read_row(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """The output as the character's reply to the instruction and its input, and to the history before them."""
    instruction, given = string(source, row, "instruction"), string(source, row, "input")
    _check_asked(source, row, "instruction", "input")
    reply = string(source, row, "output", required=True)
    for pattern, kind in INSTRUCTIONS:
        if pattern.fullmatch(instruction):
            why = f"the original's instruction for {kind}"
            yield RawRecord(source, CHARACTER, reply, asked=given, place=source, kind=kind, why=why)
            return
    if given and SAYS_WHO.fullmatch(instruction) and any(name in instruction for name in options.names):
        instruction = ""  # in every row the same, it would be a part of every question
    asked = "\n".join(part for part in (instruction, given) if part)
    if row.get("history"):
        turns = [*_history(source, row["history"]), RawTurn(source, USER, asked), RawTurn(source, CHARACTER, reply)]
        yield from scene_records(turns, title="", place=source, window=options.window)
    else:
        yield reply_to(asked, reply, source)


def read_exchange(source: str, row: Mapping[str, Any], options: ReadOptions) -> Iterator[RawRecord]:
    """The same of ms-swift's {"query", "response"}, with or without a history."""
    _check_asked(source, row, "query")
    renamed = {"query": "instruction", "response": "output"}
    yield from read_row(source, {renamed.get(key, key): value for key, value in row.items()}, options)


def _check_asked(source: str, row: Mapping[str, Any], *keys: str) -> None:
    """The row has one of these keys: a reply without what it answers would be learnt as a line.

    Raises:
        UnderstudyError: it has none.
    """
    if not row.keys() & {*keys}:
        raise UnderstudyError(
            source,
            f"has {', '.join(map(repr, row))}, and nothing that its reply answers",
            fix=f"name the column of what is asked {keys[0]!r}",
        )


def _history(source: str, history: Any) -> Iterator[RawTurn]:
    """The exchanges before, each a pair of what was asked and what the character replied.

    Raises:
        UnderstudyError: one is no pair of texts.
    """
    for number, pair in enumerate(sequence(source, history, "history")):
        where = f"{source}.history.{number}"
        if not isinstance(pair, list) or len(pair) != len(("asked", "replied")):
            raise UnderstudyError(where, "is no pair", fix='write it as ["what was asked", "the reply"]')
        for speaker, text in zip((USER, CHARACTER), pair, strict=True):
            yield RawTurn(where, speaker, string(where, {"history": text}, "history"))


def reply_to(prompt: str, reply: str, source: str) -> RawRecord:
    """A question makes the reply an answer; anything else is a turn before it."""
    if prompt.endswith(("?", "？")):
        return RawRecord(source, CHARACTER, reply, asked=prompt, place=source)
    context = (Turn(USER, prompt),) if prompt else ()
    return RawRecord(
        source, CHARACTER, reply, context=context, place=source, kind="dialogue", why="a reply to what is no question"
    )
