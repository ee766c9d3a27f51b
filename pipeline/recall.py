"""Measure what of the settings is recalled, before and after training: `python -m pipeline.recall --config RECIPE`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import UnderstudyError, entry_point
from pipeline.evaluation import MATRIX_FACTS
from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.recipe import output_folder
from pipeline.runs.files import RECALL_FILE, REPORT_FILE
from pipeline.runs.run_file import base_name_of
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line; measure a run, compare runs, or propose facts to ask for."""
    arguments = _parser().parse_args()
    if arguments.compare:
        with importing():
            from pipeline.evaluation.session import compare_folders

        compare_folders(arguments.compare, arguments.html, arguments.json)
    elif not arguments.config:
        raise UnderstudyError("command line", "says too little", fix="give --config RECIPE, or --compare DIR DIR ...")
    elif arguments.extract:
        with importing():
            from pipeline.evaluation.session import propose_facts

        propose_facts(arguments.config, arguments.extract, arguments.name)
    else:
        folder = arguments.adapter or output_folder(arguments.config)
        prepare_environment(arguments.base or base_name_of(folder))
        with importing():
            from pipeline.evaluation.session import measure_recipe

        measure_recipe(
            arguments.config,
            folder,
            name=arguments.name,
            json_file=arguments.json,
            html_file=arguments.html,
            matrix_facts=arguments.matrix_facts,
            extent="quick" if arguments.quick else "full",
            base=arguments.base,
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="understudy recall", description=as_started(__doc__))
    parser.add_argument("--config", type=Path, metavar="RECIPE", help="the recipe of the run")
    parser.add_argument(
        "--adapter", type=Path, metavar="DIR", help="the run's folder (default: the recipe's output_dir)"
    )
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument(
        "--quick", action="store_true", help="recall, and the two most telling prices: a minute on two cores"
    )
    extent.add_argument("--full", action="store_true", help="everything (the default)")
    parser.add_argument("--as", dest="name", metavar="NAME", help="only this one, where the run has several characters")
    parser.add_argument(
        "--matrix_facts", type=int, default=MATRIX_FACTS, metavar="N",
        help=f"of how many of each character's facts the others are asked, where the run has several ({MATRIX_FACTS})",
    )  # fmt: skip
    parser.add_argument("--base", metavar="DIR", help="where the base model lies now, if it has moved")
    parser.add_argument("--compare", type=Path, nargs="+", metavar="DIR", help="compare these measured runs instead")
    parser.add_argument(
        "--extract", type=Path, metavar="FILE", help="propose facts from the background passages, to be reviewed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help=f"all numbers and items (default: DIR/{RECALL_FILE})")
    parser.add_argument("--html", type=Path, metavar="FILE", help=f"the report as a page (default: DIR/{REPORT_FILE})")
    return parser


if __name__ == "__main__":
    main()
