"""Several characters: in one adapter, told apart by their prompts, and in an adapter each, trained as a cast."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pipeline.conversations.persona import Sampling
from pipeline.conversations.render import chat_prompt, user
from pipeline.models.generate import generate_reply
from pipeline.models.trained import load_in_turn, load_trained
from pipeline.runs.checkpoints import list_complete_checkpoints
from tests.conftest import SETTINGS
from tests.runs import MODULE, Run, adapter_of, run, succeeded, train

BRAMS = ("In a mill above Tarn.", "Rye bread and little else.", "The wind taught me.")
BRAM = [
    {"input": record["input"], "speaker": "Bram", "text": text}
    for record, text in zip(SETTINGS[:3], BRAMS, strict=True)
] + [{"source_title": "The mill", "speaker": "Bram", "text": f"Sack {number} weighs too much."} for number in "1234"]
# Long enough for the tiny model to know its few facts by heart.
BY_HEART = (
    "--num_train_epochs", "40", "--max_exposures", "200", "--chat_share", "1", "--wordings", "copies",
    "--recall_items", "0",
)  # fmt: skip


def probes(path: Path, records: Sequence[dict[str, str]]) -> str:
    """A file that asks for the settings in the very words of the training, which the tiny model knows by heart."""
    facts = [
        {"fact_id": record["input"], "question_seen": record["input"], "questions_unseen": [record["input"]],
         "answer": record["text"], "made_by": "frame"}
        for record in records
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, facts)), encoding="utf-8")
    return str(path)


@pytest.fixture
def two(tiny_recipe: Path, raw_folder: Path, tmp_path: Path) -> Path:
    """The recipe of Mira and Bram, who are asked the same questions and answer otherwise."""
    (tmp_path / "bram.json").write_text(json.dumps(BRAM), encoding="utf-8")
    values = yaml.safe_load(tiny_recipe.read_text(encoding="utf-8"))
    for key in ("character", "raw", "records_dir"):
        values.pop(key)
    values["characters"] = [
        {"character": "Mira", "raw": [str(raw_folder)], "records_dir": str(tmp_path / "records" / "mira"),
         "probes": probes(tmp_path / "mira.jsonl", SETTINGS[:3])},
        {"character": "Bram", "raw": [str(tmp_path / "bram.json")], "records_dir": str(tmp_path / "records" / "bram"),
         "probes": probes(tmp_path / "bram.jsonl", BRAM[:3])},
    ]  # fmt: skip
    tiny_recipe.write_text(json.dumps(values), encoding="utf-8")
    return tiny_recipe


def says(folder: Path, name: str, question: str) -> str:
    trained = load_trained(folder, name)
    return generate_reply(trained.model, trained.tokenizer, chat_prompt(trained.persona, [user(question)]))


def test_two_characters_in_one_adapter_answer_the_same_questions_each_as_itself(two: Path, tmp_path: Path) -> None:
    said = train(two, *BY_HEART)
    out = tmp_path / "out"
    assert "talk to Mira or Bram: python -m pipeline.chat --adapter" in said
    for number, record in enumerate(SETTINGS[:3]):
        assert says(out, "Mira", record["input"]) == record["text"]
        assert says(out, "Bram", record["input"]) == BRAMS[number]

    ledger = json.loads((out / "run.json").read_text(encoding="utf-8"))["ledger"]
    assert {(row["character"], row["kind"]) for row in ledger} == {
        ("Mira", "setting_qa"), ("Mira", "background"), ("Mira", "dialogue"), ("Bram", "setting_qa"),
        ("Bram", "dialogue"),
    }  # fmt: skip
    assert all(row["planned"] == row["realised"] for row in ledger)
    by_record = [json.loads(line) for line in (out / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["character"] for row in by_record} == {"Mira", "Bram"}
    logs = [json.loads(line) for line in (out / "logs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {"loss_dialogue", "loss_of_Mira", "loss_of_Bram"} <= {name for log in logs for name in log}

    said = succeeded(*MODULE, "pipeline.recall", "--config", str(two), "--matrix_facts", "3")
    for name in ("Mira", "Bram"):
        recall = json.loads((out / name / "recall.json").read_text(encoding="utf-8"))
        assert recall["recall"]["trained"]["seen_exact"]["value"] == 1.0
        assert {row["character"] for row in recall["ledger"]} == {name}
        assert f"What {name} recalls" in (out / name / "report.html").read_text(encoding="utf-8")
    bleed = json.loads((out / "bleed.json").read_text(encoding="utf-8"))
    assert [column["name"] for column in bleed["columns"]] == ["Mira", "Bram"]
    summary = bleed["summary"]["exact"]
    assert [summary[key]["value"] for key in ("own", "others", "base")] == [1, 0, 0]
    assert "(untouched)" in said
    assert "know of each other" in (out / "bleed.html").read_text(encoding="utf-8")
    together = json.loads((out / "recall.json").read_text(encoding="utf-8"))
    assert len(together["items"]) == 6

    alone = succeeded(*MODULE, "pipeline.recall", "--config", str(two), "--as", "Bram")
    assert "==" not in alone.replace("== Bram", "")
    chat = [*MODULE, "pipeline.chat", "--adapter", str(out), "--once", "Who taught you?", "--seed", "1"]
    refused = run(*chat)
    assert refused.returncode == 2
    assert "knows several characters: Mira, Bram. To fix it: name one of them: --as NAME." in refused.stderr
    assert succeeded(*chat, "--as", "Bram")
    said = succeeded(*MODULE, "pipeline.explain", "--config", str(two), *BY_HEART, "--as", "Bram", "--sample", "9")
    assert "Sack" in said
    assert "Bell" not in said


def test_a_run_of_two_characters_that_was_cut_off_ends_where_the_uncut_run_ends(two: Path, tmp_path: Path) -> None:
    saving = ["--save_strategy", "steps", "--save_steps", "3", "--recall_items", "0", "--output_dir"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(two, *saving, str(whole))
    command = [*MODULE, "pipeline.train", "--config", str(two), *saving, str(cut)]
    first = Run(command, tmp_path / "log")
    assert first.until(lambda: list_complete_checkpoints(cut))
    first.kill()
    assert "resuming from" in train(two, *saving, str(cut))
    resumed = adapter_of(cut)
    for name, tensor in adapter_of(whole).items():
        assert (resumed[name] == tensor).all(), name


def test_each_character_has_its_own_lines_held_out_and_its_own_weight(two: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(two.read_text(encoding="utf-8"))
    values["characters"][1]["weight"] = 3
    for entry, name in zip(values["characters"], ("Mira", "Bram"), strict=True):
        lines = [
            {
                "source_title": f"Scene {number}",
                "speaker": name,
                "text": f"{name} says {number * 7919} in scene {number}.",
            }
            for number in range(10)
        ]
        path = tmp_path / f"{name}-lines.json"
        path.write_text(json.dumps(lines), encoding="utf-8")
        entry["raw"] = [str(path)]
        del entry["probes"]  # which ask for what no line says
    two.write_text(json.dumps(values), encoding="utf-8")
    said = train(two, "--held_out", "0.2", "--num_train_epochs", "3", "--per_device_train_batch_size", "8")
    assert "held out and watched: 4 lines" in said
    assert "each of 16 records was seen exactly as often as planned" in said
    ledger = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["ledger"]
    assert {row["character"]: row["per_record_mean"] for row in ledger} == {"Mira": 3, "Bram": 9}
    logs = [json.loads(line) for line in (tmp_path / "out" / "logs.jsonl").read_text("utf-8").splitlines()]
    assert {"eval_loss_of_Mira", "eval_loss_of_Bram"} <= {name for log in logs for name in log}


BROKEN = {
    "two of one name": ([{"character": "Mira"}, {"character": "Mira"}], "'characters' names Mira twice"),
    "one without a line": ([{"character": "Mira"}, {"character": "Nobody"}], "nothing usable is said by 'Nobody'"),
    "another's records": (
        [{"character": "Mira"}, {"character": "Bram", "raw": None, "records_dir": "{tmp}/records/mira"}],
        "records.jsonl:1: is a record of Mira, not of Bram",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_characters_that_cannot_be_are_refused_by_name(case: str, two: Path, raw_folder: Path, tmp_path: Path) -> None:
    entries, complaint = BROKEN[case]
    values = yaml.safe_load(two.read_text(encoding="utf-8"))
    values["characters"] = [
        {"raw": [str(raw_folder)], "records_dir": str(tmp_path / "records" / "mira")} | entry for entry in entries
    ]
    two.write_text(json.dumps(values).replace("{tmp}", str(tmp_path)), encoding="utf-8")
    done = run(*MODULE, "pipeline.train", "--config", str(two))
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def cast(recipe: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return run(*MODULE, "pipeline.cast", "--config", str(recipe), *BY_HEART, "--matrix_facts", "3", *words)


def test_a_cast_is_trained_in_turn_goes_on_where_it_was_cut_off_and_knows_its_own(two: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(two.read_text(encoding="utf-8"))
    values["characters"].insert(1, {"character": "Nobody", "raw": values["characters"][0]["raw"]})
    two.write_text(json.dumps(values), encoding="utf-8")
    folder = tmp_path / "out_cast"
    command = [*MODULE, "pipeline.cast", "--config", str(two), *BY_HEART, "--matrix_facts", "3"]
    cut = Run(command, tmp_path / "log", fresh=True)
    # until Mira is done, Nobody has failed and Bram has begun
    assert cut.until((folder / "Bram" / "identity.json").exists)
    os.killpg(cut.launcher.pid, signal.SIGKILL)
    cut.end()
    first = (folder / "Mira" / "adapter_model.safetensors").stat().st_mtime_ns
    assert not (folder / "Bram" / "run.json").exists()

    done = cast(two)
    assert done.returncode == 2
    assert "Mira: trained already" in done.stdout
    assert (folder / "Mira" / "adapter_model.safetensors").stat().st_mtime_ns == first
    assert "Bram: trained in" in done.stdout
    assert "Nobody: " in done.stderr
    assert "nothing usable is said by 'Nobody'" in done.stderr
    assert "lacks 1 of the characters" in done.stderr
    assert "Traceback" not in done.stderr

    bleed = json.loads((folder / "bleed.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in bleed["rows"]] == ["Mira", "Bram"]
    assert [row["exact"] for row in bleed["rows"]] == [[1, 0], [0, 1]]
    for number, row in enumerate(bleed["rows"]):
        assert row["first"][number] > row["first"][1 - number]
    for name, record, answer in (("Mira", SETTINGS[0], SETTINGS[0]["text"]), ("Bram", SETTINGS[0], BRAMS[0])):
        assert says(folder / name, name, record["input"]) == answer

    turns = load_in_turn([(folder / "Mira", None), (folder / "Bram", None), (folder / "Mira", None)])
    for trained, name in zip(turns, ("Mira", "Bram", "Mira"), strict=True):  # one base under adapters by turns
        prompt = chat_prompt(trained.persona, [user(SETTINGS[1]["input"])])
        assert generate_reply(trained.model, trained.tokenizer, prompt) == says(
            folder / name, name, SETTINGS[1]["input"]
        )

    script = tmp_path / "script.txt"
    asked = SETTINGS[0]["input"]
    script.write_text(f"{asked}\n/as Bram\n{asked}\n/as Mira\n{asked}\n/compare\n{asked}\n", encoding="utf-8")
    chat = ["--adapter", str(folder / "Mira"), str(folder / "Bram"), "--script", str(script), "--json"]
    said = succeeded(*MODULE, "pipeline.chat", *chat, "--temperature", "0", "--repetition_penalty", "1")
    lines = [json.loads(line) for line in said.splitlines()]  # several adapters on one base, by turns
    of_mira, of_bram = SETTINGS[0]["text"], BRAMS[0]
    assert [line["reply"] for line in lines if "reply" in line][:3] == [of_mira, of_bram, of_mira]

    again = cast(two, "--characters", "Mira", "Bram")
    assert again.returncode == 0
    assert "matrix of 2 x 2: 0 questions to ask" in again.stdout
    assert json.loads((folder / "bleed.json").read_text(encoding="utf-8")) == bleed
    own = succeeded(*MODULE, "pipeline.recall", "--config", str(folder / "recipes" / "Bram.yaml"))
    assert str(folder / "Bram" / "report.html") in own


def test_everybody_in_the_raw_files_is_a_cast_two_at_a_time(two: Path, raw_folder: Path, tmp_path: Path) -> None:
    (raw_folder / "bram.json").write_text(json.dumps(BRAM), encoding="utf-8")
    values = yaml.safe_load(two.read_text(encoding="utf-8"))
    del values["characters"]
    two.write_text(json.dumps(values | {"raw": [str(raw_folder)]}), encoding="utf-8")
    done = cast(two, "--characters", "Bram", "Mira", "--jobs", "2", "--max_steps", "1", "--out", str(tmp_path / "both"))
    assert done.returncode == 0, done.stderr
    assert "2 characters, 2 at once" in done.stdout
    records = (tmp_path / "both" / "records" / "Bram" / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(records) == len(BRAM)
    assert (tmp_path / "both" / "bleed.html").is_file()
    assert "adapter" in (tmp_path / "both" / "logs" / "Mira.log").read_text(encoding="utf-8")


def test_three_real_speakers_are_learnt_by_one_adapter(two: Path, tmp_path: Path, shared_data: Path) -> None:
    names = ["芙宁娜", "纳西妲", "钟离"]
    speakers = shared_data / "seed" / "speaker"
    values = yaml.safe_load(two.read_text(encoding="utf-8"))
    values["characters"] = [
        {"character": name, "raw": [str(speakers / name)], "language": "zh", "records_dir": str(tmp_path / name)}
        for name in names
    ]
    two.write_text(json.dumps(values), encoding="utf-8")
    said = train(two, "--max_steps", "2", "--max_length", "4096", "--held_out", "0.05", "--recall_items", "0")
    assert "was seen exactly as often as planned" in said
    ledger = json.loads((tmp_path / "out" / "run.json").read_text(encoding="utf-8"))["ledger"]
    assert {row["character"] for row in ledger} == set(names)
    assert all(row["records"] > 300 for row in ledger if row["kind"] == "dialogue")
    trained = load_trained(tmp_path / "out", "钟离")
    assert [persona.name for persona in trained.personas] == names
    first, last = trained.personas[0], trained.persona
    assert replace(last, name="芙宁娜", sampling=first.sampling) == first
    assert replace(last.sampling, max_new_tokens=first.sampling.max_new_tokens) == first.sampling
    assert last.sampling.max_new_tokens > Sampling().max_new_tokens  # room for his longest line
