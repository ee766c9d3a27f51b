"""A score is the same however rows are batched, and ranks as it should."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, MistralConfig, MistralForCausalLM

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, user
from pipeline.evaluation.probes.probe import Probe, with_distractors
from pipeline.evaluation.scoring import score_priors, score_probes
from pipeline.models import reply_scores
from pipeline.models.locate import is_cached
from pipeline.models.reply_scores import compare_replies, ranks_first, score_replies
from pipeline.models.scores import score_rows
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


WORDS = st.sampled_from(["In Saltmere.", "At sea.", "Eel.", "Nothing but smoked eel.", "I do not say.", "Aye", "好。"])


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@given(st.lists(st.lists(WORDS, min_size=2, max_size=5, unique=True), min_size=1, max_size=4))
@settings(max_examples=15, deadline=None)
def test_an_answer_ranks_first_exactly_if_all_scores_say_so(
    tokenizer: Any, tiny_model_folder: Path, attention: str, options: list[list[str]]
) -> None:
    model = load(tiny_model_folder, attention)
    prompts = [QUESTIONS[number % 2] for number in range(len(options))]
    compared = compare_replies(model, tokenizer, prompts, options)
    for (answer, first), scores in zip(compared, score_replies(model, tokenizer, prompts, options), strict=True):
        assert first == ranks_first(scores)
        assert answer.mean_log_prob == pytest.approx(scores[0].mean_log_prob, rel=1e-4)
        assert answer.misses == scores[0].misses


def test_what_the_opening_decides_is_not_computed(
    tokenizer: Any, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load(tiny_model_folder, "sdpa")
    targets: list[int] = []

    def counted(model: Any, rows: Any) -> Any:
        targets.append(sum(label >= 0 for row in rows for label in row.labels))
        return score_rows(model, rows)

    monkeypatch.setattr(reply_scores, "score_rows", counted)
    monkeypatch.setattr(reply_scores, "ROUNDING", math.inf)  # nothing is decided
    compare_replies(model, tokenizer, QUESTIONS, REPLIES)
    everything = sum(targets)
    targets.clear()
    monkeypatch.setattr(reply_scores, "ROUNDING", -math.inf)  # all is
    compare_replies(model, tokenizer, QUESTIONS, REPLIES)
    assert sum(targets) < everything


def test_the_answers_of_all_facts_are_scored_once_without_a_question(tokenizer: Any, tiny_model_folder: Path) -> None:
    model = load(tiny_model_folder, "sdpa")
    answers = [f"In {town}." for town in ("Saltmere", "Harrow", "Upper Quay")]
    probes = with_distractors(
        [Probe(f"f{n}", "place", f"{n}?", (f"Where is {n}?",), text, (), ()) for n, text in enumerate(answers)], 2
    )
    nothing = chat_prompt(MIRA, (user(MIRA.cue("")),))
    (alone,) = score_replies(model, tokenizer, [nothing], [(probes[0].answer, *probes[0].distractors)])
    priors = score_priors(model, tokenizer, probes, MIRA)
    assert [len(prior) for prior in priors] == [3, 3, 3]
    assert [one.log_prob for one in priors[0]] == pytest.approx([one.log_prob for one in alone], rel=1e-4)
    full, quick = (score_probes(model, tokenizer, probes, MIRA, priors=given) for given in (priors, None))
    for with_ranks, without in zip(full, quick, strict=True):
        for one, other in zip(with_ranks.questions, without.questions, strict=True):
            assert (one.exact, one.first) == (other.exact, other.first)
            assert one.first == (one.ranks is not None and one.ranks.by_mean == 1)
            assert other.ranks is None


def load(folder: Path, attention: str) -> Any:
    return AutoModelForCausalLM.from_pretrained(folder, attn_implementation=attention).eval()


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
