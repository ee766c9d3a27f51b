"""Private names of other packages: each is in the table, is used where it says, and is still there."""

from __future__ import annotations

import ast
import functools
import importlib.metadata
from collections.abc import Iterator, Sequence

import pytest

from pipeline.capacity import checks
from pipeline.private_names import PRIVATE_NAMES, PrivateName, missing_names
from tests.conftest import ROOT

STANDARD = {"os._exit"}  # Python's own, and documented


@functools.cache
def strings_and_private_uses() -> dict[str, tuple[set[str], set[str]]]:
    """Of each module every name and string in it, and the private names that it takes from elsewhere."""
    found = {}
    for path in sorted((ROOT / "pipeline").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        strings = {value for node in nodes for _, value in ast.iter_fields(node) if isinstance(value, str)}
        found[module] = strings, set(private_uses(nodes))
    return found


def private_uses(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """The private names that a module takes from elsewhere: imported, read of an object, or overridden."""
    own = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    own |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and not (node.module or "").startswith("pipeline"):
            yield from (alias.name for alias in node.names if is_private(alias.name))
        elif isinstance(node, ast.Attribute) and is_private(node.attr):
            of_super = isinstance(node.value, ast.Call) and ast.unparse(node.value) == "super()"
            if (of_super or node.attr not in own) and ast.unparse(node) not in STANDARD:
                yield node.attr


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


@pytest.mark.parametrize("name", PRIVATE_NAMES, ids=str)
def test_a_private_name_is_still_there(name: PrivateName) -> None:
    assert name not in list(missing_names()), f"{name.package} has no {name} any more, which {name.reason}"


@pytest.mark.parametrize("name", PRIVATE_NAMES, ids=str)
def test_a_private_name_is_used_where_the_table_says(name: PrivateName) -> None:
    last = name.path.rsplit(".", 1)[-1]
    found = {module for module, (strings, _) in strings_and_private_uses().items() if last in strings}
    assert found - {"pipeline.private_names"} == set(name.used_in)


def test_no_other_private_name_is_used() -> None:
    known = {(module, name.path.rsplit(".", 1)[-1]) for name in PRIVATE_NAMES for module in name.used_in}
    used = {(module, private) for module, (_, uses) in strings_and_private_uses().items() for private in uses}
    assert used <= known


def test_a_name_that_is_gone_is_named_by_preflight_with_the_version_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not list(checks.check_private_names())
    from peft.tuners.lora import LoraLayer
    from transformers import Trainer

    monkeypatch.delattr(Trainer, "_run_epoch")
    monkeypatch.setattr(LoraLayer, "__init__", lambda self: None)
    trainer, lora = checks.check_private_names()
    assert str(trainer).startswith("error: transformers: 5.")
    assert "has no transformers.Trainer._run_epoch, which ends a run that is resumed at its end" in trainer.what
    assert trainer.fix == "`pip install 'transformers<5.24,>=5.23'`"
    assert "peft.tuners.lora.LoraLayer.lora_variant" in lora.what


def test_every_package_of_the_table_is_bounded_from_above() -> None:
    from packaging.requirements import Requirement

    wanted = {one.name: one for one in map(Requirement, importlib.metadata.requires(checks.DISTRIBUTION) or ())}
    for package in {name.package for name in PRIVATE_NAMES} | {"trl", "accelerate"}:
        assert any(bound.operator == "<" for bound in wanted[package].specifier), package
