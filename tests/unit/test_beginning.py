"""A new character's folder works as it is, and an installation's faults are named."""

from __future__ import annotations

import importlib
import sys
import tomllib
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml

from pipeline import doctor, new
from pipeline.atomic_io import write_json
from pipeline.capacity import installation
from pipeline.capacity.findings import GIB
from pipeline.capacity.installation import check_cache, check_machine, describe, this_machine
from pipeline.conversations.persona import make_persona
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import choose_probes
from pipeline.recipe import character_arguments
from pipeline.records.conversion import records_of
from pipeline.runs.folder import check_read
from pipeline.starter.folder import language_of, write_starter
from pipeline.training.arguments import parse_run
from pipeline.training.characters import load_characters
from pipeline.training.data import prepare_data

ROOT = Path(__file__).parents[2]
OWN = {"character", "language", "raw", "records_dir", "probes", "output_dir"}


@pytest.mark.parametrize("name", ["Mira Vale", "阿蘅", 'Orla "Quill" O\'Hara', "yes"])
def test_a_new_characters_folder_converts_and_tests_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_starter(tmp_path / "mine", name, language_of(name))
    monkeypatch.chdir(tmp_path / "mine")
    (one,) = character_arguments(Path("recipe.yaml")).each
    assert one.name == name
    records, _ = records_of(one.raw_paths, one.name, one.records_folder, one.conversion)
    kinds = [record.kind for record in records]
    assert (kinds.count("background"), kinds.count("setting_qa"), kinds.count("dialogue")) == (1, 8, 8)
    assert all(record.context for record in records if record.kind == "dialogue")
    probes = choose_probes(one.probes, records, make_persona(name, one.language, {}))
    assert len(probes) == 8
    assert all(probe.made_by == "hand" and len(probe.unseen) == 2 for probe in probes)


def test_whoever_puts_facts_beside_the_samples_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_starter(tmp_path / "mine", "Mira", "en")
    monkeypatch.chdir(tmp_path / "mine")
    said: list[str] = []
    load_characters(parse_run(Path("recipe.yaml"), []), said.append, looks_only=True)
    assert not [one for one in said if "sample" in one]
    notes = "Q: What is your ferret called?\nA: Bodkin, and he bites.\n\nQ: Whom do you trust?\nA: My aunt.\n"
    Path("raw/notes.txt").write_text(notes, encoding="utf-8")
    load_characters(parse_run(Path("recipe.yaml"), []), said.append, looks_only=True)
    (note,) = [one for one in said if "sample" in one]
    assert "8 of 11 facts" in note
    assert "settings.json" in note


def test_what_a_new_characters_folder_teaches_stands_within_its_recipes_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_starter(tmp_path / "mine", "Mira", "en")
    monkeypatch.chdir(tmp_path / "mine")
    run = parse_run(Path("recipe.yaml"), [])
    characters, tokenizer = load_characters(run, lambda _: None, looks_only=True)
    data = prepare_data(run, characters, tokenizer)
    facts = [count for count, kind in zip(data.planned, data.rows.kinds, strict=True) if kind == "setting_qa"]
    assert run.character.exposures < min(facts) <= max(facts) <= run.character.max_exposures


def test_other_data_than_a_finished_runs_are_refused_before_the_base_model_replies_to_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_starter(tmp_path / "mine", "Mira", "en")
    monkeypatch.chdir(tmp_path / "mine")
    run, out, said = parse_run(Path("recipe.yaml"), []), Path("outputs"), []
    characters, _ = load_characters(run, said.append, looks_only=True)
    assert any("the base model's own replies" in text for text in said)
    write_json(out / "run.json", {"data": {"read": characters.read}})
    load_characters(run, said.append, looks_only=True, check_read=partial(check_read, out))
    write_json(out / "run.json", {"data": {"read": "of other records"}})
    said.clear()
    with pytest.raises(UnderstudyError, match=r"differs in data.*training begins anew, from the base model"):
        load_characters(run, said.append, looks_only=True, check_read=partial(check_read, out))
    assert not any("the base model's own replies" in text for text in said)


def test_its_recipe_is_the_one_to_copy_but_for_its_own_keys(tmp_path: Path) -> None:
    ours = yaml.safe_load((ROOT / "recipes/yours.yaml").read_text(encoding="utf-8"))
    for language in ("en", "zh"):
        write_starter(tmp_path / language, "Mira", language)  # type: ignore[arg-type]
        theirs = yaml.safe_load((tmp_path / language / "recipe.yaml").read_text(encoding="utf-8"))
        assert {key: value for key, value in theirs.items() if key not in OWN} == {
            key: value for key, value in ours.items() if key not in OWN
        }
        run = parse_run(tmp_path / language / "recipe.yaml", [])
        assert not {"learning_rate", "bf16"} & run.given, "they follow from the model and the machine"


def test_every_file_that_the_package_reads_is_packed_into_its_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = project["tool"]["setuptools"]["package-data"]["*"]
    data = [path for path in (ROOT / "pipeline").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")]
    assert any(path.name == "recipe.yaml.jinja" for path in data)
    for path in data:
        assert any(path.match(pattern) for pattern in patterns), path
        assert (path.parent / "__init__.py").is_file(), f"{path.parent} is no package, so its data is left out"


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="is there already"):
        write_starter(tmp_path, "Mira", "en")
    assert [path.name for path in tmp_path.iterdir()] == ["recipe.yaml"]
    for name in ("", " ", "a: b", "a\nb"):
        with pytest.raises(UnderstudyError, match="is no name"):
            write_starter(tmp_path / "other", name, "en")


def test_the_command_says_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["new", "Mira/Vale"])
    new.main()
    said = capsys.readouterr().out
    (folder,) = tmp_path.iterdir()
    assert f"cd {folder.name}" in said
    assert "understudy train --config recipe.yaml" in said


def test_what_is_wrong_with_a_machine_is_named_with_its_fix(tmp_path: Path) -> None:
    well = replace(
        this_machine(tmp_path), gpus=0, gpu_tool=None, free_disk={tmp_path: 9 * GIB}, memory=16 * GIB, threads=None
    )
    assert not list(check_machine(well))
    cases = {
        "Python": replace(well, python=(3, 9)),
        "torch": replace(well, gpu_tool="/usr/bin/nvidia-smi", cuda_build=False),
        str(tmp_path): replace(well, free_disk={tmp_path: GIB}),
        "memory": replace(well, memory=GIB),
        "OMP_NUM_THREADS": replace(well, threads="1", cores=8),
    }
    for where, machine in cases.items():
        (finding,) = check_machine(machine)
        assert finding.where == where
        assert finding.fatal == (where == "Python")
    assert any("cores" in line for line in describe(well))


def test_a_cache_that_cannot_be_written_stops_a_run(tmp_path: Path) -> None:
    assert not list(check_cache(tmp_path / "cache"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    (finding,) = check_cache(tmp_path / "file")
    assert finding.fatal
    assert "UNDERSTUDY_HOME" in finding.fix


@pytest.mark.parametrize(("packages", "code"), [([], 0), (["understudy-needs-this>=1"], 1)])
def test_doctor_exits_with_1_exactly_if_a_run_could_not_start(
    packages: list[str], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("pipeline.capacity.checks.importlib.metadata.requires", lambda _: packages)
    monkeypatch.setattr(sys, "argv", ["doctor"])
    with pytest.raises(SystemExit) as ended:
        doctor.main()
    assert ended.value.code == code
    said = capsys.readouterr().out
    assert ("understudy-needs-this: is not installed" in said) == bool(code)
    assert "packages: torch " in said
    assert installation.PACKAGES[0] == "torch"


@pytest.mark.parametrize("stage", ["explain", "preflight", "train"])
def test_an_adapter_is_no_model_to_train_on(stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_starter(tmp_path / "mine", "Mira", "en")
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "adapter" / "adapter_model.safetensors").write_bytes(b"x" * 2000)
    monkeypatch.chdir(tmp_path / "mine")
    monkeypatch.setattr("sys.argv", [stage, "--config", "recipe.yaml", "--model_name_or_path", "../adapter"])
    said: list[str] = []
    monkeypatch.setattr("sys.stderr.write", said.append)
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"pipeline.{stage}").main()
    assert ended.value.code == 2
    assert "model_name_or_path ../adapter: is an adapter, not a model" in "".join(said)
