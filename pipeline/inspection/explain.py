"""`understudy explain`: records chosen, and each one's way to tokens shown, without training."""

from __future__ import annotations

import hashlib
import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.atomic_io import read_json
from pipeline.conversations.persona import Persona, persona_named
from pipeline.conversations.render import Conversation
from pipeline.errors import UnderstudyError
from pipeline.inspection.page import write_page
from pipeline.inspection.show import format_walk
from pipeline.inspection.walk import Exposures, RecordWalk, walk_record
from pipeline.records.record import KINDS, Record
from pipeline.runs.files import RUN_FILE
from pipeline.runs.ledger import read_exposures
from pipeline.terminal import print_line
from pipeline.tokens.encode import encode
from pipeline.tokens.fit import fit
from pipeline.tokens.row import TokenRow
from pipeline.training.arguments import ON_A_CPU, RunArguments, parse_run
from pipeline.training.characters import Characters, load_characters
from pipeline.training.data import TrainingData, prepare_data

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

LABELLED = ", which is not to be said there: its labels are what the base model says in its place"


def explain_recipe(
    recipe: Path,
    overrides: list[str],
    *,
    name: str | None = None,
    record: str | None = None,
    kind: str | None = None,
    sample: int | None = None,
    page: Path | None = None,
) -> None:
    """The chosen records' walk from the raw file to tokens is printed; see `choose_records`.

    `name` is the only character shown, where the recipe has several; `page` is an HTML file to be written.
    """
    # Only the tokenizer is needed, so a recipe for GPUs can be looked at without one.
    run = parse_run(recipe, [*ON_A_CPU, *overrides])
    notes: list[str] = []
    characters, tokenizer = load_characters(run, notes.append, looks_only=True)
    named = select_personas(characters.personas, name, recipe)
    records = [one for one in characters.records if one.speaker in named]
    chosen = choose_records(records, record=record, kind=kind, sample=sample)
    data = prepare_data(run, characters, tokenizer)
    exposures = exposures_by_record(data, Path(run.training.output_dir), characters.fingerprint)
    walks = []
    for one in chosen:
        if word := data.rows.control_words.get(one.record_id):
            notes.append(f"record {one.record_id} is left out: its text holds the control token {word}")
            continue
        conversations = data.lessons[one.speaker].of(one)
        rows = list(fit_rows(conversations, tokenizer, run))
        seen = exposures.get(one.record_id)
        walk = walk_record(one, conversations, rows, tokenizer, persona=named[one.speaker], exposures=seen)
        walks.append(replace(walk, loss_weight=data.loss_weights[one.kind]))
    notes += [f"{one}: {data.lessons[one].reason}" for one in named if data.lessons[one].reason]
    notes += describe_limits(characters, list(named))
    _print(walks, notes)
    if page:
        write_page(walks, list(named.values()), notes, page)
        print_line(f"\nwritten to {page}")


def _print(walks: Sequence[RecordWalk], notes: Sequence[str]) -> None:
    """The notes, then the walks, in colour where the terminal has it."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for note in notes:
        print_line(note)
    print_line("\n\n".join(format_walk(walk, colour=colour) for walk in walks))


def describe_limits(characters: Characters, names: Sequence[str]) -> list[str]:
    """What the named characters are taught beside their records, a line for each sort, with an example."""
    return [
        f"{character.persona.name} is also taught {sort.replace('_', ' ')}, in {len(own)} conversations, such as "
        f"{own[0].prompt[-1]['content']!r}: {own[0].completion['content']!r}"
        f"{LABELLED if own[0].labels else ''}"
        for character in characters.each
        if character.persona.name in names
        for sort, own in character.limits.items()
        if own
    ]


def select_personas(personas: Mapping[str, Persona], name: str | None, recipe: Path) -> dict[str, Persona]:
    """The persona of that name; without a name, all of them.

    Raises:
        UnderstudyError: there is none of that name.
    """
    return {name: persona_named(name, list(personas.values()), recipe)} if name else dict(personas)


def choose_records(
    records: Sequence[Record], *, record: str | None = None, kind: str | None = None, sample: int | None = None
) -> list[Record]:
    """The records asked for; with nothing asked, one of each kind. Which ones is drawn by a hash of their ids.

    Raises:
        UnderstudyError: there is none.
    """
    drawn = sorted(records, key=lambda one: hashlib.blake2b(one.record_id.encode()).digest())
    if record is not None:
        found = [one for one in records if one.record_id.startswith(record)]
    elif kind is not None:
        found = [one for one in records if one.kind == kind]
    elif sample is not None:
        found = drawn[: max(sample, 0)]
    else:
        found = list({one.kind: one for one in reversed(drawn)}.values())
    if not found:
        counts = ", ".join(f"{count} of {name}" for name, count in Counter(one.kind for one in records).items())
        asked = f"the kind {kind}" if record is None and kind is not None else f"the id {record}"
        fix = f"there are {counts or 'no records at all'}; records.jsonl has their ids"
        raise UnderstudyError("command line", f"asks for records of {asked}, and there are none", fix=fix)
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def fit_rows(
    conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase, run: RunArguments
) -> Iterator[TokenRow | None]:
    """The rows that the run would train on, within its length; None for one that it leaves out."""
    limits = {"max_length": run.training.max_length, "on_overlong": run.character.on_overlong}
    for conversation, row in zip(conversations, encode(conversations, tokenizer), strict=True):
        yield fit(conversation, row, tokenizer, **limits)


def exposures_by_record(data: TrainingData, folder: Path, fingerprint: str) -> dict[str, Exposures]:
    """The ledger's row of each record; `realised` is the finished run's own count, if it had the same data."""
    same_data = read_json(folder / RUN_FILE).get("data", {}).get("fingerprint") == fingerprint
    realised = read_exposures(folder) if same_data else {}
    first, planned = data.plan.exposures(0).tolist(), data.planned.tolist()
    return {
        record_id: Exposures(first[number], planned[number], realised.get(record_id))
        for number, record_id in enumerate(data.rows.record_ids)
    }
