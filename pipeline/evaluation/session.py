"""What of the settings a run recalls, before and after training: measured, compared, reported; or facts proposed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState

from pipeline.atomic_io import write_json
from pipeline.conversations.persona import make_persona
from pipeline.errors import UnderstudyError
from pipeline.evaluation.bleed import Facts, Row, ask, bleed_of, choose_cross_probe, facts_of, sample_reply
from pipeline.evaluation.comparison import compare_runs, format_comparison, read_report, together
from pipeline.evaluation.exam import cache_file, make_exam, texts_of
from pipeline.evaluation.findings import findings
from pipeline.evaluation.measure import load_measurement, measure, save_measurement
from pipeline.evaluation.probes.extraction import write_proposals
from pipeline.evaluation.probes.probe import Probe, choose_probes
from pipeline.evaluation.report.pages import write_bleed, write_comparison, write_report
from pipeline.evaluation.report.run_report import report_of_run
from pipeline.evaluation.report.tables import format_bleed, format_findings, format_samples
from pipeline.models.trained import TrainedCharacter, load_trained
from pipeline.recipe import CharacterArguments, character_arguments, safe_folder_name
from pipeline.records.conversion import records_of
from pipeline.records.files import RECORDS_FILE
from pipeline.records.record import read_records
from pipeline.runs.files import BLEED_FILE, BLEED_PAGE, RECALL_FILE, REPORT_FILE
from pipeline.runs.ledger import read_exposures
from pipeline.runs.run_file import read_run
from pipeline.terminal import Progress, print_line, progress_bar


def propose_facts(recipe: Path, path: Path, name: str | None) -> None:
    """Write a file of probes, none in use yet, with what the character's passages say of it.

    Raises:
        UnderstudyError: the file is there already, with what the user made of it.
    """
    if path.exists():
        raise UnderstudyError(path, "is there already", fix="name another file, or delete it")
    one = one_named(recipe, name)
    persona = make_persona(one.name, one.language, {})
    records, _ = records_of(one.raw_paths, one.name, one.records_folder, one.conversion)
    count = write_proposals(records, persona.name, persona.language, path)
    print_line(
        f"{count} facts proposed in {path}. Set `use` to true where question and answer are right, add wordings, "
        f"and name the file as `probes:` in {recipe}"
    )


def compare_folders(folders: Sequence[Path], page: Path | None) -> None:
    """Compare runs that were measured, in the terminal and, where `page` is given, as a page."""
    comparison = compare_runs({folder.name: read_report(folder) for folder in folders})
    print_line(f"\n{format_comparison(comparison)}")
    if page:
        write_comparison(comparison, page)
        print_line(f"\nwritten to {page}")


def one_named(recipe: Path, name: str | None) -> CharacterArguments:
    """The recipe's arguments of the character of that name; without a name, of its only one.

    Raises:
        UnderstudyError: there is none of that name, or several and no name.
    """
    each = {one.name: one for one in character_arguments(recipe).each}
    if name is None and len(each) == 1:
        return next(iter(each.values()))
    if name not in each:
        what = f"has no {name}, but {', '.join(each)}" if name else f"has several characters: {', '.join(each)}"
        raise UnderstudyError(recipe, what, fix="name one of them: --as NAME")
    return each[name]


def measure_recipe(
    recipe: Path,
    folder: Path,
    *,
    name: str | None = None,
    json_file: Path | None = None,
    html_file: Path | None = None,
    matrix_facts: int = 16,
) -> None:
    """Measure the run in `folder` against its base model and print the table.

    Of several characters, each that is not left out by `name` gets a report in a folder of its own below `folder`, and
    all together the matrix of what each knows of the others, `matrix_facts` of each one's facts.

    Raises:
        UnderstudyError: recipe and run are not of the same characters, or there are too few facts to ask for.
    """
    # Several processes meet on a CPU only if they are told that it is one; each would take itself for the only one.
    PartialState(cpu=not torch.accelerator.is_available())

    each = {one.name: one for one in character_arguments(recipe).each}
    several = len(each) > 1
    if several and not name and (json_file or html_file):
        raise UnderstudyError("command line", "names one file for several reports", fix="add --as NAME")
    trained = load_trained(folder, name or next(iter(each)))
    personas = [trained.persona] if name or not several else trained.personas
    columns, reports, taken = [], {}, set[str]()
    for persona in personas:
        own = folder / safe_folder_name(persona.name, taken) if several else folder
        if several and PartialState().is_main_process:
            print_line(f"\n== {persona.name}")
        one, of_one = one_named(recipe, persona.name), replace(trained, persona=persona)
        probes = measure_one(
            recipe, one, of_one, folder,
            json_file=json_file or own / RECALL_FILE, html_file=html_file or own / REPORT_FILE,
        )  # fmt: skip
        reports[persona.name] = json_file or own / RECALL_FILE
        columns.append(facts_of(persona, probes, matrix_facts, distractors=one.recall_distractors))
    if len(columns) > 1:
        measure_bleed(trained, columns, folder)
        if PartialState().is_main_process:
            write_json(
                folder / RECALL_FILE,
                together({name: json.loads(path.read_text(encoding="utf-8")) for name, path in reports.items()}),
            )


def measure_bleed(trained: TrainedCharacter, columns: Sequence[Facts], folder: Path) -> None:
    """`folder` holds the matrix of what each character of a run knows of the others, and the terminal shows it."""
    personas = [column.persona for column in columns]
    samples = choose_cross_probe([persona.name for persona in personas], columns)
    model, tokenizer = trained.model, trained.tokenizer
    with trained.base() as base:
        untouched = Row(ask(base, tokenizer, None, columns, progress_bar("before training: everybody's facts")))
    rows: dict[str, Row] = {}
    for persona in personas:
        cells = ask(model, tokenizer, persona, columns, progress_bar(f"{persona.name}, asked for everybody's facts"))
        other = samples.get(persona.name)
        rows[persona.name] = Row(cells, sample_reply(model, tokenizer, persona, other) if other else None)
    if PartialState().is_main_process:
        show_bleed(bleed_of(rows, untouched, columns, model=trained.base_name, shared=True), folder)


def show_bleed(bleed: Mapping[str, Any], folder: Path) -> None:
    """`folder` holds the matrix as JSON and as a page, and the terminal shows it."""
    write_json(folder / BLEED_FILE, bleed)
    write_bleed(bleed, folder / BLEED_PAGE)
    print_line(f"\n{format_bleed(bleed)}\n\nmatrix: {folder / BLEED_PAGE}")


def measure_one(
    recipe: Path,
    character: CharacterArguments,
    trained: TrainedCharacter,
    folder: Path,
    *,
    json_file: Path,
    html_file: Path,
) -> list[Probe]:
    """Measure one character of the run in `folder` against its base model, print the table and write the report.

    Gives the facts that it was asked for.
    """
    run = read_run(folder)
    records = read_records(character.records_folder / RECORDS_FILE)
    chosen = choose_probes(character.probes, records, trained.persona)
    exam, left_out = make_exam(chosen, records, trained.persona, run, distractors=character.recall_distractors)
    if len(exam.probes) < 2:
        raise UnderstudyError(
            recipe, "gives fewer than two facts to ask for", fix="add settings questions, or write a file of `probes`"
        )
    cache = cache_file(trained.base_name, trained.options, str(trained.tokenizer.chat_template), exam)
    before = load_measurement(cache, exam.probes)
    if before is None:
        with trained.base() as base:
            before = measure(base, trained.tokenizer, exam, _stages("before training"))
        if PartialState().is_main_process:
            save_measurement(before, cache)
    after = measure(trained.model, trained.tokenizer, exam, _stages("after training"))
    if PartialState().is_main_process:
        texts = texts_of(records, run, character.records_folder, trained.persona)
        found = findings(before, after, exam, exposures=read_exposures(folder), texts=texts)
        print_line(f"{format_findings(found)}")
        for reason, count in left_out.items():
            print_line(f"left out: {count} {reason}")
        print_line(f"{format_samples(found['samples'])}")
        report = report_of_run(found | {"left_out": left_out}, folder, trained.persona)
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, report)
        write_report(report, html_file)
        print_line(f"\nreport: {html_file}")
    return list(exam.probes)


def _stages(model: str) -> Callable[[str], Progress]:
    """A progress bar for each long part of a measurement."""
    return lambda part: progress_bar(f"{model}: {part}")
