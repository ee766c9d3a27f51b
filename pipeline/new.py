"""Begin a character: a folder with sample files and a recipe that works as it is: `understudy new NAME`."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.recipe import safe_folder_name
from pipeline.stages import as_started
from pipeline.starter.folder import language_of, write_starter
from pipeline.terminal import print_line


@entry_point
def main() -> None:
    """Write the folder, and say what to do in it."""
    parser = argparse.ArgumentParser(prog="understudy new", description=as_started(__doc__))
    parser.add_argument("name", metavar="NAME", help="the character's name")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where (default: a folder of that name)")
    parser.add_argument("--language", choices=("en", "zh"), help="of the character (default: that of its name)")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(safe_folder_name(arguments.name, set()))
    for path in write_starter(folder, arguments.name, arguments.language or language_of(arguments.name)):
        print_line(f"  {path}")
    print_line(
        f"\nput your own files into {folder / 'raw'}, or try it as it is:\n"
        f"  cd {shlex.quote(str(folder))}\n  understudy train --config recipe.yaml\n"
        "  understudy recall --config recipe.yaml --quick\n  understudy chat --adapter outputs"
    )


if __name__ == "__main__":
    main()
