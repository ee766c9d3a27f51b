"""Convert raw files to one character's records: `python -m pipeline.convert --config recipes/X.yaml`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from pipeline.errors import UnderstudyError, entry_point
from pipeline.recipe import ConversionOptions, character_arguments, safe_folder_name
from pipeline.records.account import format_account
from pipeline.records.characters import ALL, convert_characters, format_characters
from pipeline.records.check import format_check
from pipeline.records.conversion import convert, ensure_converted
from pipeline.records.files import CHARACTERS_PAGE, CONVERSION_PAGE, REVIEW_FILE
from pipeline.stages import as_started

LEFT_OUT = 3  # exit code


@entry_point
def main() -> None:
    """Convert what the command line or its recipes name, and print what became of every record."""
    arguments = _arguments()
    if arguments.config:
        complete = [done for recipe in arguments.config for done in _convert_recipe(recipe, arguments)]
        _end(all(complete))
    needed = {"--raw": arguments.raw, "--character": arguments.character, "--out": arguments.out or arguments.check}
    if missing := [word for word, given in needed.items() if not given]:
        what = f"lacks {' and '.join(missing)}"
        raise UnderstudyError("command line", what, fix="give --config RECIPE, or --raw, --character and --out")
    options = ConversionOptions(context_turns=arguments.context_turns)
    _end(_convert(arguments.raw, arguments.character, arguments.out, arguments, options))


def _end(complete: bool) -> NoReturn:
    """Exit, with a code of its own where a file was left out: a script must be able to tell."""
    if not complete:
        sys.stderr.write(f"some files were left out because they are broken (exit code {LEFT_OUT})\n")
    sys.exit(0 if complete else LEFT_OUT)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="understudy convert", description=as_started(__doc__))
    parser.add_argument("--config", type=Path, nargs="+", metavar="RECIPE", help="recipes whose characters to convert")
    parser.add_argument("--raw", type=Path, nargs="+", metavar="PATH", help="raw files, or folders to search for them")
    parser.add_argument(
        "--character",
        metavar="NAME",
        help="the speaker to keep, exactly as the files write it; `all`: everybody after whom a folder is named, or "
        "else everybody with 20 lines or more, each into a folder of its own",
    )
    parser.add_argument("--other_names", nargs="+", metavar="NAME", help="other names under which the files have it")
    parser.add_argument("--out", type=Path, metavar="DIR", help="where to write records, rejects and the report")
    parser.add_argument("--context_turns", type=int, default=6, metavar="N", help="turns shown before a line (6)")
    parser.add_argument(
        "--join", nargs="+", metavar="PATH", help="transcripts in which lines find the turns before them"
    )
    parser.add_argument("--rows", metavar="PATH", help="where nested documents have their rows, as plots[].lines[]")
    parser.add_argument("--columns", nargs="+", metavar="OURS=THEIRS", help="their fields, as speaker=who text=line")
    parser.add_argument("--mask_private", action="store_true", help="mask phone numbers, addresses and ids")
    parser.add_argument("--review", action="store_true", help=f"write doubtful records to {REVIEW_FILE}, to be edited")
    parser.add_argument("--num_proc", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (all cores)")
    parser.add_argument(
        "--check", action="store_true", help="print on one screen what was understood, with samples; write nothing"
    )
    parser.add_argument("--strict", action="store_true", help="end at the first broken file of a folder")
    parser.add_argument("--skip_absent", action="store_true", help="pass over recipes whose raw files are not here")
    return parser.parse_args()


def _convert_recipe(recipe: Path, arguments: argparse.Namespace) -> Iterator[bool]:
    """Convert the recipe's characters; for each, whether everything could be read."""
    characters = character_arguments(recipe).each
    taken: set[str] = set()
    for own in characters:
        below = safe_folder_name(own.name, taken) if len(characters) > 1 else ""
        absent = [path for path in own.raw_paths if not path.exists()]
        if absent and arguments.skip_absent:
            sys.stdout.write(f"{recipe}: skipped, {absent[0]} is not here\n")
        elif own.raw_paths or arguments.raw:
            yield _convert(
                arguments.raw or own.raw_paths,
                own.name if below else arguments.character or own.name,
                arguments.out / below if arguments.out else own.records_folder,
                arguments,
                own.conversion,
            )


def _convert(
    raw: list[Path], character: str, folder: Path, arguments: argparse.Namespace, options: ConversionOptions
) -> bool:
    """Convert and print what became of every record; whether everything could be read."""
    given = {"join": arguments.join, "rows": arguments.rows, "columns": arguments.columns}
    given |= {"other_names": arguments.other_names, "mask_private": arguments.mask_private, "strict": arguments.strict}
    options = replace(options, **{key: value for key, value in given.items() if value})
    if arguments.check and character == ALL:
        raise UnderstudyError("command line", "checks one character at a time", fix="name one: --character NAME")
    if arguments.check:
        conversion = convert(raw, character, options, num_proc=arguments.num_proc)
        sys.stdout.write(f"{format_check(conversion)}\n")
        return not conversion.broken
    if character == ALL:
        summary = convert_characters(raw, folder, options, num_proc=arguments.num_proc)
        sys.stdout.write(f"{format_characters(summary)}\n  written to {folder}; report: {folder / CHARACTERS_PAGE}\n")
        return not summary["broken"]
    account = ensure_converted(raw, character, folder, options, review=arguments.review, num_proc=arguments.num_proc)
    sys.stdout.write(f"{format_account(account)}\n  written to {folder}; report: {folder / CONVERSION_PAGE}\n")
    if arguments.review:
        sys.stdout.write(f"  to decide: {folder / REVIEW_FILE}; edit its column kind, and name it as `reviewed`\n")
    return not account["broken"]


if __name__ == "__main__":
    main()
