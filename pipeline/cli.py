"""The console script: `understudy <stage>` is `python -m pipeline.<stage>`. Imports nothing heavy for `--help`."""

from __future__ import annotations

import os
import runpy
import sys

from pipeline import __version__
from pipeline.stages import BY_NAME, STAGES


def main() -> None:
    """Run the stage that the first argument names."""
    stage = sys.argv[1] if len(sys.argv) > 1 else "--help"
    if stage in STAGES:
        os.environ[BY_NAME] = "1"
        sys.argv = [f"understudy {stage}", *sys.argv[2:]]
        runpy.run_module(f"pipeline.{stage}", run_name="__main__", alter_sys=True)
    elif stage in ("--version", "-V"):
        sys.stdout.write(f"understudy {__version__}\n")
    else:
        width = max(map(len, STAGES)) + 2
        known = "\n".join(f"  {name:<{width}}{meaning}" for name, meaning in STAGES.items())
        sys.stdout.write(f"usage: understudy STAGE [...]\n\n{known}\n\nunderstudy STAGE --help says more\n")
        sys.exit(0 if stage in ("--help", "-h") else 2)


if __name__ == "__main__":
    main()
