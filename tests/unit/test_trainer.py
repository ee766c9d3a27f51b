"""What the trainer makes of its rows, and what other callbacks find when it has written a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from pipeline.conversations.render import CONVERSATION_KINDS as KINDS
from pipeline.mixture.plan import MixturePlan
from pipeline.runs.checkpoints import list_complete_checkpoints
from pipeline.runs.files import COMPLETE_FILE, EXPOSURES_FILE


class Uploader(TrainerCallback):  # type: ignore[misc]
    """What a tracker that uploads checkpoints would find."""

    found: tuple[tuple[str, bool, bool], ...] = ()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        for folder in list_complete_checkpoints(Path(args.output_dir)):
            has = {path.name for path in folder.iterdir()}
            type(self).found += ((folder.name, COMPLETE_FILE in has, EXPOSURES_FILE in has),)


def a_trainer(
    model_folder: Path,
    tokenizer: Any,
    output: Path,
    *,
    kinds: Sequence[int],
    report_to: str = "none",
    loss_weights: Sequence[float] | None = None,
) -> Any:
    """A trainer of four short rows of these kinds."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig

    from pipeline.tokens.collate import PaddedCollator
    from pipeline.training.trainer import UnderstudyTrainer

    ids = [[5, 6, 7], [5, 8, 9, 10], [11, 6, 12], [5, 13, 14]]
    rows = {"input_ids": ids, "labels": [[-100, *row[1:]] for row in ids], "kind": kinds, "record": [*range(4)]}
    return UnderstudyTrainer(
        model=AutoModelForCausalLM.from_pretrained(model_folder),
        args=SFTConfig(
            str(output),
            max_steps=2,
            save_steps=2,
            per_device_train_batch_size=2,
            use_cpu=True,
            bf16=False,
            disable_tqdm=True,
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
            report_to=report_to,
        ),
        train_dataset=Dataset.from_dict(rows),
        eval_dataset=Dataset.from_dict(rows),
        processing_class=tokenizer,
        data_collator=PaddedCollator(tokenizer.pad_token_id),
        plan=MixturePlan(("dialogue",) * 4, {"dialogue": 4}, seed=0),
        variants=[1] * 4,
        loss_weights=loss_weights,
    )


def test_a_callback_of_report_to_sees_a_complete_checkpoint(
    tiny_model_folder: Path, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers.integrations import integration_utils

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "uploader", Uploader)
    trainer = a_trainer(tiny_model_folder, tokenizer, tmp_path, kinds=[0] * 4, report_to="uploader")
    trainer.train()
    assert Uploader.found == (("checkpoint-2", True, True),)
    assert not (tmp_path / "README.md").exists()  # trl's would say that it is a fine-tuned version of None


def test_a_token_weighs_in_training_what_its_kind_does_and_in_the_evaluation_one(
    tiny_model_folder: Path, tokenizer: Any, tmp_path: Path
) -> None:
    kinds = [KINDS.index(kind) for kind in ("setting_qa", "dialogue", "misplaced", "dialogue")]
    weights = [{"setting_qa": 1.0, "dialogue": 0.25, "misplaced": 0.5}.get(kind, 1.0) for kind in KINDS]
    trainer = a_trainer(tiny_model_folder, tokenizer, tmp_path, kinds=kinds, loss_weights=weights)

    def loss(*numbers: int) -> float:
        batch = trainer.data_collator([trainer.train_dataset[number] for number in numbers])
        return trainer.compute_loss(trainer.model, batch, num_items_in_batch=torch.tensor(10)).item()

    trainer.model.eval()
    plain = [loss(number) for number in range(4)]
    assert loss(0, 1, 2, 3) == pytest.approx(sum(plain))
    trainer.model.train()
    alone = [loss(number) for number in range(4)]
    assert alone == pytest.approx([plain[0], plain[1] / 4, plain[2] / 2, plain[3] / 4])
    assert loss(2, 0, 3, 1) == pytest.approx(sum(alone))
