"""A run as the studio shows it: its folder, its recipe, and the pages that other commands have written of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path

from pipeline.recipe import character_arguments, output_folder
from pipeline.records.files import CHARACTERS_PAGE, CONVERSION_PAGE
from pipeline.runs.files import BLEED_PAGE, REPORT_FILE
from pipeline.runs.run_file import is_finished
from pipeline.stages import as_started

EXPORTS_FOLDER = "exports"


@dataclass(frozen=True, slots=True)
class StudioRun:
    """A run's folder and, where it is known, its recipe. The run may be finished, going on, or not begun."""

    folder: Path
    recipe: Path | None = None
    base: str | None = None  # where its base model lies now, if it has moved

    @classmethod
    def of_recipe(cls, recipe: Path, base: str | None = None) -> StudioRun:
        """The run that the recipe describes.

        Raises:
            UnderstudyError: it is no recipe, or says not where the run's folder is.
        """
        return cls(output_folder(recipe), recipe, base)

    @property
    def base_options(self) -> list[str]:
        """The command line's options for the base model."""
        return [f"--base={self.base}"] if self.base else []

    @property
    def is_finished(self) -> bool:
        """Whether there is a character to talk to."""
        return is_finished(self.folder)

    @property
    def command(self) -> str:
        """What measures the run."""
        return as_started(f"understudy recall --config {self.recipe or 'RECIPE'} --adapter {self.folder}")

    def recall_pages(self) -> dict[str, Path]:
        """The reports of recall that there are, by title."""
        reports = {self._title(page): page for page in self._reports(REPORT_FILE)}
        bleed = self.folder / BLEED_PAGE
        return reports | ({"Who knows what of whom": bleed} if bleed.is_file() else {})

    def records_pages(self) -> dict[str, Path]:
        """The reports of conversion that there are, by title."""
        if self.recipe is None:
            return {}
        each = character_arguments(self.recipe).each
        pages = {one.name: one.records_folder / CONVERSION_PAGE for one in each}
        pages["All characters"] = each[0].records_folder.parent / CHARACTERS_PAGE
        return {title: page for title, page in pages.items() if page.is_file()}

    def exported(self) -> dict[str, list[Path]]:
        """The files of each export in the run's folder, by form."""
        folders = [path for path in sorted((self.folder / EXPORTS_FOLDER).glob("[!.]*")) if path.is_dir()]
        return {folder.name: sorted(file for file in folder.iterdir() if file.is_file()) for folder in folders}

    def new_export(self, name: str) -> Path:
        """A folder for an export of that name, which is not there yet."""
        folders = self.folder / EXPORTS_FOLDER
        numbered = (f"{name}-{number}" for number in count(2))
        return next(folders / one for one in chain([name], numbered) if not (folders / one).exists())

    def _reports(self, name: str) -> Iterator[Path]:
        yield from (page for page in (self.folder / name, *sorted(self.folder.glob(f"*/{name}"))) if page.is_file())

    def _title(self, page: Path) -> str:
        return "Report" if page.parent == self.folder else page.parent.name
