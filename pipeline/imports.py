"""The heavy imports of a command, in a tenth less time."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def importing() -> Iterator[None]:
    """Within, no garbage is collected, and what is there at the end is not looked through again.

    torch, transformers and trl make a million objects that stay. The collector would look through them time and again
    while they are made, which is a tenth of the seconds that they take, and then whenever it is run.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
        gc.freeze()
