"""What a character is asked for, and all the records that teach it: the same in training and in every exam."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.augmentation.passage_facts import passage_facts
from pipeline.augmentation.questions import rules_for
from pipeline.conversations.persona import Persona
from pipeline.evaluation.probes.probe import Probe, choose_probes, read_probes
from pipeline.recipe import CharacterArguments
from pipeline.records.record import Record


def records_and_probes(
    one: CharacterArguments, records: Sequence[Record], persona: Persona
) -> tuple[list[Record], list[Probe]]:
    """The records, with a settings question for what only their passages state, and the probes of all of them.

    Where the recipe names a file of probes, none of its questions becomes one of those settings questions.

    Raises:
        UnderstudyError: see `read_probes` and `rules_for`.
    """
    rules = rules_for(persona.language, one.question_rules or ())
    stated: list[Record] = []
    if one.passage_facts:
        written = read_probes(Path(one.probes).expanduser()) if one.probes else []
        tested = [question for probe in written for question in probe.untrained]
        stated = passage_facts(records, persona, rules, forbidden=tested)
    both = [*records, *stated]
    return both, choose_probes(one.probes, both, persona, rules)
