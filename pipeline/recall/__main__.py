"""Measure what of the settings is recalled, before and after training: `python -m pipeline.recall --config RECIPE`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.errors import UnderstudyError, entry_point
from pipeline.models.locate import prepare_environment
from pipeline.recipe import character_arguments, output_folder


@entry_point
def main() -> None:
    """Read the command line, measure, print the table, write what was asked for."""
    parser = argparse.ArgumentParser(prog="understudy recall", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe of the run")
    parser.add_argument(
        "--adapter", type=Path, metavar="DIR", help="the run's folder (default: the recipe's output_dir)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers and items")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write the report as one self-contained page")
    arguments = parser.parse_args()
    folder = arguments.adapter or output_folder(arguments.config)
    measure_recipe(arguments.config, folder, json_file=arguments.json, html_file=arguments.html)


def measure_recipe(recipe: Path, folder: Path, *, json_file: Path | None, html_file: Path | None) -> None:
    """Measure the run in `folder` against its base model and print the table."""
    from pipeline.models.trained import base_name_of

    prepare_environment(base_name_of(folder))
    from pipeline.conversations.persona import load_persona
    from pipeline.models.trained import load_trained
    from pipeline.recall.measure import compare, format_recall, format_samples, measure
    from pipeline.recall.probes import choose_probes, with_distractors
    from pipeline.recall.report import write_report
    from pipeline.recall.run_report import report_of_run
    from pipeline.records.record import read_records
    from pipeline.training.identity import write_json

    character = character_arguments(recipe)
    records = read_records(character.records_folder / "records.jsonl")
    chosen = choose_probes(character.probes, records, load_persona(folder))
    if not chosen:
        raise UnderstudyError(
            recipe, "gives fewer than two facts to ask for", fix="add settings questions, or write a file of `probes`"
        )
    probes = with_distractors(chosen, character.recall_distractors)
    distractors = min(len(probe.distractors) for probe in probes)
    trained = load_trained(folder)
    with trained.base() as base:
        before = measure(base, trained.tokenizer, probes, trained.persona, _progress("before training"))
    after = measure(trained.model, trained.tokenizer, probes, trained.persona, _progress("after training"))
    result = compare(before, after, distractors)
    sys.stdout.write(f"{format_recall(result['recall'], distractors)}\n")
    sys.stdout.write(f"{format_samples(result['samples'])}\n")
    report = report_of_run(result, folder, trained.persona)
    if json_file:
        json_file.parent.mkdir(parents=True, exist_ok=True)
        write_json(json_file, report)
    if html_file:
        html_file.parent.mkdir(parents=True, exist_ok=True)
        write_report(report, html_file)


def _progress(title: str):  # type: ignore[no-untyped-def]
    from tqdm import tqdm

    bar = tqdm(total=0, desc=title, unit=" questions")

    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done == total:
            bar.close()

    return show


if __name__ == "__main__":
    main()
