"""Say what is wrong with this installation, and how to put it right: `understudy doctor`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from pipeline.errors import entry_point
from pipeline.stages import as_started
from pipeline.terminal import print_line


@entry_point
def main() -> None:
    """Print what is here and what is wrong; exit with 1 if a run could not start."""
    argparse.ArgumentParser(prog="understudy doctor", description=as_started(__doc__)).parse_args()
    from pipeline.capacity.installation import check_installation, describe, this_machine

    machine = this_machine(Path.cwd())
    for line in describe(machine):
        print_line(line)
    findings = check_installation(machine)
    for finding in findings:
        print_line(str(finding))
    fatal = any(finding.fatal for finding in findings)
    print_line("all is well" if not findings else f"findings: {len(findings)}{'' if fatal else '; none stops a run'}")
    sys.exit(1 if fatal else 0)


if __name__ == "__main__":
    main()
