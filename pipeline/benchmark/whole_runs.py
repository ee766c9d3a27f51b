"""Whole runs on one character's raw files: ours as its recipe says, trl's as somebody would who has only trl."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer, get_peft_config

from pipeline.benchmark.measure import TREE
from pipeline.conversations.persona import Persona
from pipeline.conversations.render import render
from pipeline.evaluation.probes.probe import Probe
from pipeline.evaluation.scoring import plain_questions, score_probes
from pipeline.models.load import load_base_model
from pipeline.tokens.row_set import encode_rows
from pipeline.training.arguments import RunArguments
from pipeline.training.builder import build_trainer
from pipeline.training.characters import load_characters, read_character
from pipeline.training.data import prepare_data

SDPA = "sdpa"  # transformers' default
# Beyond trl's defaults, of which are three epochs, a linear schedule and checkpointing.
TRL_RUNS: dict[str, dict[str, Any]] = {
    "trl": {},
    "trl_packing": {"packing": True, "packing_strategy": "bfd", "per_device_train_batch_size": 1},
}


@dataclass(frozen=True, slots=True)
class WholeRun:
    """A run that waits before its first step, and the facts that it is asked for.

    `attention` is the implementation that it trains by, None for Understudy's own. Within `averaged` the model is what
    the run would save.
    """

    trainer: SFTTrainer
    tokenizer: PreTrainedTokenizerBase
    probes: Sequence[Probe]
    persona: Persona
    attention: str | None = None
    averaged: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext

    def recall(self, _: Any = None) -> dict[str, float]:
        """The share of facts known word for word: as trained, and in new words (averaged over a fact's wordings)."""
        model = self.trainer.model
        with self.averaged():
            scores = score_probes(model, self.tokenizer, self.probes, self.persona, questions=plain_questions)
        if self.attention:  # scoring has its own, by which trl's variants would then be trained
            model.set_attn_implementation(self.attention)
        shares: dict[str, float] = {}
        for form in ("seen", "unseen"):
            asked = [score.questions_of(form) for score in scores]
            known = [sum(question.exact for question in own) / len(own) for own in asked if own]
            shares[form] = sum(known) / max(len(known), 1)
        return shares


def whole_run(variant: str, run: RunArguments, tokenizer: PreTrainedTokenizerBase) -> WholeRun:
    """The variant's run on the recipe's only character, all of its settings taken from trl or from the recipe."""
    character, _ = read_character(run.character)
    probes = [replace(probe, distractors=()) for probe in character.probes]
    if variant == TREE:
        characters, tokenizer = load_characters(run, lambda _: None)
        trainer = build_trainer(run, prepare_data(run, characters, tokenizer), tokenizer, lambda _: None)
        return WholeRun(trainer, tokenizer, probes, character.persona, averaged=trainer.averaged)
    rows = encode_rows(
        ([render(record, character.persona, chat_share=1.0)[0]] for record in character.records),
        tokenizer,
        max_length=run.training.max_length,
        on_overlong="truncate_history",
    )
    trainer = SFTTrainer(
        model=load_base_model(str(run.model.model_name_or_path), dtype=run.model.dtype, attn_implementation=SDPA),
        args=_trl_arguments(run, TRL_RUNS[variant]),
        train_dataset=rows.dataset.select_columns(["input_ids", "labels"]),
        processing_class=tokenizer,
        peft_config=get_peft_config(run.model),
    )
    return WholeRun(trainer, tokenizer, probes, character.persona, SDPA)


def _trl_arguments(run: RunArguments, options: dict[str, Any]) -> SFTConfig:
    """Trl's defaults but for what a LoRA on a small model needs: the recipe's learning rate, its batches."""
    names = ("per_device_train_batch_size", "learning_rate", "warmup_steps", "seed", "use_cpu", "bf16", "disable_tqdm")
    shared = {name: getattr(run.training, name) for name in names}
    return SFTConfig(
        output_dir=str(Path(run.training.output_dir)), save_strategy="no", report_to="none", **{**shared, **options}
    )
