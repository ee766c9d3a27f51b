"""A trained character in the form that another program takes: `python -m pipeline.export --adapter DIR --to FORM`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.exports import FORMS, OUTTYPES
from pipeline.imports import importing
from pipeline.models.locate import prepare_environment
from pipeline.runs.run_file import base_name_of
from pipeline.stages import as_started


@entry_point
def main() -> None:
    """Read the command line and export."""
    arguments = _parser().parse_args()
    prepare_environment(arguments.base or base_name_of(arguments.adapter))
    with importing():
        from pipeline.exports.forms import ExportOptions
        from pipeline.exports.session import export

    export(
        ExportOptions(
            adapter=arguments.adapter,
            form=arguments.to,
            out=arguments.out,
            name=arguments.name,
            base=arguments.base,
            dtype=arguments.dtype,
            card=arguments.card,
            outtypes=tuple(arguments.outtype),
            verify=arguments.verify,
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="understudy export", description=as_started(__doc__))
    forms = "; ".join(f"{name}: {meaning}" for name, meaning in FORMS.items())
    parser.add_argument("--adapter", type=Path, required=True, metavar="DIR", help="the folder that training wrote")
    parser.add_argument("--to", required=True, choices=FORMS, help=forms)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write, new or empty")
    parser.add_argument(
        "--as", dest="name", metavar="NAME", help="which character, where several were trained together"
    )
    parser.add_argument("--base", metavar="DIR", help="where the base model lies now, if it has moved")
    parser.add_argument(
        "--dtype", default="auto", choices=("auto", "float32", "bfloat16", "float16"),
        help="the precision of the weights (default: the base model's own)",
    )  # fmt: skip
    parser.add_argument(
        "--outtype", nargs="+", default=(), choices=OUTTYPES, metavar="TYPE",
        help="for GGUFs: f16, q8_0, bf16, f32; with llama-quantize on the PATH q4_k_m, q5_k_m, q6_k "
        "(default: f16 q8_0, for ollama q8_0, for gguf-adapter f16)",
    )  # fmt: skip
    parser.add_argument(
        "--verify", action=argparse.BooleanOptionalAction,
        help="for GGUFs: compare with llama.cpp's own reading (default: where xllamacpp is installed)",
    )  # fmt: skip
    parser.add_argument(
        "--card", type=Path, metavar="FILE", help="for --to card: a card, JSON or PNG, whose other fields are kept"
    )
    return parser


if __name__ == "__main__":
    main()
