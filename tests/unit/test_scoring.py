"""A score is the same however rows are batched, and ranks as it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, user
from pipeline.evaluation.scoring import score_replies
from pipeline.models.locate import is_cached
from pipeline.tokens.attention import prefix_tree_obstacle
from pipeline.tokens.encode import encode

MIRA = make_persona("Mira", "en", {})
QUESTIONS = [chat_prompt(MIRA, [user(question)]) for question in ("Where were you born?", "What do you eat?")]
REPLIES = [["In Saltmere.", "At sea."], ["Eel.", "Nothing but smoked eel."]]


def window_model(tokenizer: Any, window: int | None) -> Any:
    torch.manual_seed(0)
    config = MistralConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, sliding_window=window, max_position_embeddings=512,
    )  # fmt: skip
    return MistralForCausalLM(config).eval()


def one_by_one(model: Any, tokenizer: Any) -> list[float]:
    scores = []
    for prompt, replies in zip(QUESTIONS, REPLIES, strict=True):
        for reply in replies:
            (row,) = encode([Conversation(prompt, assistant(reply), "x", "setting_qa")], tokenizer)
            start = row.labels.index(next(label for label in row.labels if label >= 0))
            logits = model(input_ids=torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
            tokens = row.input_ids[start:-1]  # without the end of the turn
            scores.append(float(sum(logits[start - 1 + n, token] for n, token in enumerate(tokens))) / len(tokens))
    return scores


@pytest.mark.parametrize("kind", ["tree", "window", "eager"])
def test_scores_are_those_of_rows_alone_for_models_with_and_without_trees(
    kind: str, tokenizer: Any, tiny_model_folder: Path
) -> None:
    if kind == "window":
        model = window_model(tokenizer, window=8)
    else:
        attention = "sdpa" if kind == "tree" else "eager"
        model = AutoModelForCausalLM.from_pretrained(tiny_model_folder, attn_implementation=attention).eval()
    assert (prefix_tree_obstacle(model) is None) == (kind == "tree")
    with torch.no_grad():
        expected = one_by_one(model, tokenizer)
    found = [score.mean_log_prob for scores in score_replies(model, tokenizer, QUESTIONS, REPLIES) for score in scores]
    assert found == pytest.approx(expected, rel=1e-4)


def test_a_download_cut_off_is_not_taken_for_a_cached_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--org--name" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}", encoding="utf-8")
    assert not is_cached("org/name")
    index = '{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
    (snapshot / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    (snapshot / "model-1.safetensors").touch()
    assert not is_cached("org/name")
    (snapshot / "model-2.safetensors").touch()
    assert is_cached("org/name")
