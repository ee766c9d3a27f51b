"""The trainers that are compared: trl's as it comes, trl's with packing, ours padded, ours as prefix trees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer, get_peft_config

from pipeline.conversations.persona import make_persona
from pipeline.models.load import load_base_model
from pipeline.records.conversion import records_of
from pipeline.training.arguments import RunArguments
from pipeline.training.builder import build_trainer
from pipeline.training.characters import Character, Characters
from pipeline.training.data import TrainingData, prepare_data, rows_per_step

# trl's options beyond its defaults. A pack is about as many rows as the other variants have in a batch.
TRL_OPTIONS: dict[str, dict[str, Any]] = {
    "trl": {},
    "trl_whole_activations": {"activation_checkpointing": False, "gradient_checkpointing": False},
    "trl_packing": {"packing": True, "packing_strategy": "bfd", "per_device_train_batch_size": 1},
}


def bench_data(run: RunArguments, tokenizer: PreTrainedTokenizerBase, kinds: list[str]) -> TrainingData:
    """The recipe's rows of these kinds (of all, if none is named) with their plan; nothing is held out or probed."""
    recipe = replace(run.character, held_out=0.0, recall_items=0, max_exposures=10**6)
    characters = []
    for one in recipe.each:
        records = records_of(one.raw_paths, one.name, one.records_folder, one.conversion)[0]
        chosen = [record for record in records if not kinds or record.kind in kinds]
        persona = make_persona(one.name, one.language, one.instructions)
        characters.append(Character(chosen, (), persona, one.weight))
    return prepare_data(replace(run, character=recipe), Characters(characters, "bench"), tokenizer)


def make_trainer(variant: str, run: RunArguments, data: TrainingData, tokenizer: PreTrainedTokenizerBase) -> SFTTrainer:
    """The variant's trainer. All of them see the rows in the plan's order, with one learning rate and optimizer."""
    if variant not in TRL_OPTIONS:
        character = replace(run.character, batching=variant)
        return build_trainer(replace(run, character=character), data, tokenizer, lambda _: None)
    order = data.plan.rows(0, data.rows.variants)[: run.training.max_steps * rows_per_step(run.training)]
    ordered = data.rows.dataset.select(order).select_columns(["input_ids", "labels"])
    model = load_base_model(str(run.model.model_name_or_path), dtype=run.model.dtype)
    return SFTTrainer(
        model=model,
        args=_trl_arguments(run, longest=max(map(len, ordered["input_ids"])), options=TRL_OPTIONS[variant]),
        train_dataset=ordered,
        processing_class=tokenizer,
        peft_config=get_peft_config(run.model),
    )


def _trl_arguments(run: RunArguments, *, longest: int, options: dict[str, Any]) -> SFTConfig:
    ours = run.training
    shared = {
        name: getattr(ours, name)
        for name in (
            "per_device_train_batch_size", "learning_rate", "lr_scheduler_type", "warmup_steps", "max_steps", "seed",
            "optim", "bf16", "use_cpu", "logging_steps", "disable_tqdm", "report_to",
        )
    }  # fmt: skip
    return SFTConfig(
        output_dir=str(Path(ours.output_dir)),
        save_strategy="no",
        train_sampling_strategy="sequential",  # the plan's order, so that batches are the same rows
        max_length=max(SFTConfig.max_length or 0, longest),
        **{**shared, **options},
    )
