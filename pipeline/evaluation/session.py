"""What of the settings a run recalls, before and after training: measured, compared, reported; or facts proposed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from accelerate import PartialState

from pipeline.atomic_io import write_json
from pipeline.conversations.persona import make_persona
from pipeline.errors import UnderstudyError
from pipeline.evaluation import MATRIX_FACTS
from pipeline.evaluation.bleed import (
    Bleed,
    BleedColumn,
    BleedRow,
    choose_cross_probe,
    make_column,
    sample_reply,
    score_cells,
    summarise_bleed,
)
from pipeline.evaluation.comparison import compare_runs, merge_reports, read_report
from pipeline.evaluation.exam import Exam, Extent, cache_file, make_exam, voice_references
from pipeline.evaluation.measure import Measurement, load_measurement, measure_model, save_measurement
from pipeline.evaluation.probes.choice import records_and_probes
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.probes.proposals import write_proposals
from pipeline.evaluation.report.pages import write_bleed, write_comparison, write_report
from pipeline.evaluation.report.run_report import RunReport, report_of_run
from pipeline.evaluation.report.tables import format_bleed, format_comparison, format_results, format_samples
from pipeline.evaluation.report.words import plain_words_of
from pipeline.evaluation.results import RecallResults, compare_measurements
from pipeline.models.trained import TrainedCharacter, load_trained
from pipeline.recipe import CharacterArguments, character_arguments, safe_folder_name
from pipeline.records.conversion import records_of
from pipeline.records.files import RECORDS_FILE
from pipeline.records.record import read_records
from pipeline.runs.files import BLEED_FILE, BLEED_PAGE, RECALL_FILE, REPORT_FILE
from pipeline.runs.ledger import read_exposures
from pipeline.runs.run_file import read_run
from pipeline.terminal import print_line, progress_bar, split_progress

# What an exam of both models takes for each question, beside a question of the recall while training: on the demo.
EXAM_PARTS = (560, 440)  # the base model's, whose replies ramble on, and the trained model's
EXAM_COST: Mapping[Extent, float] = {"quick": 2.0, "full": 6.0}


@dataclass(frozen=True, slots=True)
class ReportFiles:
    """Where the report of one character goes."""

    json: Path
    html: Path


def propose_facts(recipe: Path, path: Path, name: str | None) -> None:
    """Write a file of probes, none in use yet, with what the character's passages say of it.

    Raises:
        UnderstudyError: the file is there already, with what the user made of it.
    """
    if path.exists():
        raise UnderstudyError(path, "is there already", fix="name another file, or delete it")
    arguments = arguments_of_character(recipe, name)
    persona = make_persona(arguments.name, arguments.language, {})
    records, _ = records_of(arguments.raw_paths, arguments.name, arguments.records_folder, arguments.conversion)
    count = write_proposals(records, persona.name, persona.language, path)
    print_line(
        f"{count} facts proposed in {path}. Set `use` to true where question and answer are right, add wordings, "
        f"and name the file as `probes:` in {recipe}"
    )


def compare_folders(folders: Sequence[Path], page: Path | None, data: Path | None = None) -> None:
    """Compare runs that were measured, in the terminal and, where they are given, as a `page` and as JSON `data`."""
    names = [folder.name for folder in folders]
    short = len({*names}) == len(names)
    comparison = compare_runs({folder.name if short else str(folder): read_report(folder) for folder in folders})
    print_line(f"\n{format_comparison(comparison)}")
    if page:
        write_comparison(comparison, page)
        print_line(f"\nwritten to {page}")
    if data:
        write_json(data, comparison.to_json())
        print_line(f"all numbers: {data}")


def arguments_of_character(recipe: Path, name: str | None) -> CharacterArguments:
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
    matrix_facts: int = MATRIX_FACTS,
    extent: Extent = "full",
    base: str | None = None,
) -> None:
    """Measure the run in `folder` against its base model, print the tables and write the reports.

    `base` is where its base model lies now. Of several characters, each that is not left out by `name` gets a report in
    a folder of its own below `folder`, and all together a matrix of what each knows, by `matrix_facts` facts of each.

    Raises:
        UnderstudyError: recipe and run are not of the same characters, or there are too few facts to ask for.
    """
    # Without this, processes on a CPU do not find each other, and each would take itself for the only one.
    PartialState(cpu=not torch.accelerator.is_available())
    names = [one.name for one in character_arguments(recipe).each]
    several = len(names) > 1
    if several and not name and (json_file or html_file):
        raise UnderstudyError("command line", "names one file for several reports", fix="add --as NAME")
    trained = load_trained(folder, name or names[0], base=base)
    columns, reports, taken = [], {}, set[str]()
    for persona in (trained.persona,) if name or not several else trained.personas:
        own = folder / safe_folder_name(persona.name, taken) if several else folder
        if several and PartialState().is_main_process:
            print_line(f"\n== {persona.name}")
        files = ReportFiles(json_file or own / RECALL_FILE, html_file or own / REPORT_FILE)
        character = arguments_of_character(recipe, persona.name)
        playing = replace(trained, persona=persona)
        probes, found = measure_character(recipe, character, playing, folder, files, extent=extent)
        columns.append(make_column(persona, probes, matrix_facts, distractors=character.recall_distractors))
        reports[persona.name] = found
    if len(columns) > 1:
        measure_bleed(trained, columns, folder)
        _write_merged(reports, folder)


def exam_seconds(recipe: Path, seconds_a_question: float, extent: Extent) -> float:
    """About how long `measure_recipe` takes for both models, from what a question costs while training."""
    questions = 0
    for one in character_arguments(recipe).each:
        persona = make_persona(one.name, one.language, {})
        _, probes = records_and_probes(one, read_records(one.records_folder / RECORDS_FILE), persona)
        questions += sum(1 + len(probe.unseen) for probe in probes)
    return questions * seconds_a_question * EXAM_COST[extent]


def _write_merged(reports: Mapping[str, RecallResults], folder: Path) -> None:
    if PartialState().is_main_process:
        write_json(folder / RECALL_FILE, merge_reports(reports).to_json())


def measure_bleed(trained: TrainedCharacter, columns: Sequence[BleedColumn], folder: Path) -> None:
    """Measure what each character of a run knows of the others; write the matrix into `folder` and print it."""
    personas = [column.persona for column in columns]
    cross_probes = choose_cross_probe([persona.name for persona in personas], columns)
    model, tokenizer = trained.model, trained.tokenizer
    with trained.base() as base:
        progress = progress_bar("before training: everybody's facts")
        untouched = BleedRow(score_cells(base, tokenizer, None, columns, progress))
    rows: dict[str, BleedRow] = {}
    for persona in personas:
        progress = progress_bar(f"{persona.name}, asked for everybody's facts")
        cells = score_cells(model, tokenizer, persona, columns, progress)
        other = cross_probes.get(persona.name)
        rows[persona.name] = BleedRow(cells, sample_reply(model, tokenizer, persona, other) if other else None)
    if PartialState().is_main_process:
        show_bleed(summarise_bleed(rows, untouched, columns, model=trained.base_name, shared=True), folder)


def show_bleed(bleed: Bleed, folder: Path) -> None:
    """Write the matrix into `folder`, as JSON and as a page, and print it."""
    write_json(folder / BLEED_FILE, bleed.to_json())
    write_bleed(bleed, folder / BLEED_PAGE)
    print_line(f"\n{format_bleed(bleed)}\n\nmatrix: {folder / BLEED_PAGE}")


def measure_character(
    recipe: Path,
    character: CharacterArguments,
    trained: TrainedCharacter,
    folder: Path,
    files: ReportFiles,
    *,
    extent: Extent,
) -> tuple[Sequence[Probe], RecallResults]:
    """Measure one character of the run in `folder` against its base model, print the table and write the report.

    Gives the facts that it was asked for, and what was found.

    Raises:
        UnderstudyError: there are fewer than two facts to ask for.
    """
    run = read_run(folder)
    converted = read_records(character.records_folder / RECORDS_FILE)
    records, probes = records_and_probes(character, converted, trained.persona)
    exam, left_out = make_exam(
        probes, records, trained.persona, run, distractors=character.recall_distractors, extent=extent
    )
    if len(exam.probes) < 2:
        reasons = "".join(f"; left out: {count} {reason}" for reason, count in left_out.items())
        raise UnderstudyError(
            recipe,
            f"gives fewer than two facts to ask for{reasons}",
            fix="add settings questions, or write a file of `probes`",
        )
    before, after = measure_both(trained, exam)
    references = voice_references(records, run, character.records_folder, trained.persona)
    found = compare_measurements(before, after, exam, exposures=read_exposures(folder), references=references)
    if PartialState().is_main_process:
        show_report(report_of_run(found, left_out, folder, trained.persona), files)
    return exam.probes, found


def measure_both(trained: TrainedCharacter, exam: Exam) -> tuple[Measurement, Measurement]:
    """The outcome of the base model, as it was kept or else measured and kept, and of the trained one; on one bar."""
    cache = cache_file(trained.base_name, trained.options, str(trained.tokenizer.chat_template), exam)
    before = load_measurement(cache, exam.probes)
    title = "the trained model's exam" if before else "the exam of the base model, once, and of the trained one"
    shares = (0, EXAM_PARTS[1]) if before else EXAM_PARTS
    of_base, of_trained = split_progress(progress_bar(title), shares)
    if before is None:
        asked = exam.samples if exam.extent == "quick" else None
        with trained.base() as base:
            before = measure_model(base, trained.tokenizer, exam, of_base, replies_to=asked)
        if PartialState().is_main_process:
            save_measurement(before, cache)
    return before, measure_model(trained.model, trained.tokenizer, exam, of_trained)


def show_report(report: RunReport, files: ReportFiles) -> None:
    """The report stands in its files, and the terminal shows it."""
    say = plain_words_of(report.language)
    print_line(format_results(report.findings, report.language))
    for reason, count in report.left_out.items():
        print_line(say("Left out: {count} {reason}.", count=count, reason=say(reason)))
    print_line(format_samples(report.findings.samples, report.language))
    files.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(files.json, report.to_json())
    write_report(report, files.html)
    print_line(f"\n{say('report:')} {files.html}")
