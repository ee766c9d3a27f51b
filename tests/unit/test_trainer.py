"""What other callbacks find when the trainer has written a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

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


def test_a_callback_of_report_to_sees_a_complete_checkpoint(
    tiny_model_folder: Path, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from transformers.integrations import integration_utils
    from trl import SFTConfig

    from pipeline.tokens.collate import PaddedCollator
    from pipeline.training.trainer import UnderstudyTrainer

    monkeypatch.setitem(integration_utils.INTEGRATION_TO_CALLBACK, "uploader", Uploader)
    rows = {"input_ids": [[5, 6, 7]] * 4, "labels": [[-100, 6, 7]] * 4, "kind": [0] * 4, "record": [*range(4)]}
    trainer = UnderstudyTrainer(
        model=AutoModelForCausalLM.from_pretrained(tiny_model_folder),
        args=SFTConfig(
            str(tmp_path),
            max_steps=2,
            save_steps=2,
            per_device_train_batch_size=2,
            use_cpu=True,
            bf16=False,
            report_to=["uploader"],
            disable_tqdm=True,
            dataset_kwargs={"skip_prepare_dataset": True},
            remove_unused_columns=False,
        ),
        train_dataset=Dataset.from_dict(rows),
        processing_class=tokenizer,
        data_collator=PaddedCollator(tokenizer.pad_token_id),
        plan=MixturePlan(("dialogue",) * 4, {"dialogue": 4}, seed=0),
        variants=[1] * 4,
    )
    trainer.train()
    assert Uploader.found == (("checkpoint-2", True, True),)
