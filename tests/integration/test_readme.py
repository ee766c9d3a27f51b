"""Every command that the documents show exists, with its options, recipes and configurations; the README's tree too."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tools.reference import reference

DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
HEADERS = [*(ROOT / "recipes").glob("*.yaml")]
NAMES_TO_FILL_IN = {"recipes/mira.yaml", "recipes/X.yaml"}  # what an earlier command of the tour makes
BEGINS = re.compile(r"(make [a-z]|(\.venv/bin/)?(python -m (pipeline|tools)\.|accelerate launch .*-m |understudy ))")
FENCED, QUOTED = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL), re.compile(r"`([^`\n]+)`")


def commands(path: Path) -> list[str]:
    """The lines of shell blocks, what stands between backticks, and the commands in a recipe's header."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".yaml":
        lines = [line.removeprefix("#   ").partition("   ")[0] for line in text.splitlines() if line.startswith("#   ")]
    else:
        blocks = [line for block in FENCED.findall(text) for line in block.replace("\\\n", " ").splitlines()]
        lines = [line.partition(" #")[0] for line in blocks] + QUOTED.findall(FENCED.sub("", text))
    return [line.strip() for line in lines if BEGINS.match(line.strip())]


CASES = [(path.name, command) for path in [*DOCUMENTS, *HEADERS] for command in commands(path)]


@functools.cache
def help_of(module: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout


def test_the_reference_is_that_of_the_program() -> None:
    in_one_line = [" ".join(text.split()) for text in (reference(), (ROOT / "docs/reference.md").read_text("utf-8"))]
    assert in_one_line[0] == in_one_line[1], "python -m tools.reference > docs/reference.md"


@functools.cache
def known_keys() -> frozenset[str]:
    from dataclasses import fields

    from trl import ModelConfig, SFTConfig

    from pipeline.recipe import CharacterArguments

    return frozenset(
        f"--{entry.name}" for kind in (CharacterArguments, SFTConfig, ModelConfig) for entry in fields(kind)
    )


def test_there_are_commands_in_every_readme_and_recipe() -> None:
    assert {name for name, _ in CASES} >= {"README.md", "README.zh.md", *(path.name for path in HEADERS)}
    assert len(CASES) > 30


@pytest.mark.parametrize(("document", "command"), CASES)
def test_a_command_of_the_documents_is_one_that_there_is(document: str, command: str) -> None:
    words = command.split()
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert {word for word in words[1:] if "=" not in word} <= set(targets), command
    for word in words:
        for name in re.findall(r"\b(?:recipes|accelerate_configs)/[\w*]+\.yaml", word):
            assert "*" in name or name in NAMES_TO_FILL_IN or (ROOT / name).is_file(), command
    stages = re.findall(r"((?:pipeline|tools)\.[\w.]+\w)|understudy (\w+)(?! \|)", command)
    for module, stage in stages if " | " not in command else []:
        options = set(re.findall(r"(--[a-z_]+)", command.rpartition(module or stage)[2]))
        known = known_keys() | set(re.findall(r"--[a-z_]+", help_of(module or f"pipeline.{stage}")))
        assert options <= known, (document, command)


def test_the_readmes_tree_is_the_tree() -> None:
    block = re.search(r"^pipeline/\n((?:  .*\n)+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert block
    left_column = " ".join(re.split(r"  +", line.strip())[0] for line in block[1].splitlines())
    shown = set(re.findall(r"\w+(?=\.py|/)", left_column))
    there = {
        path.stem for path in (ROOT / "pipeline").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert shown == there - {"__init__"}


def test_decision_records_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_a_link_of_the_documents_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    for link in links:
        assert link.startswith("https://") or (document.parent / link).exists(), link
