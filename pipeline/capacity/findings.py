"""The reasons to refuse a run, or to doubt it: each finding says where, what and the fix."""

from __future__ import annotations

from dataclasses import dataclass

GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason to refuse the run if `fatal`, else to doubt that it succeeds."""

    where: str
    what: str
    fix: str
    fatal: bool = True

    def __str__(self) -> str:
        """One paragraph, as errors are written."""
        return f"{'error' if self.fatal else 'warning'}: {self.where}: {self.what}. To fix it: {self.fix}."


def gib(count: int) -> str:
    """Bytes, readably: `1.5 GiB`, `620 MiB`."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{count / 2**20:.0f} MiB"
