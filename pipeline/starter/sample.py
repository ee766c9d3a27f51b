"""The sample that a new folder comes with, and whether it is still among a character's records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.conversations.persona import Language
from pipeline.records.record import Record


def read_sample(language: Language) -> dict[str, Any]:
    """The sample's passage, facts and scenes, in which `{name}` is the character's and `{visitor}` somebody else's."""
    path = Path(__file__).with_name(f"starter.{language}.json")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def sample_left(records: Sequence[Record], language: Language) -> str:
    """What to do about the sample's facts beside the character's own; empty where all are, or none is.

    A folder of `understudy new` trains as it is. Whoever puts files beside the sample's has two characters in one.
    """
    sample = {fact["answer"] for fact in read_sample(language)["facts"]}
    facts = [record for record in records if record.kind == "setting_qa"]
    left = [record for record in facts if record.text in sample]
    if not left or all(record.source.startswith(left[0].source.rpartition("#")[0]) for record in facts):
        return ""
    return (
        f"{len(left)} of {len(facts)} facts are the sample's that `understudy new` wrote, such as {left[0].text!r} "
        f"({left[0].source}): delete its files, and `probes` in the recipe"
    )
