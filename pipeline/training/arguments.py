"""A recipe and a command line to the three argument objects of a run; everything wrong is named with its place."""

from __future__ import annotations

import argparse
import json
import typing
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from accelerate import PartialState
from transformers.integrations import get_available_reporting_integrations
from transformers.trainer_utils import IntervalStrategy
from trl import ModelConfig, SFTConfig, TrlParser

from pipeline.distributed.rendezvous import DDP_TIMEOUT
from pipeline.errors import UnderstudyError
from pipeline.recipe import CharacterArguments, check_known, check_types, check_values, line_of, read_recipe
from pipeline.recipe.suggestions import suggestion
from pipeline.runs.files import LOG_FILE
from pipeline.training.defaults import trains_in_bfloat16

# For what needs no more than a recipe's rows, so that a recipe for GPUs can be looked at without one.
ON_A_CPU = ("--use_cpu", "true", "--bf16", "false", "--fp16", "false")
# Keys of SFTConfig that would be read by nothing, or by something that contradicts the plan.
NOT_USED = {
    "packing": "batching is set by `batching`",
    "padding_free": "batching is set by `batching`",
    "assistant_only_loss": "the loss sees the reply alone, always",
    "completion_only_loss": "the loss sees the reply alone, always",
    "loss_type": "the loss is the negative log-likelihood",
    "label_smoothing_factor": "the loss is the negative log-likelihood",
    "router_aux_loss_coef": "the loss is the negative log-likelihood",
    "activation_offloading": "it is not tested with prefix trees",
    "chat_template_path": "the template is the one in the model's folder, chat_template.jinja: edit it there",
    "eos_token": "the prompt contract is the tokenizer's own template",
    "shuffle_dataset": "the order is the plan's",
    "train_sampling_strategy": "the order is the plan's",
    "resume_from_checkpoint": "the same command goes on by itself",
    "enable_jit_checkpoint": "SIGTERM ends a run with a complete checkpoint by itself",
}


@dataclass
class TrainingConfig(SFTConfig):  # type: ignore[misc]
    """trl's SFTConfig for one device a process.

    transformers would split each batch over the GPUs of a process with DataParallel, which cannot split a prefix tree.
    """

    @property
    def n_gpu(self) -> int:
        """The process's GPUs that are trained on: one at most."""
        return min(int(super().n_gpu), 1)


@dataclass(frozen=True, slots=True)
class RunArguments:
    """What a recipe says, by whom it is read. `given` are the keys that it or the command line has."""

    character: CharacterArguments
    training: TrainingConfig
    model: ModelConfig
    given: frozenset[str] = frozenset()

    @property
    def epochs(self) -> float | None:
        """The number of epochs, where it is given."""
        return float(self.training.num_train_epochs) if "num_train_epochs" in self.given else None


def resolved(arguments: RunArguments) -> dict[str, Any]:
    """Every argument of the run with its final value, as JSON takes it."""
    training = arguments.training.to_dict()
    secret = {name for name in training if name.endswith("_token")}
    both = asdict(arguments.character) | training | asdict(arguments.model)
    plain = json.loads(json.dumps({key: value for key, value in both.items() if key not in secret}, default=str))
    return dict(sorted(plain.items()))


def model_options(run: RunArguments) -> dict[str, Any]:
    """What the base model of a run is loaded with: precision or bits, revision, attention."""
    options: dict[str, Any] = {
        "dtype": run.model.dtype,
        "revision": run.model.model_revision,
        "trust_remote_code": run.training.trust_remote_code,
        "attn_implementation": run.model.attn_implementation,
    }
    if run.model.load_in_4bit or run.model.load_in_8bit:
        from trl import get_quantization_config  # and with it pandas and datasets, half a second

        quantization = get_quantization_config(run.model)
        options |= {"quantization_config": quantization, "device_map": {"": PartialState().local_process_index}}
    return options


class _Parser(TrlParser):  # type: ignore[misc]
    """TrlParser whose complaints are ours."""

    def error(self, message: str) -> NoReturn:
        raise UnderstudyError("command line", message, fix="write overrides as `--key value` with a recipe's keys")


def parse_run(recipe: Path, overrides: Sequence[str] = ()) -> RunArguments:
    """The arguments of a run: trl's defaults, then the recipe, then `overrides` (`--key value ...`).

    Raises:
        UnderstudyError: a key is unknown, a value has the wrong type, or two keys contradict each other.
    """
    values = read_recipe(recipe)
    hints: dict[str, Any] = {}
    for arguments in (CharacterArguments, SFTConfig, ModelConfig):
        known = typing.get_type_hints(arguments)
        hints |= {entry.name: known[entry.name] for entry in fields(arguments) if entry.init}
    check_known(recipe, values, hints)
    check_types(recipe, values, hints)
    parser = _Parser((CharacterArguments, TrainingConfig, ModelConfig), allow_abbrev=False)
    fitting = {"ddp_timeout": DDP_TIMEOUT, "bf16": trains_in_bfloat16(recipe, overrides)}
    parser.set_defaults_with_config(**fitting | values)
    try:
        character, training, model = parser.parse_args_into_dataclasses(args=list(overrides))
    except (ValueError, argparse.ArgumentError) as error:
        _refuse_unknown(overrides, hints)
        raise UnderstudyError(
            recipe, str(error).split("\n", 1)[0], fix="correct the recipe or the command line"
        ) from error
    overridden = {word.lstrip("-").partition("=")[0] for word in overrides if word.startswith("--")}
    check_values(recipe, character, overridden=overridden)
    _check_together(recipe, training, model)
    _check_average(recipe, character, training, model)
    _watch(recipe, character, training)
    given = frozenset({*values, *overridden})
    if "num_train_epochs" not in given and not character.has_weights:
        training.num_train_epochs = 1.0  # one that is as long as the exposures of the facts take
    return RunArguments(character, training, model, given)


def _refuse_unknown(overrides: Sequence[str], known: Collection[str]) -> None:
    """Name an override that is no key, with the key that is nearest.

    Raises:
        UnderstudyError: there is one.
    """
    for word in overrides:
        key = word.removeprefix("--").partition("=")[0]
        if word.startswith("--") and key not in known:
            fix = suggestion(key, known, dashes=True) or "leave it out; docs/reference.md has all keys"
            raise UnderstudyError("command line", f"--{key} is no key of a recipe", fix=fix)


def _check_average(recipe: Path, character: CharacterArguments, training: SFTConfig, model: ModelConfig) -> None:
    if not character.averages_weights:
        return
    where = line_of(recipe, "swa_start")
    if not model.use_peft:
        raise UnderstudyError(where, "'swa_start' is of LoRA's weights", fix="set `swa_start: 1`, or `use_peft: true`")
    if training.load_best_model_at_end:
        what = "'swa_start' and 'load_best_model_at_end' would each choose the weights"
        raise UnderstudyError(where, what, fix="set `swa_start: 1`, or the other to false")


def _check_together(recipe: Path, training: SFTConfig, model: ModelConfig) -> None:
    if not model.model_name_or_path:
        raise UnderstudyError(recipe, "names no model", fix="set model_name_or_path: embedded, a folder, or a hub id")
    for key in ("per_device_train_batch_size", "gradient_accumulation_steps"):
        if getattr(training, key) < 1:
            raise UnderstudyError(line_of(recipe, key), f"'{key}' is {getattr(training, key)}", fix="set 1 or more")
    for entry in fields(SFTConfig):
        if entry.name in NOT_USED and getattr(training, entry.name) != entry.default:
            reason = NOT_USED[entry.name]
            raise UnderstudyError(
                line_of(recipe, entry.name), f"'{entry.name}' cannot be used here: {reason}", fix="delete it"
            )
    known = get_available_reporting_integrations()
    for name in training.report_to:
        if name not in known:
            raise UnderstudyError(
                line_of(recipe, "report_to"),
                f"names {name}, which is not installed; installed are: {', '.join(known) or 'none'}",
                fix=f"`pip install {name}`, or leave it out: {LOG_FILE} in the run's folder has every log",
            )
    # Rows come tokenised, with labels, and are collated by us: trl prepares nothing and drops no column.
    training.dataset_kwargs = {"skip_prepare_dataset": True}
    training.remove_unused_columns = False
    training.dataloader_pin_memory = training.dataloader_pin_memory and training.device.type != "cpu"


def _watch(recipe: Path, character: CharacterArguments, training: SFTConfig) -> None:
    """Held-out lines and recall are watched from the start every `recall_steps`, unless `eval_strategy` says otherwise.

    Raises:
        UnderstudyError: there is nothing to watch, or nothing to stop early by.
    """
    if not (character.held_out or character.recall_items):
        if training.eval_strategy != IntervalStrategy.NO or character.early_stopping:
            raise UnderstudyError(
                line_of(recipe, "eval_strategy"), "has nothing to evaluate", fix="set `held_out: 0.05`, or recall_items"
            )
        return
    if training.eval_strategy == IntervalStrategy.NO:
        training.eval_strategy = IntervalStrategy.STEPS if character.recall_steps else IntervalStrategy.EPOCH
        training.eval_steps = character.recall_steps or None
        training.eval_on_start = True
    if character.early_stopping and not training.load_best_model_at_end:
        raise UnderstudyError(
            line_of(recipe, "early_stopping"),
            "would keep the last model, not the best",
            fix="set `load_best_model_at_end: true`, `metric_for_best_model: eval_recall_unseen_at_1`, "
            "`eval_strategy: steps`, and `eval_steps` the same as `save_steps`",
        )
