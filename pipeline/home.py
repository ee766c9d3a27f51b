"""The program's own cache folder."""

from __future__ import annotations

import os
from pathlib import Path


def understudy_home() -> Path:
    """The program's cache folder: `UNDERSTUDY_HOME`, else `understudy` in the user's cache."""
    if home := os.environ.get("UNDERSTUDY_HOME"):
        return Path(home).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "understudy"
