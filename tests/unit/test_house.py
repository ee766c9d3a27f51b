"""The house stays in order: small rooms, functions that fit a screen, one owner for each file of a run's folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipeline.runs import files
from tests.conftest import ROOT

LONGEST_MODULE, LONGEST_FUNCTION = 300, 40  # lines
MOST_FILES = 10  # at one level of a room
OWNER = ROOT / "pipeline" / "runs" / "files.py"
SOURCES = sorted(path for room in ("pipeline", "tools") for path in (ROOT / room).rglob("*.py"))
FILE_NAMES = [value for name, value in vars(files).items() if name.isupper() and "." in str(value)]
NAMED = re.compile(rf"(?<![\w.])({'|'.join(map(re.escape, FILE_NAMES))})(?!\.?\w)")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Module:
    path: Path
    text: str
    nodes: list[ast.AST]


@pytest.fixture(scope="module", params=SOURCES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Module:
    """Of the module's scope, so that pytest runs the tests of one module after another, and each is parsed once."""
    text = request.param.read_text(encoding="utf-8")
    return Module(request.param, text, list(ast.walk(ast.parse(text))))


def literals(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Every string of a module but for its docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in nodes
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_a_module_is_short_and_its_functions_fit_a_screen(module: Module) -> None:
    assert len(module.text.splitlines()) <= LONGEST_MODULE
    functions = [node for node in module.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION} == {}


def test_a_file_of_a_runs_folder_is_named_by_its_owner_alone(module: Module) -> None:
    named = [text for text in literals(module.nodes) if NAMED.search(text)]
    assert bool(named) == (module.path == OWNER), named


@pytest.mark.parametrize("room", ["training", "evaluation"])
def test_a_room_has_few_files_at_one_level(room: str) -> None:
    levels = [ROOT / "pipeline" / room, *(path for path in (ROOT / "pipeline" / room).rglob("*") if path.is_dir())]
    for level in levels:
        names = [path.name for path in level.iterdir() if path.is_file()]
        assert len(names) <= MOST_FILES, (level, names)
