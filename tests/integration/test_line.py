"""The line end to end, as a user runs it: real processes, on the tests' tiny model or the real embedded one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.conversations.render import chat_prompt, user
from pipeline.models.generate import generate_reply
from pipeline.models.trained import load_trained
from pipeline.runs.checkpoints import list_complete_checkpoints
from tests.conftest import SETTINGS
from tests.runs import MODULE, Run, adapter_of, run, succeeded, train


def run_of(recipe: Path) -> dict[str, Any]:
    folder = Path(yaml.safe_load(recipe.read_text(encoding="utf-8"))["output_dir"])
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def test_train_recall_and_chat_on_a_small_character(tiny_recipe: Path, tmp_path: Path) -> None:
    said = train(tiny_recipe, fresh=True)
    out = tmp_path / "out"
    assert "batches: prefix_tree" in said
    assert {"adapter_model.safetensors", "tokenizer.json", "persona.json", "run.json", "logs.jsonl"} <= {
        file.name for file in out.iterdir()
    }
    made = run_of(tiny_recipe)
    assert made["world_size"] == 1
    assert all(row["planned"] == row["realised"] for row in made["ledger"])
    assert {row["kind"]: row["per_record_mean"] for row in made["ledger"]} == {
        "setting_qa": 6,
        "background": 6,
        "dialogue": 2,
    }

    logs = [json.loads(line) for line in (out / "logs.jsonl").read_text(encoding="utf-8").splitlines()]
    losses = [log for log in logs if "loss" in log]
    assert losses[-1]["loss"] < losses[0]["loss"]
    assert {"loss_setting_qa", "loss_dialogue"} <= {name for log in losses for name in log}
    assert [log["step"] for log in logs if "recall_seen_exact" in log] == [
        0,
        losses[-1]["step"] // 2,
        losses[-1]["step"],
    ]

    said = succeeded(
        *MODULE, "pipeline.recall", "--config", str(tiny_recipe),
        "--json", str(tmp_path / "r" / "recall.json"), "--html", str(tmp_path / "r" / "report.html"),
        fresh=True,
    )  # fmt: skip
    assert "word for word, asked in new words" in said
    recall = json.loads((tmp_path / "r" / "recall.json").read_text(encoding="utf-8"))
    assert recall["headline"]["facts"] == 3
    assert recall["ledger"] == made["ledger"]
    assert "Mira" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")

    ask = [*MODULE, "pipeline.chat", "--adapter", str(out), "--once", "Where were you born?", "--seed", "1"]
    assert succeeded(*ask, fresh=True) == succeeded(*ask)


def test_without_weights_the_facts_exposures_decide_how_long_a_run_is(tiny_recipe: Path) -> None:
    values = yaml.safe_load(tiny_recipe.read_text(encoding="utf-8"))
    by_exposures = {key: value for key, value in values.items() if key not in ("settings_weight", "num_train_epochs")}
    tiny_recipe.write_text(json.dumps(by_exposures | {"exposures": 10}), encoding="utf-8")
    looked = succeeded(*MODULE, "pipeline.explain", "--config", str(tiny_recipe))
    assert "not made yet: the base model's own replies" in looked
    said = train(tiny_recipe, "--max_steps", "3")
    assert "the base model's own replies to" in said
    assert "the length of the run follows from its facts: 3 x 30 exposures, each in other words" in said
    made = run_of(tiny_recipe)
    assert made["arguments"]["num_train_epochs"] == 1
    again = succeeded(*MODULE, "pipeline.explain", "--config", str(tiny_recipe))
    assert "not made yet" not in again


def test_a_character_trained_for_long_says_its_settings_and_stops(tiny_recipe: Path, tmp_path: Path) -> None:
    train(tiny_recipe, "--num_train_epochs", "30", "--chat_share", "1", "--recall_items", "0", "--wordings", "copies")
    succeeded(*MODULE, "pipeline.recall", "--config", str(tiny_recipe), "--json", str(tmp_path / "recall.json"))
    recall = json.loads((tmp_path / "recall.json").read_text(encoding="utf-8"))
    assert recall["recall"]["trained"]["seen_exact"]["value"] == 1.0
    assert recall["recall"]["base"]["seen_exact"]["value"] == 0.0
    trained = load_trained(tmp_path / "out")
    for record in SETTINGS[:3]:  # what teacher forcing calls exact is what greedy decoding says, and where it stops
        prompt = chat_prompt(trained.persona, [user(record["input"])])
        assert generate_reply(trained.model, trained.tokenizer, prompt) == record["text"]


@pytest.mark.parametrize("batching", ["padded", "prefix_tree"])
def test_full_training_saves_a_model_folder_that_reopens(tiny_recipe: Path, tmp_path: Path, batching: str) -> None:
    train(tiny_recipe, "--use_peft", "false", "--batching", batching, "--max_steps", "2")
    assert all(row["planned"] == row["realised"] for row in run_of(tiny_recipe)["ledger"])
    assert (tmp_path / "out" / "model.safetensors").is_file()
    assert succeeded(*MODULE, "pipeline.recall", "--config", str(tiny_recipe))


def test_a_tree_and_padding_train_the_same_adapter(tiny_recipe: Path, tmp_path: Path) -> None:
    for batching in ("padded", "prefix_tree"):
        train(
            tiny_recipe, "--batching", batching, "--output_dir", str(tmp_path / batching), "--learning_rate", "0.001",
            "--max_steps", "50", "--recall_items", "0",
        )  # fmt: skip
    padded, tree = adapter_of(tmp_path / "padded"), adapter_of(tmp_path / "prefix_tree")
    assert padded.keys() == tree.keys()
    for name, tensor in padded.items():
        assert float((tree[name] - tensor).norm()) <= 1e-4 * float(tensor.norm()), name


def test_a_model_with_a_window_is_padded_aloud_and_refused_where_the_tree_is_forced(
    tiny_recipe: Path, tmp_path: Path, tokenizer: Any
) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    config = MistralConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=8, max_position_embeddings=512,
    )  # fmt: skip
    MistralForCausalLM(config).save_pretrained(tmp_path / "window")
    tokenizer.save_pretrained(tmp_path / "window")
    command = ["--model_name_or_path", str(tmp_path / "window"), "--max_steps", "1", "--recall_items", "0"]
    assert "batches: padded (it attends to a window of 8 tokens)" in train(tiny_recipe, *command)
    forced = [*MODULE, "pipeline.train", "--config", str(tiny_recipe), *command, "--batching", "prefix_tree"]
    done = run(*forced, "--output_dir", str(tmp_path / "forced"))
    assert done.returncode == 2
    assert "'batching': is prefix_tree, which" in done.stderr
    assert "it attends to a window of 8 tokens" in done.stderr


@pytest.mark.parametrize("batching", ["padded", "prefix_tree"])
def test_a_step_of_eight_rows_is_the_same_in_one_batch_or_accumulated(
    tiny_recipe: Path, tmp_path: Path, batching: str
) -> None:
    """With plain gradient descent a step's change is the gradient itself."""
    adapters = {}
    for size, accumulated in ((8, 1), (4, 2), (1, 8)):
        out = tmp_path / f"{size}x{accumulated}"
        train(
            tiny_recipe, "--per_device_train_batch_size", str(size), "--gradient_accumulation_steps", str(accumulated),
            "--batching", batching, "--output_dir", str(out), "--max_steps", "2", "--optim", "sgd",
            "--learning_rate", "1.0", "--max_grad_norm", "0", "--recall_items", "0", "--lr_scheduler_type", "constant",
        )  # fmt: skip
        adapters[size] = adapter_of(out)
    for name, tensor in adapters[8].items():
        for other in (adapters[4], adapters[1]):
            assert float((other[name] - tensor).norm()) <= 1e-5 * float(tensor.norm()), name


@pytest.mark.parametrize(("save_steps", "epochs"), [("2", "2"), ("7", "6")])  # 5 steps an epoch
def test_a_run_cut_off_goes_on_and_ends_where_the_uncut_run_ends(
    tiny_recipe: Path, tmp_path: Path, save_steps: str, epochs: str
) -> None:
    saving = ["--save_strategy", "steps", "--save_steps", save_steps, "--num_train_epochs", epochs, "--output_dir"]
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train(tiny_recipe, *saving, str(whole))
    command = [*MODULE, "pipeline.train", "--config", str(tiny_recipe), *saving, str(cut)]
    first = Run(command, tmp_path / "log")
    assert first.until(lambda: list_complete_checkpoints(cut))
    first.kill()
    assert not (cut / "run.json").exists()
    assert "resuming from" in train(tiny_recipe, *saving, str(cut))
    ledgers = [json.loads((folder / "run.json").read_text(encoding="utf-8"))["ledger"] for folder in (whole, cut)]
    assert ledgers[0] == ledgers[1]
    resumed = adapter_of(cut)
    for name, tensor in adapter_of(whole).items():
        assert (resumed[name] == tensor).all(), name


def test_every_kind_is_weighed_watched_and_accounted_for(tiny_recipe: Path, raw_folder: Path, tmp_path: Path) -> None:
    lines = [
        {
            "source_title": f"Scene {scene}",
            "speaker": "Mira",
            "text": f"Scene {scene} rings bell {number}, {scene * 37}.",
        }
        for scene in range(10)
        for number in ("one", "two")
    ]
    (raw_folder / "lines.json").write_text(json.dumps(lines), encoding="utf-8")
    general = {"messages": [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4."}]}
    (tmp_path / "general.jsonl").write_text(json.dumps(general) + "\n", encoding="utf-8")
    said = train(
        tiny_recipe, "--held_out", "0.2", "--replay", str(tmp_path / "general.jsonl"),
        "--kind_weights", '{"setting_qa": 4, "replay": 2}', "--recall_steps", "2",
    )  # fmt: skip
    assert "held out and watched: 4 lines" in said
    assert "each of 21 records was seen exactly as often as planned" in said  # 4 settings, 16 lines, 1 general
    ledger = {row["kind"]: row for row in run_of(tiny_recipe)["ledger"]}
    assert {kind: row["per_record_mean"] for kind, row in ledger.items()} == pytest.approx(
        {"background": 6, "setting_qa": 8, "dialogue": 2, "replay": 4}, rel=0.2
    )  # two epochs of 33 rows, rounded up to whole steps of 4
    by_record = [json.loads(line) for line in (tmp_path / "out" / "ledger.jsonl").read_text("utf-8").splitlines()]
    assert len(by_record) == 21
    assert all(row["planned"] == row["realised"] for row in by_record)
    logs = [json.loads(line) for line in (tmp_path / "out" / "logs.jsonl").read_text("utf-8").splitlines()]
    watched = [log for log in logs if "eval_loss" in log]
    assert [log["step"] for log in watched] == list(range(0, 19, 2))
    for log in watched:  # of all tokens alike, so between the two kinds': held-out lines, and facts asked anew
        low, high = sorted((log["eval_loss_dialogue"], log["eval_loss_setting_qa"]))
        assert low <= log["eval_loss"] <= high
        assert 0 <= log["eval_accuracy_dialogue"] <= 1
    assert watched[-1]["eval_loss"] < watched[0]["eval_loss"]

    said = succeeded(
        *MODULE, "pipeline.explain", "--config", str(tiny_recipe), "--html", str(tmp_path / "page.html"), fresh=True
    )
    assert (
        "⟦I eat nothing but smoked eel.<|im_end|>⟧" in said
        or "⟦I was born in Saltmere.<|im_end|>⟧" in said
        or ("⟦Old Bram taught me the bells.<|im_end|>⟧" in said)
    )
    assert "Mira" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_run_can_be_stopped_by_recall_and_keeps_its_best_model(tiny_recipe: Path, tmp_path: Path) -> None:
    said = train(
        tiny_recipe, "--num_train_epochs", "30", "--eval_strategy", "steps", "--eval_steps", "5",
        "--save_strategy", "steps", "--save_steps", "5", "--load_best_model_at_end", "true",
        "--metric_for_best_model", "eval_recall_seen_exact", "--early_stopping", "8", "--chat_share", "1",
        "--wordings", "copies",
    )  # fmt: skip
    assert "stopped early, after step" in said
    assert "was seen exactly as often as planned" in said  # up to where it stopped
    logs = [json.loads(line) for line in (tmp_path / "out" / "logs.jsonl").read_text("utf-8").splitlines()]
    recall = [log["recall_seen_exact"] for log in logs if "recall_seen_exact" in log]
    assert max(recall) == 1.0
    assert run_of(tiny_recipe)["steps"] < 150


def test_a_character_too_small_to_hold_anything_out_is_trained_all_the_same(tiny_recipe: Path) -> None:
    said = train(tiny_recipe, "--held_out", "0.05", "--max_steps", "1", "--recall_items", "0")
    assert "held out" not in said
    assert "watched" not in said


def test_a_plan_that_would_show_a_record_too_often_is_refused(tiny_recipe: Path) -> None:
    done = run(*MODULE, "pipeline.train", "--config", str(tiny_recipe), "--settings_weight", "60")
    assert done.returncode == 2
    assert "4 records would be seen 120 times, and max_exposures is 100" in done.stderr


def test_an_adapter_whose_chat_template_was_changed_is_refused(tiny_recipe: Path, tmp_path: Path) -> None:
    train(tiny_recipe, "--max_steps", "1", "--recall_items", "0")
    template = tmp_path / "out" / "chat_template.jinja"
    template.write_text("{{ '' }}" + template.read_text(encoding="utf-8"), encoding="utf-8")
    done = run(*MODULE, "pipeline.chat", "--adapter", str(tmp_path / "out"), "--once", "Hello?")
    assert done.returncode == 2
    assert "has another chat template than it was trained with" in done.stderr


def test_a_run_that_is_done_is_not_trained_again(tiny_recipe: Path, tmp_path: Path) -> None:
    train(tiny_recipe, "--max_steps", "1")
    first = (tmp_path / "out" / "adapter_model.safetensors").stat()
    assert "holds this very run, finished" in train(tiny_recipe, "--max_steps", "1")
    assert (tmp_path / "out" / "adapter_model.safetensors").stat() == first


def test_another_run_is_never_trained_over_a_finished_one(tiny_recipe: Path, tmp_path: Path) -> None:
    train(tiny_recipe, "--max_steps", "1")
    before = (tmp_path / "out" / "adapter_model.safetensors").read_bytes()
    done = run(*MODULE, "pipeline.train", "--config", str(tiny_recipe), "--max_steps", "1", "--settings_weight", "2")
    assert done.returncode == 2
    assert "holds another run, which differs in settings_weight" in done.stderr
    assert (tmp_path / "out" / "adapter_model.safetensors").read_bytes() == before
    assert (tmp_path / "out" / "run.json").exists()


def test_the_real_files_of_a_real_character_go_through_the_line(
    tiny_recipe: Path, tmp_path: Path, shared_data: Path
) -> None:
    seed = shared_data / "seed"
    train(
        tiny_recipe, "--character", "芙宁娜", "--language", "zh", "--records_dir", str(tmp_path / "furina"),
        "--raw", str(seed / "speaker" / "芙宁娜"), str(seed / "settings_modified_furina.json"),
        "--model_name_or_path", "embedded", "--max_steps", "2", "--settings_weight", "5", "--max_length", "4096",
    )  # fmt: skip
    ledger = {row["kind"]: row for row in run_of(tiny_recipe)["ledger"]}
    assert {kind: row["records"] for kind, row in ledger.items()} == {
        "background": 9,
        "setting_qa": 46,
        "dialogue": 903,
    }


BAD_INPUT = {
    "an empty folder": ({"raw": ["{tmp}/empty"]}, "holds no file"),
    "a missing character": ({"character": "Nobody"}, "nothing usable is said by 'Nobody'"),
    "an unknown key": ({"settings_wieght": 5}, "unknown key 'settings_wieght'"),
    "a model folder without weights": ({"model_name_or_path": "{tmp}/bare"}, "has no weights"),
    "a model folder that is not there": ({"model_name_or_path": "./nowhere"}, "is no folder"),
    "a hub id that is not cached, without network": ({"model_name_or_path": "nobody/nothing-7b"}, "HF_ENDPOINT"),
    "replay that is not there": ({"replay": ["{tmp}/general.jsonl"]}, "is not there"),
    "probes that are not there": ({"probes": "{tmp}/probes.jsonl"}, "is not there"),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_ends_in_one_paragraph_without_a_traceback(case: str, tiny_recipe: Path, tmp_path: Path) -> None:
    changes, complaint = BAD_INPUT[case]
    (tmp_path / "empty").mkdir()
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text("{}", encoding="utf-8")
    text = json.dumps(yaml.safe_load(tiny_recipe.read_text(encoding="utf-8")) | changes)
    tiny_recipe.write_text(text.replace("{tmp}", str(tmp_path)), encoding="utf-8")
    done = run(*MODULE, "pipeline.train", "--config", str(tiny_recipe))
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    paragraph = done.stderr[done.stderr.index("error: ") :].strip()
    assert complaint in paragraph
    assert "To fix it: " in paragraph
    assert "\n" not in paragraph


def test_an_adapter_folder_that_is_none_is_refused_in_a_moment(tmp_path: Path) -> None:
    done = run(*MODULE, "pipeline.chat", "--adapter", str(tmp_path))
    assert done.returncode == 2
    assert "holds no finished run" in done.stderr
    assert "Traceback" not in done.stderr
