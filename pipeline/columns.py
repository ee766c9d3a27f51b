"""Columns in a terminal, where a Chinese character takes two."""

from __future__ import annotations

import unicodedata


def display_width(text: str) -> int:
    """How many columns the text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def padded(text: str, width: int) -> str:
    """The text with spaces after it, up to `width` columns."""
    return text + " " * (width - display_width(text))
