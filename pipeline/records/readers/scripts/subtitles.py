"""Subtitles: .ass with the speaker's name, .srt where one is written: `Name: line`, 【名】话, - Name: line."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.scripts.script_lines import LABEL, spoken_line, unquote
from pipeline.records.readers.scripts.script_turns import ENDED, GOES_ON, NO_SPEAKER, unglued

if TYPE_CHECKING:
    import pysubs2

TIMES = re.compile(r"\d{1,2}:\d{2}:\d{2}[.,]\d{1,3}\s*-->\s*\d{1,2}:\d{2}:\d{2}[.,]\d{1,3}")
ASS_HEAD = re.compile(r"^\[Script Info\]", re.MULTILINE | re.IGNORECASE)
EVENT = re.compile(r"^(Dialogue|Comment)\s*:", re.MULTILINE)
PAUSE = 10_000  # milliseconds of silence that separate two scenes
IN_BRACKETS = re.compile(r"[【\[](?P<speaker>[^【】\[\]:：]{1,20})[】\]]\s*(?P<text>.*)", re.DOTALL)
BRACKETS_SHARE = 0.5  # of the subtitles, in a file where what stands in brackets is who speaks, not a sound
DASH = re.compile(r"[-–—]\s*(?=\w)")  # before what each of two people says in one subtitle
# What goes before a colon amid a subtitle: Mira Vale, 洛明; no word of a sentence that goes on.
NAME = re.compile(
    r"(?!第[一二三四五六七八九十\d]|其[一二三四]|记住|記住|注意|警告|Danger|Warning|Caution|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)"
    r"(?:[^\W\d_a-z\u2e80-\U0010ffff]\S*(?: [A-Z0-9]\S*){0,3}|[\u2e80-\u9fff\uac00-\ud7af]{1,8})"
)
SIGN_STYLE = re.compile(r".*(?:\bsigns?\b(?![ -]?off)|typeset|on.?screen).*", re.IGNORECASE)
PLACED = re.compile(r"\\(?:pos|move)\(")  # on a sign that is seen
SIGN, SOUND = "a sign", "a sound"
FIRST_PERSON = re.compile(r"I\b")  # a capital amid a sentence, too
SOUNDS = re.compile(r"[\[(（【♪♫*][^\[\]()（）【】]*[\])）】♪♫*]|[♪♫].*[♪♫]", re.DOTALL)


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it has the head of an .ass, or the times of an .srt."""
    if not file.encoding:
        return False
    head = file.beginning
    return bool(ASS_HEAD.search(head) or TIMES.search(head[:2000])) or file.path.suffix.lower() in (".ass", ".srt")


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """What everybody says in every subtitle as a turn; a pause of ten seconds separates scenes.

    Raises:
        UnderstudyError: the parser did not find every subtitle that the file has.
    """
    subtitles = _parsed(file)
    bracketed = _has_names_in_brackets([event.plaintext.strip() for event in subtitles])
    cues = [
        (event, list(_turns(f"{file.path}#{number}", event, bracketed))) for number, event in enumerate(subtitles, 1)
    ]
    usable = [turn for _, turns in cues for turn in turns if not turn.unusable and turn.speaker != UNNAMED]
    names = {turn.speaker for turn in usable} | {*options.names}
    names = {name for name in names if len(name) > 1}
    stops = 2 * sum(turn.text.endswith(ENDED) for turn in usable) > len(usable)
    scene: list[RawTurn] = []
    silent_since = 0
    for event, turns in cues:
        if scene and event.start - silent_since > PAUSE:
            yield from scene_records(scene, title="", place=scene[0].source, window=options.window)
            scene = []
        silent_since = max(silent_since, event.end)
        scene += unglued(_gone_on(scene, turns, stops), names)
    yield from scene_records(scene, title="", place=scene[0].source, window=options.window)


def _parsed(file: RawFile) -> Sequence[pysubs2.SSAEvent]:
    """Every subtitle of the file.

    Raises:
        UnderstudyError: the parser did not find every one.
    """
    import pysubs2

    text = file.text()
    form = "ass" if ASS_HEAD.search(text) else "srt"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a margin or a layer that is no number: not about the text
            subtitles = pysubs2.SSAFile.from_string(text, format_=form)
    except (pysubs2.Pysubs2Error, ValueError, IndexError, KeyError, OverflowError) as error:
        raise UnderstudyError(file.path, f"is no sound .{form} ({error})", fix="export the subtitles again") from error
    written = len((EVENT if form == "ass" else TIMES).findall(text))
    if len(subtitles) != written or not written:
        raise UnderstudyError(
            file.path, f"has {written} subtitles, of which {len(subtitles)} can be read", fix="repair the others"
        )
    return list(subtitles)


def _has_names_in_brackets(texts: Sequence[str]) -> bool:
    """Whether half of the subtitles begin with brackets, and somebody stands in them again and again."""
    names = Counter(found["speaker"] for text in texts if (found := IN_BRACKETS.fullmatch(text)) and found["text"])
    is_usual = sum(names.values()) >= BRACKETS_SHARE * len(texts)
    return is_usual and sum(count for count in names.values() if count > 1) >= sum(names.values()) / 2


def _turns(source: str, event: pysubs2.SSAEvent, bracketed: bool) -> Iterator[RawTurn]:
    """What is said in a subtitle: a line that begins with a name or a dash is somebody else's."""
    name, text = event.name.strip(), event.plaintext.strip()
    if event.is_comment:
        yield RawTurn(source, name or UNNAMED, text, "a comment")
        return
    is_placed = not name and PLACED.search(event.text) and not spoken_line(text)
    if SIGN_STYLE.fullmatch(event.style) or is_placed:
        yield RawTurn(source, UNNAMED, text, SIGN)
        return
    dashed = sum(DASH.match(line) is not None for line in text.split("\n")) > 1
    said: RawTurn | None = None
    for line in text.split("\n"):
        turn = _turn(source, line, name, bracketed, said is None)
        begins = turn.speaker != UNNAMED or (dashed and DASH.match(line))
        if said is None or begins:
            if said:
                yield replace(said, text=unquote(said.text))
            said, name = replace(turn, text=DASH.sub("", turn.text, count=1) if dashed else turn.text), ""
        else:
            said = replace(said, text=f"{said.text}\n{line}".strip())
    if said:
        yield replace(said, text=unquote(said.text))


def _turn(source: str, line: str, name: str, bracketed: bool, is_first: bool) -> RawTurn:
    """One line, with whoever it says speaks it."""
    spoken = None if name else (bracketed and IN_BRACKETS.fullmatch(line)) or spoken_line(line)
    if spoken and (is_first or (NAME.fullmatch(spoken["speaker"]) and not LABEL.fullmatch(spoken["speaker"]))):
        said = spoken["text"].strip()
        return RawTurn(source, spoken["speaker"], said, SOUND if SOUNDS.fullmatch(said) else "")
    if SOUNDS.fullmatch(line):
        return RawTurn(source, name or UNNAMED, line, SOUND)
    return RawTurn(source, name or UNNAMED, line, not_learnt="" if name else NO_SPEAKER)


def _gone_on(scene: Sequence[RawTurn], turns: Sequence[RawTurn], stops: bool) -> Sequence[RawTurn]:
    """The turns, where nobody is named the first as the rest of what was said before, if that has not ended.

    `stops` is whether sentences end with full stops in the file: elsewhere a missing one means nothing.
    """
    before = next((turn for turn in reversed(scene) if not turn.unusable), None)
    if before is None or before.speaker == UNNAMED or not turns or turns[0].not_learnt != NO_SPEAKER or len(turns) > 1:
        return turns
    begins_anew = turns[0].text[:1].isupper() and not FIRST_PERSON.match(turns[0].text)
    if not begins_anew and (before.text.endswith(GOES_ON) or (stops and not before.text.endswith(ENDED))):
        return [replace(turns[0], speaker=before.speaker, not_learnt="")]
    return turns
