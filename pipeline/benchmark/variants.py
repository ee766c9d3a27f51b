"""The trainers that are compared: trl's as it comes, trl's with packing, ours padded, ours as prefix trees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets import Dataset
from transformers import PreTrainedTokenizerBase
from trl import SFTConfig, SFTTrainer, get_peft_config

from pipeline.conversations.persona import make_persona
from pipeline.mixture.plan import MixturePlan, plan_mixture
from pipeline.models.load import load_base_model
from pipeline.records.conversion import ensure_converted
from pipeline.records.record import read_records
from pipeline.training.arguments import RunArguments
from pipeline.training.rows import DIALOGUE, SETTINGS, RowSet, encode_records
from pipeline.training.run import build_trainer

# trl's options beyond its defaults. A pack is about as many rows as the other variants have in a batch.
TRL: dict[str, dict[str, Any]] = {
    "trl": {},
    "trl_whole_activations": {"activation_checkpointing": False, "gradient_checkpointing": False},
    "trl_packing": {"packing": True, "packing_strategy": "bfd", "per_device_train_batch_size": 1},
}


def bench_rows(run: RunArguments, tokenizer: PreTrainedTokenizerBase, kinds: list[str]) -> tuple[RowSet, MixturePlan]:
    """The recipe's rows of these kinds (of all, if none is named), and the plan of their mixture."""
    character = run.character
    ensure_converted(character.raw_paths, character.name, character.records_folder, **character.conversion)
    records = [
        record
        for record in read_records(character.records_folder / "records.jsonl")
        if not kinds or record.kind in kinds
    ]
    rows = encode_records(
        records,
        make_persona(character.name, character.language, character.instructions),
        tokenizer,
        wordings=character.rewordings,
        chat_share=character.chat_share,
        max_length=run.training.max_length,
    )
    weights = {SETTINGS: character.settings_weight, DIALOGUE: 1.0}
    return rows, plan_mixture(rows.sources, weights, seed=run.training.seed)


def make_trainer(
    variant: str, run: RunArguments, rows: RowSet, plan: MixturePlan, tokenizer: PreTrainedTokenizerBase
) -> SFTTrainer:
    """The variant's trainer. All of them see the rows in the plan's order, with one learning rate and optimizer."""
    if variant not in TRL:
        character = replace(run.character, batching=variant)
        return build_trainer(replace(run, character=character), rows, plan, tokenizer, lambda _: None)
    ordered = [rows.rows[row] for row in plan.rows(0, rows.variants)[: run.training.max_steps * _batch(run)]]
    columns = {"input_ids": [row.input_ids for row in ordered], "labels": [row.labels for row in ordered]}
    model = load_base_model(str(run.model.model_name_or_path), dtype=run.model.dtype)
    return SFTTrainer(
        model=model,
        args=_trl_arguments(run, longest=max(map(len, columns["input_ids"])), options=TRL[variant]),
        train_dataset=Dataset.from_dict(columns),
        processing_class=tokenizer,
        peft_config=get_peft_config(run.model),
    )


def _trl_arguments(run: RunArguments, *, longest: int, options: dict[str, Any]) -> SFTConfig:
    ours = run.training
    same = {
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
        **{**same, **options},
    )


def _batch(run: RunArguments) -> int:
    return int(run.training.per_device_train_batch_size)
