"""Subtitles: .ass with the speaker's name, .srt with none but one written in the line."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from pipeline.errors import UnderstudyError
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, scene_records
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.transcript import spoken_line, unquote

TIMES = re.compile(r"\d{1,2}:\d{2}:\d{2}[.,]\d{1,3}\s*-->\s*\d{1,2}:\d{2}:\d{2}[.,]\d{1,3}")
ASS_HEAD = re.compile(r"^\[Script Info\]", re.MULTILINE | re.IGNORECASE)
EVENT = re.compile(r"^(Dialogue|Comment)\s*:", re.MULTILINE)
PAUSE = 10_000  # milliseconds of silence that separate two scenes


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it has the head of an .ass, or the times of an .srt."""
    if not file.encoding:
        return False
    head = file.head.decode(file.encoding, errors="ignore")
    return bool(ASS_HEAD.search(head) or TIMES.search(head[:2000])) or file.path.suffix.lower() in (".ass", ".srt")


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every subtitle as a turn; a pause of ten seconds separates scenes.

    Raises:
        UnderstudyError: the parser did not find every subtitle that the file has.
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
    scene: list[RawTurn] = []
    silent_since = 0
    for number, event in enumerate(subtitles, 1):
        if scene and event.start - silent_since > PAUSE:
            yield from scene_records(scene, title="", place=scene[0].source, window=options.window)
            scene = []
        silent_since = max(silent_since, event.end)
        scene.append(_turn(f"{file.path}#{number}", event.name.strip(), event.plaintext.strip(), event.is_comment))
    yield from scene_records(scene, title="", place=scene[0].source, window=options.window)


def _turn(source: str, name: str, text: str, is_comment: bool) -> RawTurn:
    if is_comment:
        return RawTurn(source, name or UNNAMED, text, "a comment")
    spoken = None if name else spoken_line(text)
    if spoken:
        return RawTurn(source, spoken["speaker"], unquote(spoken["text"].strip()))
    return RawTurn(source, name or UNNAMED, text)
