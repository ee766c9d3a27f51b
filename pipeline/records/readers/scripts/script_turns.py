"""The turns of a script's lines: lines that go on in the next, blocks below a name, lines glued together."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from pipeline.records.asides import without_asides
from pipeline.records.pieces import split_glued
from pipeline.records.raw import UNNAMED, RawTurn
from pipeline.records.readers.scripts.script_lines import (
    HEADLINE,
    KAG_TAGS,
    STAGE_DIRECTION,
    line_of,
    spoken_line,
    unquote,
)
from pipeline.records.role_play import Play, without_players

ENDED = tuple(".!?…。！？~～—)）」』”*\"'’")  # what a line that goes on in the next one does not end with
GOES_ON = tuple(",，、;；")
CLOSED_WRONGLY = tuple(f"{end}“" for end in ".!?…。！？~～—")  # the closing mark typed as the opening one
WRAPPED = 20  # characters of a line that may have been wrapped
MOST_JOINED = 5  # lines that a turn goes on in
# Of a game's engine amid a line: (if: $mood > 1)[Sit.], <<if $sugar>>Sweet.<</if>>.
LOGIC = re.compile(r"<<[^<>]+>>|\((?:if|else-if|else|unless|set|put|print|link|goto|live|either)\s*:")
A_LOGIC, CHOICE = "a game's logic", "a menu's choice"
NO_SPEAKER, DIRECTION, NARRATION = "no speaker", "a stage direction", "narration"
# A line of nothing else: 【我去洗澡】, [laughs]; what ends as a sentence is said: 【叮！任务已发布。】.
MARKED = re.compile(
    r"【[^【】]*(?<![.!?。！？…])】|\[[^\[\]]*(?<![.!?。！？…])\]|【[他她][^【】]*】|\[(?:[他她]|S?[Hh]e\s)[^\[\]]*\]"
)
QUOTE = re.compile(r"“[^“”]*”|「[^「」]*」|『[^『』]*』|\"[^\"]*\"")
QUOTE_MARKS = '“”「」『』"'
BRACKETED = re.compile(r"（[^（）]*）|\([^()]*\)|\[[^\[\]]*\]|\*[^*]+\*")
TELLS = re.compile(r"[他她它]|(?:He|She|It|They|The)\s")  # what a line that is told, not said, often begins with

# A quotation that ends as a sentence does, and what is told behind it: “Below,” she said.
TOLD_BEHIND = re.compile(r"(?:“[^“”]*[,.!?…，。！？—]”|\"[^\"]*[,.!?…，。！？—]\"|「[^「」]*」)\s*[^\W\d_][^\n]*")


def turns_of(
    lines: Iterable[tuple[str, str]], forms: Sequence[re.Pattern[str]] = (), play: Play | None = None
) -> Iterator[RawTurn]:
    """The turns of (place, line) pairs; a stage direction, or a line without a speaker, is an unusable one.

    A line without a speaker is the rest of a turn whose text has not ended, or stands below its speaker's name; one
    that is indented and quoted goes on with what is quoted above. `forms` are those of lines without a colon, and
    `play` is how people play in the script.
    """
    said: RawTurn | None = None
    joined, speakers = 0, set[str]()
    written = [(source, raw_line) for source, raw_line in lines if raw_line.strip()]
    turns = without_players((_turn(source, line.strip(), forms) for source, line in written), play)
    for (source, raw_line), turn in zip(written, turns, strict=True):
        line = raw_line.strip()
        is_rest = turn.unusable == NO_SPEAKER and joined < MOST_JOINED and not line.startswith((*speakers,))
        if said and is_rest and _goes_on(said.text, line):
            said, joined = replace(said, text=_joined(said.text, line)), joined + 1
        elif said and is_rest and _is_quoted_too(said, raw_line):
            yield _whole(said)
            said = RawTurn(source, said.speaker, line)
        elif said and turn.unusable == DIRECTION and not said.text:
            yield turn
        else:
            if said:
                yield _whole(said)
            said, joined = turn, 0
            speakers |= {turn.speaker} - {UNNAMED}
    if said:
        yield _whole(said)


def block_turns(
    lines: Sequence[tuple[str, str]],
    heads: Collection[str],
    forms: Sequence[re.Pattern[str]] = (),
    play: Play | None = None,
) -> Iterator[RawTurn]:
    """The turns of a scene in which speakers may stand alone above their lines.

    `heads` are such names of a script that has them throughout, with a colon; below another name with nothing but a
    colon a block counts where it quotes.
    """
    start = 0
    while start < len(lines):
        head = lines[start][1]
        is_head = head in heads or _is_bare(head)
        end = start + 1
        while end < len(lines) and not (lines[end][1] in heads or (is_head and spoken_line(lines[end][1]))):
            if not is_head and _is_bare(lines[end][1]):
                break
            end += 1
        below = [pair for pair in lines[start + 1 : end] if pair[1].strip()] if is_head else []
        if len(below) > 1 and (head in heads or any(QUOTE.search(line) for _, line in below)):
            named = spoken_line(head)
            yield from without_players(_of_block(named["speaker"] if named else head[:-1], below), play)
        else:
            yield from turns_of(lines[start:end], forms, play)
        start = end


def _is_bare(line: str) -> bool:
    """Whether the line is a name with a colon, and nothing else."""
    found = spoken_line(line) if line.endswith((":", "：")) else None
    return found is not None and not found["text"]


def unglued(turns: Iterable[RawTurn], names: Collection[str]) -> Iterator[RawTurn]:
    """The turns, those of others glued into one's as turns of their own, in their order."""
    for turn in turns:
        parts = [] if turn.unusable else split_glued(turn.speaker, turn.text, names)
        if parts == [(turn.speaker, turn.text)] or not parts:
            yield turn
        else:
            yield from (replace(turn, speaker=speaker, text=unquote(text)) for speaker, text in parts)


def _of_block(name: str, below: Sequence[tuple[str, str]]) -> Iterator[RawTurn]:
    """What is said in the lines below a name: what is quoted where they quote and tell, else all that is not told."""
    lines = [(source, KAG_TAGS.sub("", line).strip()) for source, line in below]
    told = [(source, line) for source, line in lines if not STAGE_DIRECTION.fullmatch(line)]
    yield from (RawTurn(source, UNNAMED, line, DIRECTION) for source, line in lines if (source, line) not in told)
    if not any(QUOTE.search(line) for _, line in told):
        yield from _unquoted(name, told)
        return
    said = ""
    for source, line in told:
        rest = BRACKETED.sub("", QUOTE.sub("", line))
        parts = [found[0].strip(QUOTE_MARKS) for found in QUOTE.finditer(line)]
        if parts and any(char.isalnum() for char in rest):
            text = "".join(parts) if not parts[0].isascii() else " ".join(parts)
        else:
            text = unquote(line) if parts else ""
        if not text:
            yield RawTurn(source, UNNAMED, line, NARRATION)
        said = f"{said}\n{text}".strip()
    if said:
        yield RawTurn(told[0][0], name, said)


def _unquoted(name: str, told: Sequence[tuple[str, str]]) -> Iterator[RawTurn]:
    """The lines up to the first that seems to be told: nothing says who speaks from there on."""
    first = next((number for number, (_, line) in enumerate(told) if TELLS.match(line)), len(told))
    said = ""
    for _, line in told[:first]:
        said = _joined(said, line) if _goes_on(said, line) else f"{said}\n{line}"
    if said:
        yield RawTurn(told[0][0], name, said)
    yield from (RawTurn(source, UNNAMED, line, NARRATION) for source, line in told[first:])


def _turn(source: str, line: str, forms: Sequence[re.Pattern[str]]) -> RawTurn:
    if reason := without_asides(line)[1]:
        return RawTurn(source, UNNAMED, line, reason)
    if STAGE_DIRECTION.fullmatch(line):
        return RawTurn(source, UNNAMED, line, DIRECTION)
    spoken = line_of(line, forms)
    if spoken is None:
        return RawTurn(source, UNNAMED, line, NO_SPEAKER)
    text, reason = without_asides(spoken["text"])
    if not reason and LOGIC.search(text):
        reason = A_LOGIC
    return RawTurn(source, spoken["speaker"], text, reason or (DIRECTION if MARKED.fullmatch(text) else ""))


def _whole(turn: RawTurn) -> RawTurn:
    """The turn with all of its text, without a game engine's tags and the quotation marks around it."""
    return replace(turn, text=unquote(KAG_TAGS.sub("", turn.text).strip()))


def _is_quoted_too(said: RawTurn, raw_line: str) -> bool:
    """Whether the line is indented below a quotation, and one as a whole."""
    return (
        not said.unusable
        and raw_line[:1].isspace()
        and said.text.endswith(("」", "”", "』"))
        and raw_line.strip().startswith(("「", "“", "『"))
        and raw_line.strip().endswith(("」", "”", "』"))
    )


def _goes_on(text: str, line: str) -> bool:
    """Whether the line is the rest of the text: it has none yet, or stops amid a sentence or a quotation."""
    if not text:
        return True
    if HEADLINE.match(line) or (line.isupper() and len(line) > 1):
        return False
    if text.endswith(GOES_ON):
        return True
    is_open = any(text.count(mark) > text.count(end) for mark, end in ("「」", "“”"))
    if is_open and not text.endswith(CLOSED_WRONGLY):
        return True
    return len(text) >= WRAPPED and line[0].islower() and not text.endswith(ENDED)


def _joined(text: str, line: str) -> str:
    """Both parts, with a space between them where both are words of a script that has spaces."""
    spaced = text[-1:].isascii() and line[:1].isascii()
    return f"{text} {line}".strip() if spaced else text + line
