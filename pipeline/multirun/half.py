"""Half of a character, for a first look in half the time: every other fact and scene, all passages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from pipeline.atomic_io import write_text
from pipeline.augmentation.facts import facts_of
from pipeline.errors import UnderstudyError
from pipeline.mixture.budget import ROUNDED_UP
from pipeline.recipe import CharacterArguments, character_arguments, output_folder, read_recipe
from pipeline.records.conversion import records_of
from pipeline.records.files import RECORDS_FILE
from pipeline.records.record import Record, write_records
from pipeline.records.split import scene_of

HALVES = Path("build/half")
PROBES_FILE = "probes.jsonl"


def write_half_recipe(recipe: Path) -> Path:
    """A recipe for half of the recipe's character, written with its records and test questions; returns where.

    Raises:
        UnderstudyError: the recipe has several characters, or too little of one.
    """
    arguments = character_arguments(recipe)
    if len(arguments.each) > 1:
        raise UnderstudyError(recipe, "has several characters", fix="name a recipe with one, or leave the option out")
    records, _ = records_of(arguments.raw_paths, arguments.name, arguments.records_folder, arguments.conversion)
    half = half_of(records)
    if not half:
        raise UnderstudyError(recipe, "has too few records to take half of them", fix="leave the option out")
    folder, own = HALVES / recipe.stem, output_folder(recipe)
    folder.mkdir(parents=True, exist_ok=True)
    write_records(folder / RECORDS_FILE, half)
    values = {key: value for key, value in read_recipe(recipe).items() if key != "raw"}
    values |= {"records_dir": str(folder), "output_dir": str(own.with_name(f"{own.name}_half"))}
    if not arguments.has_weights:  # few facts would be seen more often, and the run be as long as before
        values["max_exposures"] = arguments.exposures + ROUNDED_UP
    if arguments.probes:
        write_text(folder / PROBES_FILE, _probes_of(arguments, half))
        values["probes"] = str(folder / PROBES_FILE)
    path = folder / recipe.name
    header = f"# Half of the facts and scenes of {recipe}: written by `understudy demo --half`, and again each time\n"
    write_text(path, header + yaml.safe_dump(values, allow_unicode=True, sort_keys=False, width=1000))
    return path


def half_of(records: Sequence[Record]) -> list[Record]:
    """Every other fact with all its wordings, the lines of every other scene, and every passage, in their order."""
    kept = {record.record_id for fact in facts_of(records)[::2] for record in fact.records}
    scenes = dict.fromkeys(scene_of(record) for record in records if record.kind == "dialogue")
    spoken = set(list(scenes)[::2])
    return [
        record
        for record in records
        if record.kind == "background"
        or record.record_id in kept
        or (record.kind == "dialogue" and scene_of(record) in spoken)
    ]


def _probes_of(arguments: CharacterArguments, half: Sequence[Record]) -> str:
    """The lines of the recipe's probes that ask for a fact of this half."""
    answers = {record.text for record in half}
    lines = Path(str(arguments.probes)).expanduser().read_text(encoding="utf-8").splitlines()
    return "".join(f"{line}\n" for line in lines if line.strip() and json.loads(line)["answer"] in answers)
