"""The names of the files that a conversion writes, each of them once."""

from __future__ import annotations

RECORDS_FILE = "records.jsonl"
REJECTS_FILE = "rejects.jsonl"
CONVERSION_FILE = "conversion.json"  # one character's account; written last, so its presence means that all is there
CONVERSION_PAGE = "conversion.html"
CHARACTERS_FILE = "cast.json"  # the summary of several characters, above their folders
CHARACTERS_PAGE = "cast.html"
REVIEW_FILE = "review.csv"
