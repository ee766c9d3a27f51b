"""Chat, reports, curves and exports as pages in a browser: `python -m pipeline.studio --config RECIPE`."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path

from pipeline.errors import UnderstudyError, entry_point
from pipeline.models.locate import prepare_environment
from pipeline.runs.run_file import base_name_of
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line and serve, until stopped.

    Raises:
        UnderstudyError: what the studio needs is not installed.
    """
    parser = argparse.ArgumentParser(prog="understudy studio", description=as_started(__doc__))
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, nargs="+", metavar="RECIPE", help="the recipes, trained or not yet")
    what.add_argument("--adapter", type=Path, nargs="+", metavar="DIR", help="the folders that training wrote")
    parser.add_argument("--base", metavar="DIR", help="where the base model lies now, if it has moved")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8080, metavar="N", help="(default: 8080; 0 takes a free one)")
    parser.add_argument(
        "--password_file", type=Path, metavar="FILE", help="ask for the password in it; needed where others can come"
    )
    arguments = parser.parse_args()
    if importlib.util.find_spec("nicegui") is None:
        raise UnderstudyError("studio", "needs NiceGUI", fix="pip install 'understudy[web]'")

    from pipeline.web.run_pages import StudioRun

    runs = [StudioRun.of_recipe(recipe, arguments.base) for recipe in arguments.config or ()]
    runs += [StudioRun(folder, base=arguments.base) for folder in arguments.adapter or ()]
    trained = [run.folder for run in runs if arguments.adapter or run.is_finished]
    if trained:
        prepare_environment(*(arguments.base or base_name_of(folder) for folder in trained))
    from pipeline.web.access import read_password
    from pipeline.web.server import run_studio

    password = read_password(arguments.password_file) if arguments.password_file else None
    run_studio(runs, host=arguments.host, port=arguments.port, password=password)


if __name__ == "__main__":
    main()
