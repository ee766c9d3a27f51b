"""Show what becomes of records, from the raw file to the tokens that the loss sees: `python -m pipeline.explain`."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.conversations.persona import Persona, persona_named
from pipeline.errors import UnderstudyError, entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import value_of
from pipeline.records.record import KINDS, Record

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from pipeline.conversations.render import Conversation
    from pipeline.explain.walk import Exposures
    from pipeline.tokens.row import TokenRow
    from pipeline.training.arguments import RunArguments
    from pipeline.training.material import Material


@entry_point
def main() -> None:
    """Read the command line and show the records that it names, or one of each kind."""
    parser = argparse.ArgumentParser(prog="understudy explain", description=__doc__, allow_abbrev=False)
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--record", metavar="ID", help="the record with this id, or beginning of one")
    which.add_argument("--kind", choices=KINDS, help="the records of this kind")
    which.add_argument("--sample", type=int, metavar="N", help="N records, drawn by a hash of their ids")
    parser.add_argument("--as", dest="name", metavar="NAME", help="only this one's, where the recipe has several")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page")
    arguments, overrides = parser.parse_known_args()
    explain_recipe(arguments, overrides)


def explain_recipe(arguments: argparse.Namespace, overrides: list[str]) -> None:
    """Prepare all that the run would see, and show the chosen records' way into it."""
    prepare_environment(str(value_of(arguments.config, overrides, "model_name_or_path")))
    from pipeline.explain.page import write_page
    from pipeline.explain.show import format_walk
    from pipeline.explain.walk import walk_record
    from pipeline.train import load_cast
    from pipeline.training.arguments import ON_A_CPU, parse_run
    from pipeline.training.material import prepare_material, render_as

    # Only the tokenizer is needed, so a recipe for GPUs can be looked at without one.
    run = parse_run(arguments.config, [*ON_A_CPU, *overrides])
    notes: list[str] = []
    cast, tokenizer = load_cast(run, notes.append)
    named = named_by(cast.personas, arguments.name, arguments.config)
    records = [record for record in cast.records if record.speaker in named]
    chosen = choose(records, record=arguments.record, kind=arguments.kind, sample=arguments.sample)
    material = prepare_material(run.character, run.training, cast, tokenizer)
    exposures = exposures_by_record(material, Path(run.training.output_dir), cast.fingerprint)
    walks = []
    for record in chosen:
        persona = named[record.speaker]
        conversations = render_as(run.character, record, persona)
        rows = list(fitted(conversations, tokenizer, run))
        seen = exposures.get(record.record_id)
        walks.append(walk_record(record, conversations, rows, tokenizer, persona=persona, exposures=seen))
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for note in notes:
        sys.stdout.write(f"{note}\n")
    sys.stdout.write("\n\n".join(format_walk(walk, colour=colour) for walk in walks) + "\n")
    if arguments.html:
        write_page(walks, list(named.values()), notes, arguments.html)
        sys.stdout.write(f"\nwritten to {arguments.html}\n")


def named_by(personas: Mapping[str, Persona], name: str | None, recipe: Path) -> dict[str, Persona]:
    """The persona of that name; without a name, all of them.

    Raises:
        UnderstudyError: there is none of that name.
    """
    return {name: persona_named(name, list(personas.values()), recipe)} if name else dict(personas)


def choose(
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
        raise UnderstudyError("command line", "asks for no record there is", fix="see records.jsonl for ids and kinds")
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def fitted(
    conversations: Sequence[Conversation], tokenizer: PreTrainedTokenizerBase, run: RunArguments
) -> Iterator[TokenRow | None]:
    """The rows that the run would train on; None for one that it leaves out."""
    from pipeline.tokens.encode import encode
    from pipeline.tokens.fit import fit

    limits = {"max_length": run.training.max_length, "on_overlong": run.character.on_overlong}
    for conversation, row in zip(conversations, encode(conversations, tokenizer), strict=True):
        yield fit(conversation, row, tokenizer, **limits)


def exposures_by_record(material: Material, folder: Path, fingerprint: str) -> dict[str, Exposures]:
    """The ledger's row of each record; what was realised is the finished run's own count, if it had the same data."""
    from pipeline.explain.walk import Exposures
    from pipeline.mixture.ledger import read_exposures
    from pipeline.training.identity import RUN_FILE, read_json

    same_data = read_json(folder / RUN_FILE).get("data", {}).get("fingerprint") == fingerprint
    realised = read_exposures(folder) if same_data else {}
    first, planned = material.plan.exposures(0).tolist(), material.planned.tolist()
    return {
        record_id: Exposures(first[number], planned[number], realised.get(record_id))
        for number, record_id in enumerate(material.rows.record_ids)
    }


if __name__ == "__main__":
    main()
