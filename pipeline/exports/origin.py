"""Where an export comes from, in words that hold on any machine: no path of the one that trained it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.atomic_io import read_json
from pipeline.conversations.persona import Persona, load_personas, persona_named
from pipeline.errors import UnderstudyError
from pipeline.models.digest import base_digest, check_base
from pipeline.models.load import load_tokenizer
from pipeline.models.locate import is_local
from pipeline.models.public_name import licence_of, public_name, title_of
from pipeline.runs.files import ADAPTER_FILE, RECALL_FILE
from pipeline.runs.run_file import read_run
from pipeline.terminal import print_line

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TEXT_FILES = (".json", ".jinja", ".md", "Modelfile")
VOCABULARY = "tokenizer.json"  # may hold any word, /root among them


@dataclass(frozen=True, slots=True)
class Origin:
    """The run behind an export, and the character of it that is exported.

    `base` is a hub id, `embedded`, or the name of a folder without its path; `base_model` is what it is loaded by here.
    `base_digest` is of the weights that it was trained on, as the run remembers them; a run of an earlier version
    remembers none (`digest_remembered`), and the digest is of the weights found now.
    `recall` is what the run's recall.json says; empty where recall was not measured. `licence` is the base model's, by
    its own model card; empty if it names none.
    """

    folder: Path
    run: Mapping[str, Any]
    persona: Persona
    tokenizer: PreTrainedTokenizerBase
    base: str
    base_model: str
    base_digest: str
    digest_remembered: bool
    licence: str
    is_adapter: bool
    recall: Mapping[str, Any]

    @property
    def base_title(self) -> str:
        """The base model's name as others know it."""
        return title_of(self.base)

    @property
    def digest_taken(self) -> str:
        """When the digest was taken."""
        return "at training" if self.digest_remembered else "at export"

    def to_json(self) -> dict[str, Any]:
        """As `export.json` has it."""
        return {
            "character": self.persona.name,
            "base": {"name": self.base, "digest": self.base_digest, "digest_taken": self.digest_taken},
            "trained": {"commit": self.run.get("commit"), "steps": self.run.get("steps")},
        }


def origin_of(folder: Path, name: str | None, base: str | None) -> Origin:
    """Where the character called `name` in a run's folder comes from; `base` is where its base model lies now.

    Raises:
        UnderstudyError: the folder holds no finished run, its persona was changed, it has no character of that name, or
            `base` is another model than it was trained on.
    """
    run = read_run(folder)
    tokenizer = load_tokenizer(str(folder))
    persona = persona_named(name, load_personas(folder, template=tokenizer.chat_template), folder)
    base_model = base or str(run["model"])
    remembered, revision = run.get("base_digest"), str(run["arguments"]["model_revision"])
    if base:
        check_base(base, revision=revision, expected=remembered, adapter=folder)
    return Origin(
        folder=folder,
        run=run,
        persona=persona,
        tokenizer=tokenizer,
        base=public_name(str(run["model"])),
        base_model=base_model,
        base_digest=remembered or base_digest(base_model, revision=revision),
        digest_remembered=bool(remembered),
        licence=licence_of(base_model),
        is_adapter=(folder / ADAPTER_FILE).is_file(),
        recall=_recall_of(persona.name, folder, run),
    )


def check_no_private_path(folder: Path, origin: Origin) -> None:
    """No text file of the export names a folder of this machine.

    Raises:
        UnderstudyError: one does.
    """
    for file in sorted(folder.iterdir()):
        if file.name.endswith(TEXT_FILES) and file.name != VOCABULARY:
            text = file.read_text(encoding="utf-8")
            for path in _private_paths(origin):
                if f"{path}/" in text or f'"{path}"' in text:
                    raise UnderstudyError(file, f"would name a folder of this machine, {path}", fix="report this")


def _private_paths(origin: Origin) -> set[str]:
    places = {Path.home(), Path.cwd(), origin.folder.resolve()}
    if is_local(origin.base_model):
        places.add(Path(origin.base_model).expanduser().resolve())
    return {str(place) for place in places if place != Path(place.root)}


def _recall_of(name: str, folder: Path, run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The character's recall.json: that of several characters lies in folders below the run's.

    One that an earlier run left in the folder, which took other seconds, says nothing of this one.
    """
    reports = map(read_json, (folder / RECALL_FILE, *sorted(folder.glob(f"*/{RECALL_FILE}"))))
    report = next((report for report in reports if report.get("character") == name), {})
    measured, finished = (report.get("run") or {}).get("seconds"), run.get("seconds")
    if measured is not None and finished is not None and measured != finished:
        print_line(f"{folder / RECALL_FILE} is of an earlier run: measure again, and the export says what it recalls")
        return {}
    return report
