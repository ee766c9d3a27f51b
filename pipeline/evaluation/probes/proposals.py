"""Probes proposed from background passages: nothing is asked before the user has set `use` to true."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from pipeline.atomic_io import write_text
from pipeline.augmentation.passage_facts import stated_facts
from pipeline.conversations.persona import Language
from pipeline.records.record import Record


def write_proposals(records: Sequence[Record], name: str, language: Language, path: Path) -> int:
    """Write a probes file with the facts of all passages, none in use yet; returns how many."""
    proposals = [
        {
            "use": False,
            "fact_id": f"{record.record_id}-{number}",
            "type": fact.type,
            "question_seen": "",
            "questions_unseen": list(fact.questions),
            "answer": fact.answer,
            "aliases": [fact.value],
            "sentence": fact.sentence,
        }
        for record, facts in stated_facts(records, name, language)
        for number, fact in enumerate(facts)
    ]
    write_text(path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in proposals))
    return len(proposals)
