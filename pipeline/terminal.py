"""Output to a terminal: lines, progress bars, durations, and columns of which a Chinese character takes two."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Callable, Sequence
from typing import TextIO

STEADY = 0.05  # of the rate that the time left is told by: parts differ in theirs
BAR = "{desc}: {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
Progress = Callable[[int, int], None]  # called with the number done and the total


def print_line(text: str, stream: TextIO | None = None) -> None:
    """Write a line at once, to stdout unless another stream is given."""
    stream = stream or sys.stdout
    stream.write(f"{text}\n")
    stream.flush()


def progress_bar(title: str) -> Progress:
    """A progress bar with the time left, which closes itself at the total. What it counts is the caller's."""
    from tqdm import tqdm

    bar = tqdm(total=0, desc=title, leave=False, smoothing=STEADY, bar_format=BAR)

    def update(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return update


def split_progress(progress: Progress, sizes: Sequence[int]) -> list[Progress]:
    """A progress for each of several parts that come in turn, all of which move the one given by their sizes."""
    total = sum(sizes)

    def part(start: int, size: int) -> Progress:
        return lambda done, of: progress(start + (size * done // of if of else size), total)

    return [part(sum(sizes[:number]), size) for number, size in enumerate(sizes)]


def duration(seconds: float) -> str:
    """`seconds` in the two largest units that fit: `3 min 20 s`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes_left} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def display_width(text: str) -> int:
    """How many columns the text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int) -> str:
    """The text with spaces after it, up to `width` columns."""
    return text + " " * (width - display_width(text))
