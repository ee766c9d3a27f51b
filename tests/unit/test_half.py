"""Half of a character is every other fact and scene, whole, and asked for nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.augmentation.facts import facts_of
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import read_probes
from pipeline.multirun.half import half_of, write_half_recipe
from pipeline.recipe import character_arguments, output_folder, read_recipe
from pipeline.records.conversion import records_of
from pipeline.records.split import scene_of

DEMO = Path("recipes/demo.yaml")


def test_half_of_the_demo_has_half_of_its_facts_and_scenes_and_their_probes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.multirun.half.HALVES", tmp_path)
    arguments = character_arguments(DEMO)
    whole, _ = records_of(arguments.raw_paths, arguments.name, tmp_path / "whole", arguments.conversion)
    recipe = write_half_recipe(DEMO)
    half = character_arguments(recipe)
    records, _ = records_of(half.raw_paths, half.name, half.records_folder, half.conversion)
    assert len(facts_of(records)) == len(facts_of(whole)) / 2 == 24
    assert {fact.questions for fact in facts_of(records)} <= {fact.questions for fact in facts_of(whole)}
    scenes, of_half = ({scene_of(one) for one in some if one.kind == "dialogue"} for some in (whole, records))
    assert len(of_half) == (len(scenes) + 1) // 2
    for scene in of_half:
        assert [one for one in records if scene_of(one) == scene] == [one for one in whole if scene_of(one) == scene]
    assert {probe.answer for probe in read_probes(Path(str(half.probes)))} == {
        fact.answer for fact in facts_of(records)
    }
    assert output_folder(recipe) != output_folder(DEMO)
    own = ("raw", "records_dir", "probes", "output_dir", "max_exposures")
    assert {key: value for key, value in read_recipe(recipe).items() if key not in own} == {
        key: value for key, value in read_recipe(DEMO).items() if key not in own
    }


def test_several_characters_are_not_halved() -> None:
    with pytest.raises(UnderstudyError, match="has several characters"):
        write_half_recipe(Path("recipes/cast_demo.yaml"))


def test_half_of_one_fact_is_that_fact() -> None:
    arguments = character_arguments(DEMO)
    whole, _ = records_of(arguments.raw_paths, arguments.name, arguments.records_folder, arguments.conversion)
    (first, *_) = facts_of(whole)
    assert half_of(list(first.records)) == list(first.records)
