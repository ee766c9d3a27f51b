"""Train a model each for several characters, and measure what they know of each other: `python -m pipeline.cast`.

    python -m pipeline.cast --config recipes/cast_demo.yaml
    python -m pipeline.cast --config recipes/yours.yaml --characters Mira Bram --jobs 2 --num_train_epochs 3

takes the characters that the recipe lists, or finds them in its raw files, and trains each by itself: a GPU each where
there are several, in turn on a CPU. The same command again resumes, and trains nothing that is finished again.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.evaluation import MATRIX_FACTS
from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.recipe import output_folder, value_of
from pipeline.records.characters import ALL
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line, train the characters that are not yet trained, and write the matrix."""
    parser = argparse.ArgumentParser(
        prog="understudy cast",
        description=as_started(__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="--key value overrides the recipe, for all of them.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    parser.add_argument("--characters", nargs="+", default=[ALL], metavar="NAME", help="which to train (all)")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to put them (the recipe's output_dir + _cast)")
    parser.add_argument("--jobs", type=int, metavar="N", help="trainings at once (one a GPU; 1 without)")
    parser.add_argument(
        "--matrix_facts", type=int, default=MATRIX_FACTS, metavar="N",
        help=f"how many facts of each character every model is asked ({MATRIX_FACTS}; 0: no matrix)",
    )  # fmt: skip
    arguments, overrides = parser.parse_known_args()
    own = output_folder(arguments.config)
    prepare_environment(str(value_of(arguments.config, overrides, "model_name_or_path")))
    with importing():
        from pipeline.multirun.cast import run_cast

    run_cast(
        arguments.config,
        overrides,
        arguments.out or own.with_name(f"{own.name}_cast"),
        arguments.characters,
        jobs=arguments.jobs,
        matrix_facts=arguments.matrix_facts,
    )


if __name__ == "__main__":
    main()
