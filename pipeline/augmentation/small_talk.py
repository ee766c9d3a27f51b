"""What is replied to small talk: by people where it is a greeting, by the base model to everything else.

A small model makes no sense of `Hello!` ("The latest batch of my favourite coffee shop's best-loved product ..."), and
taught, that is what a character says to everybody who comes in. What people wrote says nothing of who speaks, in few
forms, for of many a small model learns none; to what moves somebody the model's own replies begin alike ("I'm sorry to
hear that ..."), and what begins alike is learnt. A character whose own lines reply to the same message has its own way.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from pipeline.augmentation.boundaries import Boundaries
from pipeline.augmentation.replies import Asked, BaseModel
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import system, user
from pipeline.records.comparable import normalise
from pipeline.records.record import Record

REPLIED_BY_BASE_MODEL = 60  # the first everyday messages; a reply takes longer to make than labels do


def small_talk_replies(
    persona: Persona, records: Sequence[Record], boundaries: Boundaries, base_model: BaseModel, *, seed: int
) -> dict[str, str]:
    """The reply to each everyday message; empty where nothing fit is replied, or the character's own lines reply.

    Nothing of the character is in what the base model is asked, so that its replies are made once for all characters
    of a language.
    """
    rng = random.Random(seed)  # noqa: S311 - no secret
    written = {said: rng.choice(replies) for said, replies in boundaries.small_talk_replies.items()}
    asked = [said for said in boundaries.small_talk.train if said not in written][:REPLIED_BY_BASE_MODEL]
    briefly = system(boundaries.briefly)
    made = base_model.replies([Asked((briefly, user(said)), boundaries.claims, persona.language) for said in asked])
    before = (record.context[-1].text for record in records if record.kind == "dialogue" and record.context)
    own = {normalise(said) for said in before}
    replies = {**written, **dict(zip(asked, made, strict=True))}
    return {said: "" if normalise(said) in own else reply for said, reply in replies.items()}
