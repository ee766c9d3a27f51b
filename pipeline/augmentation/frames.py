"""A question in mechanical frames, the last resort where no rule knows the question.

The frames are safe for any question, but they are hardly other words: `docs/log.md` has what little they give.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.conversations.persona import Language, Persona
from pipeline.records.traditional_chinese import is_traditional, to_traditional

FRAMES: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "Tell me: {question}",
        "{name}, {lowered}",
        "I have been wondering. {question}",
        "Hello! {question}",
        "May I ask, {lowered}",
        "{question} I would like to know.",
        "People want to know: {lowered}",
    ),
    "zh": (
        "请问，{question}",
        "{name}，{question}",
        "我一直想知道：{question}",
        "你好！{question}",
        "能告诉我吗？{question}",
        "{question}我很想知道。",
        "有人问起：{question}",
    ),
}

QUESTION_WORDS = frozenset(
    "what which who whom whose where when why how is are was were do does did have has had can could will would".split()  # noqa: SIM905 - words read better as words
)


def framed(question: str, persona: Persona, *, traditional: bool = False) -> list[str]:
    """The question in every frame; none of anything that is no question."""
    if not question.rstrip().endswith(("?", "？")):
        return []
    # A question word loses its capital inside a sentence; a name, or "I", keeps it.
    asks = question.split()[0].lower() in QUESTION_WORDS
    lowered = question[0].lower() + question[1:] if asks else question
    slots = {"question": question, "lowered": lowered, "name": persona.name}
    frames = FRAMES[persona.language]
    frames = tuple(map(to_traditional, frames)) if is_traditional(question, otherwise=traditional) else frames
    return [frame.format(**slots) for frame in frames]
