"""The one kind of error that a user sees: where, what, and the fix."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from pipeline.stages import as_started


class UnderstudyError(Exception):
    """Something the user can put right: says where it is, what is wrong and what to do."""

    def __init__(self, where: object, what: str, *, fix: str) -> None:
        super().__init__(f"{where}: {what}. To fix it: {fix}.")
        self.parts = (str(where), what, fix)

    def __reduce__(self) -> tuple[Callable[[tuple[str, str, str]], UnderstudyError], tuple[tuple[str, str, str]]]:
        """Pickles with its parts, so that it can pass from one process to another."""
        return _from_parts, (self.parts,)


class Stopped(Exception):  # noqa: N818 - nothing went wrong
    """The run received a signal, and has saved the checkpoint from which the same command resumes."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"stopped by signal {signal}")
        self.signal = signal


def _from_parts(parts: tuple[str, str, str]) -> UnderstudyError:
    return UnderstudyError(parts[0], parts[1], fix=parts[2])


def entry_point(main: Callable[[], None]) -> Callable[[], None]:
    """Run `main` so that an `UnderstudyError` ends in one paragraph and exit code 2, and Ctrl-C in code 130.

    A run that saved a checkpoint on a signal has logged it already; its code is 128 + the signal, as in a shell.
    """

    @functools.wraps(main)
    def guarded() -> None:
        try:
            main()
        except UnderstudyError as error:
            sys.stderr.write(as_started(f"error: {error}\n"))
            sys.exit(2)
        except Stopped as stopped:
            sys.exit(128 + stopped.signal)
        except KeyboardInterrupt:
            sys.stderr.write("\nstopped; run the same command again to resume\n")
            sys.exit(130)

    return guarded
