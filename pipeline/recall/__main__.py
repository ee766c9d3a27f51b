"""Measure what of the settings is recalled, before and after training: `python -m pipeline.recall --config RECIPE`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UnderstudyError, entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import CharacterArguments, character_arguments, output_folder, safe_folder_name

if TYPE_CHECKING:
    from pipeline.models.trained import TrainedCharacter
    from pipeline.recall.bleed import Facts
    from pipeline.recall.probes import Probe


@entry_point
def main() -> None:
    """Read the command line, measure or compare, print the table, write the report."""
    parser = argparse.ArgumentParser(prog="understudy recall", description=__doc__)
    parser.add_argument("--config", type=Path, metavar="RECIPE", help="the recipe of the run")
    parser.add_argument(
        "--adapter", type=Path, metavar="DIR", help="the run's folder (default: the recipe's output_dir)"
    )
    parser.add_argument("--as", dest="name", metavar="NAME", help="only this one, where the run has several characters")
    parser.add_argument(
        "--matrix_facts", type=int, default=16, metavar="N",
        help="of how many of each character's facts the others are asked, where the run has several (16)",
    )  # fmt: skip
    parser.add_argument("--compare", type=Path, nargs="+", metavar="DIR", help="compare these measured runs instead")
    parser.add_argument(
        "--extract", type=Path, metavar="FILE", help="propose facts from the background passages, to be reviewed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="all numbers and items (default: DIR/recall.json)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="the report as a page (default: DIR/report.html)")
    arguments = parser.parse_args()
    if arguments.compare:
        compare_folders(arguments.compare, arguments.html)
        return
    if not arguments.config:
        raise UnderstudyError("command line", "says too little", fix="give --config RECIPE, or --compare DIR DIR ...")
    if arguments.extract:
        propose_facts(arguments.config, arguments.extract, arguments.name)
        return
    measure_recipe(
        arguments.config,
        arguments.adapter or output_folder(arguments.config),
        name=arguments.name,
        json_file=arguments.json,
        html_file=arguments.html,
        matrix_facts=arguments.matrix_facts,
    )


def propose_facts(recipe: Path, path: Path, name: str | None) -> None:
    """Write a file of probes, none in use yet, with what the character's passages say of it.

    Raises:
        UnderstudyError: the file is there already, with what the user made of it.
    """
    from pipeline.conversations.persona import make_persona
    from pipeline.recall.extract import write_proposals
    from pipeline.records.conversion import records_of

    if path.exists():
        raise UnderstudyError(path, "is there already", fix="name another file, or delete it")
    one = one_named(recipe, name)
    persona = make_persona(one.name, one.language, {})
    records, _ = records_of(one.raw_paths, one.name, one.records_folder, **one.conversion)
    count = write_proposals(records, persona.name, persona.language, path)
    sys.stdout.write(
        f"{count} facts proposed in {path}. Set `use` to true where question and answer are right, add wordings, "
        f"and name the file as `probes:` in {recipe}\n"
    )


def compare_folders(folders: Sequence[Path], page: Path | None) -> None:
    """Compare runs that were measured, in the terminal and, where `page` is given, as a page."""
    from pipeline.recall.across import compare_runs, format_comparison, read_report
    from pipeline.recall.report import write_comparison

    comparison = compare_runs({folder.name: read_report(folder) for folder in folders})
    sys.stdout.write(f"\n{format_comparison(comparison)}\n")
    if page:
        write_comparison(comparison, page)
        sys.stdout.write(f"\nwritten to {page}\n")


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
    from pipeline.models.trained import base_name_of

    prepare_environment(base_name_of(folder))
    import torch
    from accelerate import PartialState

    # Several processes meet on a CPU only if they are told that it is one; each would take itself for the only one.
    PartialState(cpu=not torch.accelerator.is_available())
    from pipeline.models.trained import load_trained
    from pipeline.recall.across import together
    from pipeline.recall.bleed import facts_of
    from pipeline.whole_files import write_json

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
            sys.stdout.write(f"\n== {persona.name}\n")
        one, of_one = one_named(recipe, persona.name), replace(trained, persona=persona)
        probes = measure_one(
            recipe, one, of_one, folder,
            json_file=json_file or own / "recall.json", html_file=html_file or own / "report.html",
        )  # fmt: skip
        reports[persona.name] = json_file or own / "recall.json"
        columns.append(facts_of(persona, probes, matrix_facts, distractors=one.recall_distractors))
    if len(columns) > 1:
        measure_bleed(trained, columns, folder)
        if PartialState().is_main_process:
            write_json(
                folder / "recall.json",
                together({name: json.loads(path.read_text(encoding="utf-8")) for name, path in reports.items()}),
            )


def measure_bleed(trained: TrainedCharacter, columns: Sequence[Facts], folder: Path) -> None:
    """`folder` holds the matrix of what each character of a run knows of the others, and the terminal shows it."""
    from accelerate import PartialState

    from pipeline.recall.bleed import Row, ask, bleed_of, hear, whose_sample

    personas = [column.persona for column in columns]
    samples = whose_sample([persona.name for persona in personas], columns)
    model, tokenizer = trained.model, trained.tokenizer
    with trained.base() as base:
        untouched = Row(ask(base, tokenizer, None, columns, progress_bar("before training: everybody's facts")))
    rows: dict[str, Row] = {}
    for persona in personas:
        cells = ask(model, tokenizer, persona, columns, progress_bar(f"{persona.name}, asked for everybody's facts"))
        other = samples.get(persona.name)
        rows[persona.name] = Row(cells, hear(model, tokenizer, persona, other) if other else None)
    if PartialState().is_main_process:
        tell_bleed(bleed_of(rows, untouched, columns, model=trained.base_name, shared=True), folder)


def tell_bleed(bleed: Mapping[str, Any], folder: Path) -> None:
    """`folder` holds the matrix as JSON and as a page, and the terminal shows it."""
    from pipeline.recall.report import write_bleed
    from pipeline.recall.table import format_bleed
    from pipeline.whole_files import write_json

    write_json(folder / "bleed.json", bleed)
    write_bleed(bleed, folder / "bleed.html")
    sys.stdout.write(f"\n{format_bleed(bleed)}\n\nmatrix: {folder / 'bleed.html'}\n")


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
    from accelerate import PartialState

    from pipeline.mixture.ledger import read_exposures
    from pipeline.models.trained import read_run
    from pipeline.recall.exam import cache_file, make_exam, texts_of
    from pipeline.recall.findings import findings
    from pipeline.recall.measure import load_measurement, measure, save_measurement
    from pipeline.recall.probes import choose_probes
    from pipeline.recall.report import write_report
    from pipeline.recall.run_report import report_of_run
    from pipeline.recall.table import format_findings, format_samples
    from pipeline.records.record import read_records
    from pipeline.whole_files import write_json

    run = read_run(folder)
    records = read_records(character.records_folder / "records.jsonl")
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
        sys.stdout.write(f"{format_findings(found)}\n")
        for reason, count in left_out.items():
            sys.stdout.write(f"left out: {count} {reason}\n")
        sys.stdout.write(f"{format_samples(found['samples'])}\n")
        report = report_of_run(found | {"left_out": left_out}, folder, trained.persona)
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, report)
        write_report(report, html_file)
        sys.stdout.write(f"\nreport: {html_file}\n")
    return list(exam.probes)


def _stages(model: str) -> Callable[[str], Callable[[int, int], None]]:
    """A progress bar for each long part of a measurement."""
    return lambda part: progress_bar(f"{model}: {part}")


def progress_bar(title: str) -> Callable[[int, int], None]:
    """A bar to be told what is done and how much there is."""
    from tqdm import tqdm

    bar = tqdm(total=0, desc=title, leave=False)

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return show


if __name__ == "__main__":
    main()
