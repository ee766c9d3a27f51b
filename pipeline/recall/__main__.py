"""Measure what of the settings is recalled, before and after training: `python -m pipeline.recall --config RECIPE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.errors import UnderstudyError, entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import character_arguments, output_folder


@entry_point
def main() -> None:
    """Read the command line, measure or compare, print the table, write the report."""
    parser = argparse.ArgumentParser(prog="understudy recall", description=__doc__)
    parser.add_argument("--config", type=Path, metavar="RECIPE", help="the recipe of the run")
    parser.add_argument(
        "--adapter", type=Path, metavar="DIR", help="the run's folder (default: the recipe's output_dir)"
    )
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
        propose_facts(arguments.config, arguments.extract)
        return
    folder = arguments.adapter or output_folder(arguments.config)
    measure_recipe(
        arguments.config,
        folder,
        json_file=arguments.json or folder / "recall.json",
        html_file=arguments.html or folder / "report.html",
    )


def propose_facts(recipe: Path, path: Path) -> None:
    """Write a file of probes, none in use yet, with what the character's passages say of it.

    Raises:
        UnderstudyError: the file is there already, with what the user made of it.
    """
    from pipeline.conversations.persona import make_persona
    from pipeline.recall.extract import write_proposals
    from pipeline.records.conversion import ensure_converted
    from pipeline.records.record import read_records

    if path.exists():
        raise UnderstudyError(path, "is there already", fix="name another file, or delete it")
    character = character_arguments(recipe)
    persona = make_persona(character.name, character.language, {})
    ensure_converted(character.raw_paths, character.name, character.records_folder, **character.conversion)
    records = read_records(character.records_folder / "records.jsonl")
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


def measure_recipe(recipe: Path, folder: Path, *, json_file: Path, html_file: Path) -> None:
    """Measure the run in `folder` against its base model and print the table."""
    from pipeline.models.trained import base_name_of, read_run

    prepare_environment(base_name_of(folder))
    from accelerate import PartialState

    from pipeline.mixture.ledger import read_exposures
    from pipeline.models.trained import load_trained
    from pipeline.recall.exam import cache_file, make_exam, texts_of
    from pipeline.recall.findings import findings
    from pipeline.recall.measure import load_measurement, measure, save_measurement
    from pipeline.recall.probes import choose_probes
    from pipeline.recall.report import write_report
    from pipeline.recall.run_report import report_of_run
    from pipeline.recall.table import format_findings, format_samples
    from pipeline.records.record import read_records
    from pipeline.whole_files import write_json

    character, run = character_arguments(recipe), read_run(folder)
    records = read_records(character.records_folder / "records.jsonl")
    trained = load_trained(folder)
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
    if not PartialState().is_main_process:
        return
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


def _stages(model: str) -> Callable[[str], Callable[[int, int], None]]:
    """A progress bar for each long part of a measurement."""
    return lambda part: _progress(f"{model}: {part}")


def _progress(title: str) -> Callable[[int, int], None]:
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
