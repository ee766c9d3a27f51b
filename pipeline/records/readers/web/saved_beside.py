"""The folders in which a browser, or a chat's exporter, keeps a page's pictures and scripts beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pipeline.records.readers.web.html_file import SUFFIXES

# Mira.html and Mira_files; a browser in another language has another word, an exporter the page's whole name before it.
ENDS = ("_files", ".files", "_dateien", "_archivos", "_fichiers", "_ficheiros", "_arquivos", "-dateien", "_file")


def saved_beside(files: Sequence[Path]) -> set[Path]:
    """The folders among those of the files that stand beside a page and are called after it."""
    pages = [file for file in files if file.suffix.lower() in SUFFIXES]
    called = {
        (page.parent, f"{name}{end}".lower()) for page in pages for name in (page.stem, page.name) for end in ENDS
    }
    folders = {folder for file in files for folder in file.parents} if called else set()
    return {folder for folder in folders if (folder.parent, folder.name.lower()) in called}
