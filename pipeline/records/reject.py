"""Raw records that are not used, each with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.records.raw import RawRecord

ANOTHER_SPEAKER, META_SPEAKER = "another speaker", "a meta speaker"
NOT_CONVERTED = "a speaker who is not converted"
NEAR_DUPLICATE = "nearly a duplicate"


@dataclass(frozen=True, slots=True)
class Reject:
    """A raw record that is not used, and why; `also` lists the other places of the very same."""

    source: str
    reason: str
    speaker: str
    text: str
    also: tuple[str, ...] = ()


def reason_of_speaker(raw: RawRecord, meta_speakers: re.Pattern[str], otherwise: str = ANOTHER_SPEAKER) -> str:
    """Why a raw record of somebody else is rejected: unusable, a meta speaker's, or `otherwise`."""
    return raw.unusable or (META_SPEAKER if meta_speakers.fullmatch(raw.speaker) else otherwise)


def reject_speaker(raw: RawRecord, meta_speakers: re.Pattern[str], otherwise: str = ANOTHER_SPEAKER) -> Reject:
    """The reject of a raw record of somebody else."""
    return Reject(raw.source, reason_of_speaker(raw, meta_speakers, otherwise), raw.speaker, raw.text)


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write one JSON object a line."""
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(reject), ensure_ascii=False) + "\n" for reject in rejects)
