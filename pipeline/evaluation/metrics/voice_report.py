"""Two models' replies held against a character's real lines: like it, alike in form, varied, copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.evaluation.metrics.voice import (
    MIN_REPLIES,
    StyleDistance,
    VoiceProfile,
    VoiceScore,
    copy_rate,
    distinct_2,
    fit_voice,
    style_distance,
    voice_score,
)

ENOUGH_OTHERS = 100  # lines of other speakers, to hold a voice against them


@dataclass(frozen=True, slots=True)
class VoiceReferences:
    """What a voice is held against: the texts trained on, the lines among them, and other speakers' lines and names."""

    trained: Sequence[str]
    lines: Sequence[str]
    others: Sequence[str]
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class VoiceFigures:
    """The voice of one model's replies: `score` is None where no voice can be measured, `style` without real lines."""

    replies: int
    score: VoiceScore | None = None
    style: StyleDistance | None = None
    copy_rate: float = 0.0
    distinct_2: float = 0.0


@dataclass(frozen=True, slots=True)
class VoiceReport:
    """Both models' figures; `against` says whose lines stand at 0, `reason` why there is no score."""

    base: VoiceFigures
    trained: VoiceFigures
    against: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `recall.json` has it: only the numbers of replies where a model gave none."""
        if not (self.base.replies and self.trained.replies):
            return {"base": {"replies": self.base.replies}, "trained": {"replies": self.trained.replies}}
        return asdict(self)


def compare_voices(
    before: Sequence[str], after: Sequence[str], held_out: Sequence[str], references: VoiceReferences
) -> VoiceReport:
    """The voice of the replies before and after training.

    Where too few lines were held out, every tenth trained line stands with them; where there are too few other
    speakers' lines, the base model's replies stand for those.
    """
    if not before or not after:
        return VoiceReport(VoiceFigures(len(before)), VoiceFigures(len(after)))
    own, real = sorted(references.lines), list(held_out)
    if len(real) < MIN_REPLIES:
        own, real = [line for number, line in enumerate(own) if number % 10], real + own[::10]
    enough = len(references.others) >= ENOUGH_OTHERS
    others = references.others if enough else before
    measurable = min(len(own), len(real), len(others)) >= MIN_REPLIES
    profile = fit_voice(own, real, others, references.names) if measurable else None
    usable = profile if profile and profile.separates else None
    return VoiceReport(
        base=_figures(before, usable, real, references.trained),
        trained=_figures(after, usable, real, references.trained),
        against="other speakers" if enough else "the base model",
        reason="" if usable else "Its lines are too few, or too little unlike the others', to tell a voice by.",
    )


def _figures(
    replies: Sequence[str], profile: VoiceProfile | None, real: Sequence[str], trained: Sequence[str]
) -> VoiceFigures:
    return VoiceFigures(
        replies=len(replies),
        score=voice_score(replies, profile) if profile else None,
        style=style_distance(replies, real) if real else None,
        copy_rate=copy_rate(replies, trained),
        distinct_2=distinct_2(replies),
    )
