"""Characters that share a recipe or a cast keep what is their own, and bleed is told from recall."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import load_personas, make_persona, persona_named, save_personas
from pipeline.errors import UnderstudyError
from pipeline.evaluation.bleed import (
    BleedCell,
    BleedColumn,
    BleedRow,
    CrossSample,
    choose_cross_probe,
    make_column,
    summarise_bleed,
)
from pipeline.evaluation.comparison import merge_reports
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.report.pages import write_bleed
from pipeline.evaluation.report.run_report import read_history
from pipeline.evaluation.report.tables import format_bleed
from pipeline.evaluation.results import RecallResults
from pipeline.mixture.ledger import format_ledger, ledger_of, make_ledger
from pipeline.mixture.plan import divide_by_character, exposures_by_share, exposures_by_weight, plan_mixture
from pipeline.multirun.cast import locked_folder
from pipeline.multirun.members import member_key, prepare_members
from pipeline.recipe import character_arguments, safe_folder_name
from pipeline.records.record import Record, content_id
from pipeline.records.split import split_records
from pipeline.terminal import display_width, padded
from pipeline.training.characters import Character, Characters, sample_probes_by_character
from tests.measurements import mira_findings

MIRA, AHENG = make_persona("Mira", "en", {}), make_persona("阿蘅", "zh", {})


def recipe_of(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_character_does_not_say_it_has_from_the_recipe(tmp_path: Path) -> None:
    recipe = recipe_of(
        tmp_path,
        "language: zh\nraw: [dump]\nsettings_weight: 3\nrecords_dir: build/tree\n"
        "characters:\n  - 阿蘅\n  - character: Mira\n    language: en\n    raw: [mira]\n    weight: 2\n"
        "    records_dir: mine\n    system_chat: Be {character}.\n",
    )
    aheng, mira = character_arguments(recipe).each
    assert (aheng.name, aheng.language, aheng.raw, aheng.weight) == ("阿蘅", "zh", ["dump"], 1)
    assert aheng.records_folder == Path("build/tree/阿蘅")
    assert (mira.name, mira.language, mira.raw, mira.weight) == ("Mira", "en", ["mira"], 2)
    assert (mira.records_folder, mira.instructions["chat"]) == (Path("mine"), "Be {character}.")
    assert mira.settings_weight == aheng.settings_weight == 3


def test_a_recipe_of_one_is_its_own_only_character(tmp_path: Path) -> None:
    arguments = character_arguments(recipe_of(tmp_path, "character: Mira\nraw: [mira]\n"))
    assert arguments.each == [arguments]


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("characters: [Mira, {character: Mira}]\nraw: [a]", r"recipe\.yaml:1: 'characters' names Mira twice"),
        ("raw: [a]\ncharacters: [{character: Mira, weigth: 2}]", r"yaml:2, character 1: 'weigth' is .*write 'weight'"),
        ("characters: [{character: Mira, settings_weight: 2}]\nraw: [a]", r"'settings_weight' is .*outside"),
        ("characters: [{character: Mira, raw: [a]}, Bram]", r"character 2 \(Bram\): 'raw' is missing"),
        ("characters: [{raw: [a]}]", r"character 1: has no name"),
        ("characters: [Mira, 5]\nraw: [a]", r"character 2: has no name"),
        ("characters: [{character: Mira, raw: a}]", r"character 1 \(Mira\): 'raw' is 'a'"),
        ("characters: [{character: Mira, weight: 0}]\nraw: [a]", r"character 1 \(Mira\): 'weight' is 0.*above 0"),
        ("characters: [{character: Mira, context_turns: -1}]\nraw: [a]", r"\(Mira\): 'context_turns' is -1"),
        ("characters: []\nraw: [a]", r"'characters' is empty"),
        ("character: Mira\ncharacters: [Bram]\nraw: [a]", r"stands beside 'character'"),
        ("probes: p.jsonl\ncharacters: [Mira, Bram]\nraw: [a]", r"stands beside 'probes'"),
        ("character: Mira\nweight: 2\nraw: [a]", r"'weight' is of one of several characters"),
    ],
)
def test_characters_that_contradict_each_other_are_refused_with_their_place(
    text: str, wrong: str, tmp_path: Path
) -> None:
    with pytest.raises(UnderstudyError, match=f"(?s){wrong}") as raised:
        character_arguments(recipe_of(tmp_path, text))
    assert "To fix it: " in str(raised.value)


def test_the_personas_of_several_are_kept_together_and_guarded(tmp_path: Path) -> None:
    save_personas([MIRA, AHENG], tmp_path, template="t")
    assert load_personas(tmp_path, template="t") == (MIRA, AHENG)
    with pytest.raises(UnderstudyError, match="another chat template"):
        load_personas(tmp_path, template="other")
    path = tmp_path / "persona.json"
    path.write_text(path.read_text(encoding="utf-8").replace("你现在是{character}。请用", "请用"), encoding="utf-8")
    with pytest.raises(UnderstudyError, match="changed by hand"):
        load_personas(tmp_path)


def test_the_file_of_one_persona_is_its_fields_as_before(tmp_path: Path) -> None:
    save_personas([MIRA], tmp_path, template="t")
    fields = json.loads((tmp_path / "persona.json").read_text(encoding="utf-8"))
    assert set(fields) == {"name", "language", "instructions", "sampling", "template", "digest"}


def test_whoever_is_not_named_or_not_there_is_asked_for_by_the_names_that_are() -> None:
    assert persona_named("阿蘅", [MIRA, AHENG], "out") is AHENG
    assert persona_named(None, [MIRA], "out") is MIRA
    with pytest.raises(UnderstudyError, match=r"out: knows several characters: Mira, 阿蘅\. To fix it: .*--as NAME"):
        persona_named(None, [MIRA, AHENG], "out")
    with pytest.raises(UnderstudyError, match="knows no Bram, but Mira"):
        persona_named("Bram", [MIRA], "out")


casts = st.dictionaries(
    st.sampled_from(["Mira", "阿蘅", "Bram", "Liv"]),
    st.fixed_dictionaries(
        {"dialogue": st.integers(1, 30), "setting_qa": st.integers(0, 20), "background": st.integers(0, 4)}
    ),
    min_size=2,
)


def laid_out(cast: dict[str, dict[str, int]]) -> tuple[list[str], list[str]]:
    each = [(name, kind) for name, sizes in cast.items() for kind, size in sizes.items() for _ in range(size)]
    return [name for name, _ in each], [kind for _, kind in each]


@given(casts, st.integers(1, 6), st.integers(0, 9))
def test_equal_characters_are_seen_exactly_as_each_would_be_alone(
    cast: dict[str, dict[str, int]], weight: int, seed: int
) -> None:
    owners, kinds = laid_out(cast)
    weights = {"dialogue": 1.0, "setting_qa": weight, "background": weight}
    sources, exposures = divide_by_character(owners, kinds, exposures_by_weight(kinds, weights), {})
    together = plan_mixture(sources, exposures, seed=seed, rows_per_step=1).planned(2)
    for name, sizes in cast.items():
        own = [kind for kind, size in sizes.items() for _ in range(size)]
        alone = plan_mixture(own, exposures_by_weight(own, weights), seed=seed, rows_per_step=1).planned(2)
        assert (together[np.asarray(owners) == name] == alone).all()


@given(casts, st.integers(2, 5))
def test_a_characters_weight_is_how_often_its_records_are_seen_beside_anothers(
    cast: dict[str, dict[str, int]], weight: int
) -> None:
    owners, kinds = laid_out(cast)
    favourite = owners[0]
    wanted = {"dialogue": 1.0, "setting_qa": 3.0, "background": 2.0}
    sources, exposures = divide_by_character(owners, kinds, exposures_by_weight(kinds, wanted), {favourite: weight})
    plan = plan_mixture(sources, exposures, seed=0, rows_per_step=1)
    due = [wanted[kind] * (weight if owner == favourite else 1) for owner, kind in zip(owners, kinds, strict=True)]
    assert plan.planned(1).tolist() == due


@given(casts, st.floats(0.2, 5))
def test_the_shares_of_kinds_stay_what_they_are_whatever_the_characters_weigh(
    cast: dict[str, dict[str, int]], weight: float
) -> None:
    owners, kinds = laid_out(cast)
    shares = {kind: float(1 + number) for number, kind in enumerate(dict.fromkeys(kinds))}
    exposures_of = exposures_by_share(kinds, shares)
    sources, exposures = divide_by_character(owners, kinds, exposures_of, {owners[0]: weight}, shares=True)
    by_kind = dict.fromkeys(shares, 0.0)
    for source, kind in dict(zip(sources, kinds, strict=True)).items():
        by_kind[kind] += exposures[source]
    assert by_kind == pytest.approx(exposures_of)


def test_what_is_nobodys_is_a_source_by_itself() -> None:
    sources, exposures = divide_by_character(
        ["Mira", "Bram", "", ""],
        ["dialogue", "dialogue", "replay", "replay"],
        {"dialogue": 2, "replay": 1},
        {"Mira": 3},
    )
    assert exposures == {"dialogue of Mira": 3, "dialogue of Bram": 1, "replay": 1}
    assert sources[2:] == ["replay", "replay"]


def test_the_ledger_of_several_adds_up_by_kind_and_by_character() -> None:
    owners, kinds = laid_out({"Mira": {"dialogue": 3, "setting_qa": 2}, "阿蘅": {"dialogue": 5}})
    planned = np.array([1, 1, 1, 4, 4, 2, 2, 2, 2, 2])
    rows = make_ledger(kinds, [2.0] * 10, planned, planned, owners=owners)
    assert [(row["character"], row["kind"], row["planned"]) for row in rows] == [
        ("Mira", "dialogue", 3), ("Mira", "setting_qa", 8), ("阿蘅", "dialogue", 10),
    ]  # fmt: skip
    assert sum(row["share_of_records"] for row in rows) == pytest.approx(1)
    assert len(ledger_of(rows, "Mira")) == 2
    told = format_ledger(rows)
    assert "dialogue           8       13       13" in told
    assert "阿蘅               5       10       10" in told


def test_a_ledger_of_a_hundred_names_a_few_and_says_so() -> None:
    owners = [f"Number {number}" for number in range(100)]
    told = format_ledger(make_ledger(["dialogue"] * 100, [1.0] * 100, np.ones(100, dtype=np.int64), owners=owners))
    assert "... and 88 more" in told
    assert len(told.splitlines()) == 16


def line(speaker: str, scene: str, number: int) -> Record:
    text = f"{speaker} speaks of {number * 104729} and {scene} {number * 7919}."
    return Record(content_id(speaker, scene, text), "dialogue", scene, text, (), speaker, f"a.json#{number}", scene)


def test_each_characters_own_share_is_held_out_and_a_scene_of_both_stays_whole() -> None:
    records = [
        line(name, f"{name} {scene}", turn) for name in ("Mira", "Bram") for scene in range(20) for turn in (1, 2)
    ]
    records += [line(name, "together", turn) for name in ("Mira", "Bram") for turn in range(3, 5)]
    records += [line("Liv", f"Liv {scene}", 1) for scene in range(100)]
    train, held_out = split_records(records, 0.1, seed=1)
    assert Counter(record.speaker for record in held_out) == {"Mira": 4, "Bram": 4, "Liv": 10}
    assert len(train) + len(held_out) == len(records)
    sides = {record.scene in {other.scene for other in held_out} for record in train if record.scene == "together"}
    assert len(sides) <= 1


def probe(fact: str, answer: str) -> Probe:
    return Probe(fact, "place", f"Where is {fact}?", (f"{fact} is where?",), answer, (), ())


def test_the_facts_probed_while_training_are_shared_out() -> None:
    def character(name: str, count: int) -> Character:
        probes = [probe(f"{name} {number}", f"At {number}.") for number in range(count)]
        return Character([], probes, make_persona(name, "en", {}))

    cast = Characters([character("Mira", 30), character("Bram", 2), character("Liv", 30)], "f")
    counts = {name: len(probes) for name, probes in sample_probes_by_character(cast, 16).items()}
    assert counts == {"Mira": 7, "Bram": 2, "Liv": 7}
    assert sum(map(len, sample_probes_by_character(cast, 1).values())) == 1
    assert sample_probes_by_character(cast, 0) == {}


def column(name: str, facts: int = 8) -> BleedColumn:
    probes = [probe(f"{name} {number}", f"{name} at {number}.") for number in range(facts)]
    return make_column(make_persona(name, "en", {}), probes, facts, distractors=3)


def cell(share: float, facts: int = 8) -> BleedCell:
    hits = [number < share * facts for number in range(facts)]
    return BleedCell(hits, hits)


def test_recall_is_told_from_bleed() -> None:
    columns = [column("Mira"), column("Bram")]
    rows = {
        "Mira": BleedRow([cell(1), cell(0)], CrossSample("Bram", "Where?", "There.", "<b>Nowhere</b>")),
        "Bram": BleedRow([cell(0.875), cell(1)]),
    }
    bleed = summarise_bleed(rows, BleedRow([cell(0), cell(0)]), columns, model="m", shared=True)
    overall = bleed.exact.present()
    assert overall["own"].value == 1
    assert overall["others"].value == pytest.approx(7 / 16)
    assert overall["base"].value == 0
    assert [(pair.asked, pair.of, pair.value) for pair in bleed.bleeding] == [("Bram", "Mira", 0.875)]
    assert bleed.pairs == 2
    told = format_bleed(bleed)
    assert "bleeds: Bram knows of Mira, ranked first +0.88" in told
    assert "(untouched)" in told


def test_the_page_of_the_matrix_is_escaped_and_fetches_nothing(tmp_path: Path) -> None:
    columns = [column("<Mira>"), column("Bram")]
    rows = {"<Mira>": BleedRow([cell(1), cell(0)], CrossSample("Bram", "Where?", "There.", "<b>Nowhere</b>"))}
    write_bleed(
        summarise_bleed(rows, BleedRow([cell(0), cell(0)]), columns, model="m", shared=False), tmp_path / "page.html"
    )
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;Nowhere&lt;/b&gt;" in page
    assert "<Mira>" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_a_character_without_facts_has_a_row_and_no_column() -> None:
    columns = [column("Mira")]
    rows = {"Mira": BleedRow([cell(1)]), "Bram": BleedRow([cell(0.5)])}
    bleed = summarise_bleed(rows, BleedRow([cell(0)]), columns, model="m", shared=False)
    assert list(bleed.rows) == ["Mira", "Bram"]
    assert bleed.exact.present()["own"].count == 8
    assert bleed.pairs == 1
    assert choose_cross_probe(["Mira", "Bram"], columns).keys() == {"Bram"}


def test_reports_of_several_are_one_run_for_comparison() -> None:
    found = mira_findings()
    control, *_ = found.drift

    def report(worse: bool) -> RecallResults:
        return replace(found, items=found.items[:1], drift=(replace(control, worse=worse),))

    merged = merge_reports({"Mira": report(False), "Bram": report(True)})
    assert [item.fact_id for item in merged.items] == ["Mira: f0", "Bram: f0"]
    assert merged.prices["control"].worse
    assert merged.prices["control"].value == pytest.approx(control.trained.value)


def test_a_characters_report_has_its_own_recall_and_ledger(tmp_path: Path) -> None:
    logs = [
        {"step": 1, "loss": 2.0, "loss_dialogue": 2.5, "loss_of_Mira": 1.0, "loss_of_阿蘅": 3.0},
        {
            "step": 1,
            "recall_unseen_exact": 0.5,
            "recall_unseen_exact_of_Mira": 0.25,
            "recall_unseen_exact_of_阿蘅": 0.75,
        },
    ]
    (tmp_path / "logs.jsonl").write_text("\n".join(map(json.dumps, logs)), encoding="utf-8")
    ledger = [{"character": name, "kind": "dialogue", "planned": 1} for name in ("Mira", "阿蘅", "")]
    run = dict.fromkeys(
        ("versions", "commit", "seconds", "world_size", "device", "steps", "rows", "data", "model"), "x"
    )
    (tmp_path / "run.json").write_text(
        json.dumps(run | {"recipe": "r", "ledger": ledger, "arguments": {"dtype": "float32"}}), encoding="utf-8"
    )
    history = read_history(tmp_path, AHENG.name)
    assert history.curve == [{"step": 1, "loss": 2.0, "loss_dialogue": 2.5}]
    assert history.recall_curve == [{"step": 1, "unseen_exact": 0.75}]
    assert history.ledger == [ledger[1]]


def test_two_casts_never_train_into_one_folder(tmp_path: Path) -> None:
    with (
        locked_folder(tmp_path / "out"),
        pytest.raises(UnderstudyError, match="by another `understudy cast`"),
        locked_folder(tmp_path / "out"),
    ):
        pass
    with locked_folder(tmp_path / "out"):
        assert (tmp_path / "out").is_dir()


def test_each_member_of_a_cast_has_a_recipe_of_its_own(tmp_path: Path) -> None:
    recipe = recipe_of(
        tmp_path,
        "settings_weight: 7\noutput_dir: out\ncharacters: [{character: Mira, raw: [a], weight: 2}, "
        "{character: ../Bram, language: zh, raw: [b]}]\n",
    )
    mira, bram = prepare_members(recipe, tmp_path / "cast", ["all"])
    assert (mira.arguments.name, mira.arguments.raw, mira.arguments.settings_weight) == ("Mira", ["a"], 7)
    assert mira.arguments.weight == 1
    assert bram.arguments.language == "zh"
    assert bram.folder.parent == tmp_path / "cast"
    assert yaml.safe_load(bram.recipe.read_text(encoding="utf-8"))["output_dir"] == str(bram.folder)
    assert [member.name for member in prepare_members(recipe, tmp_path / "cast", ["Mira"])] == ["Mira"]
    with pytest.raises(UnderstudyError, match="has no Nobody, but Mira"):
        prepare_members(recipe, tmp_path / "cast", ["Nobody"])


def test_a_member_is_trained_anew_only_where_something_that_decides_it_has_changed(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.json").write_text("[]", encoding="utf-8")
    recipe = recipe_of(tmp_path, f"output_dir: out\ncharacters: [{{character: Mira, raw: [{tmp_path / 'raw'}]}}]\n")
    (member,) = prepare_members(recipe, tmp_path / "cast", ["all"])
    key = member_key(member, [])
    prepare_members(recipe, tmp_path / "cast", ["all"])
    assert member_key(member, []) == key
    assert member_key(member, ["--max_steps", "3"]) != key
    (tmp_path / "raw" / "b.json").write_text("[]", encoding="utf-8")
    assert member_key(member, []) != key


def test_a_converted_tree_is_a_cast(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    recipe = recipe_of(tmp_path, f"records_dir: {tree}\noutput_dir: out\n")
    with pytest.raises(UnderstudyError, match="holds no converted characters"):
        prepare_members(recipe, tmp_path / "cast", ["all"])
    (tree / "cast.json").write_text(json.dumps({"characters": [{"name": "Mi:ra", "folder": "Mi_ra-1"}]}))
    (member,) = prepare_members(recipe, tmp_path / "cast", ["all"])
    assert member.arguments.records_folder == tree / "Mi_ra-1"
    assert not member.arguments.raw_paths
    with pytest.raises(UnderstudyError, match=r"recipe\.yaml:2: 'probes' is one file for all characters"):
        prepare_members(recipe_of(tmp_path, f"records_dir: {tree}\nprobes: p.jsonl\n"), tmp_path / "cast", ["all"])


@given(st.text(min_size=1, max_size=12))
def test_a_padded_name_is_as_wide_as_it_should_be(name: str) -> None:
    assert display_width(padded(name, 30)) == 30
    assert "/" not in safe_folder_name(name, set())
