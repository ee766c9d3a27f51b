"""Show what becomes of records, from the raw file to the tokens that the loss sees: `python -m pipeline.explain`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.recipe import value_of
from pipeline.records.record import KINDS
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line and show the records that it names, or one of each kind."""
    parser = argparse.ArgumentParser(prog="understudy explain", description=as_started(__doc__), allow_abbrev=False)
    parser.add_argument("--config", type=Path, required=True, metavar="RECIPE", help="the recipe")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--record", metavar="ID", help="the record with this id, or beginning of one")
    which.add_argument("--kind", choices=KINDS, help="the records of this kind")
    which.add_argument("--sample", type=int, metavar="N", help="N records, drawn by a hash of their ids")
    parser.add_argument("--as", dest="name", metavar="NAME", help="only this character's, where the recipe has several")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write one self-contained page")
    arguments, overrides = parser.parse_known_args()
    prepare_environment(str(value_of(arguments.config, overrides, "model_name_or_path")))
    with importing():  # and no garbage is collected to the end: a command of seconds, whose objects nearly all stay
        from pipeline.inspection.explain import explain_recipe

        explain_recipe(
            arguments.config,
            overrides,
            name=arguments.name,
            record=arguments.record,
            kind=arguments.kind,
            sample=arguments.sample,
            page=arguments.html,
        )


if __name__ == "__main__":
    main()
