"""A trained character as a server for any OpenAI client: `python -m pipeline.serve --adapter DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.models.locate import prepare_environment
from pipeline.runs.run_file import base_name_of, is_finished
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line and serve, until stopped."""
    parser = argparse.ArgumentParser(prog="understudy serve", description=as_started(__doc__))
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--adapter", type=Path, metavar="DIR", help="the folder that training wrote, or a merged export")
    what.add_argument("--gguf", type=Path, metavar="FILE", help="an exported GGUF, for llama.cpp's server")
    parser.add_argument(
        "--lora", type=Path, metavar="FILE", help="for --gguf, where that is the base model's: an exported adapter"
    )
    parser.add_argument("--as", dest="name", metavar="NAME", help="which character, where several were trained")
    parser.add_argument("--base", metavar="DIR", help="where the base model lies now, if it has moved")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="on 127.0.0.1 (default: 8000)")
    parser.add_argument("--context", type=int, default=4096, metavar="N", help="for --gguf: tokens (default: 4096)")
    arguments = parser.parse_args()
    if arguments.lora and not arguments.gguf:
        parser.error("--lora goes with --gguf, the base model's")

    folder = arguments.adapter
    prepare_environment(arguments.base or (base_name_of(folder) if folder and is_finished(folder) else "."))
    from pipeline.exports.serve import serve_folder, serve_gguf

    if arguments.gguf:
        serve_gguf(arguments.gguf, port=arguments.port, context=arguments.context, lora=arguments.lora)
    else:
        serve_folder(folder, arguments.name, base=arguments.base, port=arguments.port)


if __name__ == "__main__":
    main()
