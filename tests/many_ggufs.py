"""Converts several models in one process, by llama.cpp's converter: `python tests/many_ggufs.py SCRIPT MODEL ...`.

Each model's file lies beside its folder. The tests' tokenizers split words as GPT-2's does, which the converter cannot
know: it recognises tokenizers by what they make of one text, and these were trained a moment ago.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path


def main() -> None:
    script, *models = map(Path, sys.argv[1:])
    sys.path.insert(0, str(script.parent))
    importlib.import_module("conversion.base").TextModel.get_vocab_base_pre = lambda *_: "gpt-2"
    converter = importlib.import_module(script.stem)
    for model in models:
        sys.argv = [script.name, "--outtype", "f32", "--outfile", f"{model}.gguf", str(model)]
        converter.main()


if __name__ == "__main__":
    main()
