"""The matrix of several characters: every adapter asked for everyone's facts, on one base model where they share it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import __version__
from pipeline.atomic_io import write_json
from pipeline.evaluation.bleed import (
    Bleed,
    BleedCell,
    BleedColumn,
    BleedRow,
    CrossSample,
    choose_cross_probe,
    make_column,
    sample_reply,
    score_cells,
    summarise_bleed,
)
from pipeline.evaluation.exam import drop_revealing
from pipeline.models.trained import load_in_turn
from pipeline.multirun.members import Member
from pipeline.runs.files import RUN_FILE
from pipeline.runs.run_file import read_run
from pipeline.terminal import Progress, duration
from pipeline.training.characters import read_character

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from pipeline.conversations.persona import Persona

ROWS_FOLDER = "matrix"
BASE_ROW_FILE = "untouched.json"


def measure_matrix(
    members: Sequence[Member],
    folder: Path,
    count: int,
    *,
    log: Callable[[str], None],
    progress_for: Callable[[str], Progress],
) -> Bleed | None:
    """The matrix of these members; None where no member has two facts to ask for.

    `count` facts of each are asked for. Every cell is saved, so that what was interrupted resumes, and a new member
    costs a row and a column. `log` gets what there is to do and how long it takes, `progress_for` a row's name.
    """
    columns = [column for member in members if (column := _column(member, count, log))]
    if not columns:
        return None
    rows_folder = folder / ROWS_FOLDER
    base = _CachedRow(rows_folder / BASE_ROW_FILE, _base_key(members[0]), columns)
    rows = [_CachedRow(rows_folder / f"{member.folder.name}.json", _run_key(member), columns) for member in members]
    samples = choose_cross_probe([member.name for member in members], columns)
    base_only = base.missing and not any(row.missing for row in rows)  # its row alone needs a model to be loaded
    pending = [
        pair for pair in zip(members, rows, strict=True) if pair[1].missing or (base_only and pair[1] is rows[0])
    ]
    questions = sum(len(column.probes) for one in (base, *rows) for column in one.missing)
    log(f"matrix of {len(members)} x {len(columns)}: {questions} questions to ask")
    loaded = load_in_turn((member.folder, member.name) for member, _ in pending)
    for number, ((member, row), trained) in enumerate(zip(pending, loaded, strict=True)):
        model, tokenizer = trained.model, trained.tokenizer
        if base.missing:
            with trained.base() as untouched:
                base.fill(untouched, tokenizer, None, None, progress_for("the untouched model"))
        began, left = time.monotonic(), len(pending) - number - 1
        row.fill(model, tokenizer, trained.persona, samples.get(member.name), progress_for(member.name))
        if number == 0 and left:
            log(f"about {duration(left * (time.monotonic() - began))} for the {left} other rows")
    answered = {member.name: row.row for member, row in zip(members, rows, strict=True)}
    return summarise_bleed(answered, base.row, columns, model=str(read_run(members[0].folder)["model"]), shared=False)


class _CachedRow:
    """A row's cells, saved to a file as they are measured; those of another run or other facts are measured again."""

    def __init__(self, path: Path, key: str, columns: Sequence[BleedColumn]) -> None:
        self._path, self._key, self._columns = path, key, columns
        self._keys = [_digest(asdict(column)) for column in columns]
        self._cells, self._sample = _read(path, key)

    @property
    def missing(self) -> list[BleedColumn]:
        """The columns without a cell."""
        return [column for column, key in zip(self._columns, self._keys, strict=True) if key not in self._cells]

    @property
    def row(self) -> BleedRow:
        """The row, once no cell is missing."""
        return BleedRow([self._cells[key] for key in self._keys], self._sample)

    def fill(
        self,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        persona: Persona | None,
        other: BleedColumn | None,
        progress: Progress,
    ) -> None:
        """The missing cells are measured, a reply to a question of `other` is sampled, and both are saved."""
        missing = [key for key in self._keys if key not in self._cells]
        self._cells |= dict(zip(missing, score_cells(model, tokenizer, persona, self.missing, progress), strict=True))
        if persona and other:
            self._sample = sample_reply(model, tokenizer, persona, other)
        cells = {key: asdict(cell) for key, cell in self._cells.items()}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_json(self._path, {"key": self._key, "cells": cells, "sample": self._sample and asdict(self._sample)})


def _read(path: Path, key: str) -> tuple[dict[str, BleedCell], CrossSample | None]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = {column: BleedCell(**cell) for column, cell in content["cells"].items()}
        sample = CrossSample(**content["sample"]) if content["sample"] else None
    except (OSError, ValueError, TypeError, KeyError):
        return {}, None
    return (cells, sample) if content["key"] == key else ({}, None)


def _column(member: Member, count: int, log: Callable[[str], None]) -> BleedColumn | None:
    """The facts of a member; None, and logged, if it has fewer than two to ask for."""
    arguments = member.arguments
    character, _ = read_character(arguments)
    probes = [asking for probe in character.probes if (asking := drop_revealing(probe))]
    if len({probe.answer for probe in probes}) < 2:
        log(f"{member.name} has no two facts to ask for: no column of its own")
        return None
    return make_column(character.persona, probes, count, distractors=arguments.recall_distractors)


def _run_key(member: Member) -> str:
    return _digest([__version__, (member.folder / RUN_FILE).read_text(encoding="utf-8")])


def _base_key(member: Member) -> str:
    run = read_run(member.folder)
    return _digest(
        [__version__, run["model"], run["versions"], run["arguments"]["dtype"], run["arguments"]["model_revision"]]
    )


def _digest(content: Any) -> str:
    return hashlib.blake2b(json.dumps(content, ensure_ascii=False, sort_keys=True).encode(), digest_size=12).hexdigest()
