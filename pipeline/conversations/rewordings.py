"""The same question in other frames: exposures spent on wordings are remembered better than copies.

The frames are mechanical, so they are safe for any question; `docs/log.md` has what they gave.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.conversations.persona import Language, Persona

FRAMES: Mapping[Language, tuple[str, ...]] = {
    "en": (
        "{question}",
        "Tell me: {question}",
        "{name}, {lowered}",
        "I have been wondering. {question}",
        "Hello! {question}",
        "May I ask, {lowered}",
        "{question} I would like to know.",
        "People want to know: {lowered}",
    ),
    "zh": (
        "{question}",
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


def rewordings(question: str, persona: Persona, count: int) -> list[str]:
    """At most `count` wordings of a question, the original first; anything that is no question has only itself."""
    if not question.rstrip().endswith(("?", "？")):
        return [question]
    # A question word loses its capital inside a sentence; a name, or "I", keeps it.
    asks = question.split()[0].lower() in QUESTION_WORDS
    lowered = question[0].lower() + question[1:] if asks else question
    frames = FRAMES[persona.language][: max(count, 1)]
    return [frame.format(question=question, lowered=lowered, name=persona.name) for frame in frames]
