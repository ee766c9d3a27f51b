"""The folder of a new character: it converts, trains, is measured and talks as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.atomic_io import write_text
from pipeline.conversations.persona import Language
from pipeline.errors import UnderstudyError
from pipeline.starter.sample import read_sample

TEMPLATES = Path(__file__).parent


def language_of(name: str) -> Language:
    """The language in which a name is written."""
    return "zh" if any("\u4e00" <= char <= "\u9fff" for char in name) else "en"


def write_starter(folder: Path, name: str, language: Language) -> list[Path]:
    """The folder holds raw files, probes, a recipe and a README of the character; gives the files.

    Raises:
        UnderstudyError: the name is none, or the folder holds something.
    """
    if not name.strip() or any(char in name for char in "\n:："):
        raise UnderstudyError("command line", f"{name!r} is no name", fix="give a name without a colon")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UnderstudyError(folder, "is there already", fix="name another folder: --folder DIR")
    sample = read_sample(language)
    contents = {
        "raw/lines.txt": _lines(sample, name),
        "raw/settings.json": _settings(sample, name),
        "probes.jsonl": _probes(sample),
        "recipe.yaml": _rendered("recipe.yaml.jinja", name, language),
        "README.md": _rendered("README.md.jinja", name, language),
    }
    for path, content in contents.items():
        write_text(folder / path, content)
    return [folder / path for path in contents]


def _lines(sample: dict[str, Any], name: str) -> str:
    scenes = ["\n".join(turns) for turns in sample["scenes"]]
    return _named("\n\n".join(scenes), sample, name) + "\n"


def _settings(sample: dict[str, Any], name: str) -> str:
    passage = sample["passage"]
    rows = [{"input": passage["title"], "speaker": name, "text": _named(passage["text"], sample, name)}]
    rows += [{"input": fact["question"], "speaker": name, "text": fact["answer"]} for fact in sample["facts"]]
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    return f"[\n{lines}\n]\n"


def _probes(sample: dict[str, Any]) -> str:
    rows = [
        {
            "fact_id": f"fact-{number}",
            "type": "sample",
            "question_seen": fact["question"],
            "questions_unseen": fact["unseen"],
            "answer": fact["answer"],
            "aliases": fact["aliases"],
        }
        for number, fact in enumerate(sample["facts"], 1)
    ]
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def _named(text: str, sample: dict[str, Any], name: str) -> str:
    return text.replace("{visitor}", sample["visitor"]).replace("{name}", name)


def _rendered(template: str, name: str, language: Language) -> str:
    environment = Environment(  # noqa: S701 - it makes YAML and Markdown
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, keep_trailing_newline=True
    )
    environment.filters["tojson_plain"] = lambda text: json.dumps(text, ensure_ascii=False)  # which is YAML, too
    return environment.get_template(template).render(name=name, language=language)
