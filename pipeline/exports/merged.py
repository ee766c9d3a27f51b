"""A merged model: one folder of safetensors that any program loads, and that replies as the adapter does."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from pipeline.conversations.persona import Persona, Sampling
from pipeline.errors import UnderstudyError
from pipeline.exports.persona_template import persona_template
from pipeline.exports.trial import Agreement, Trial, compare_greedy, count_equal_prompts
from pipeline.models.load import load_base_model, load_tokenizer
from pipeline.models.trained import TrainedCharacter
from pipeline.tokens.template import trained_end

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Two logits that are this near may change places by rounding alone, where merging added weights in that precision.
NEAR_TIE = {"torch.float32": 1e-3, "torch.float16": 0.05, "torch.bfloat16": 0.4}


def save_merged(trained: TrainedCharacter, folder: Path) -> None:
    """The folder holds the model with the adapter in its weights, and a tokenizer whose template holds the persona.

    config, generation_config and tokenizer name the trained end of turn, and nothing of this machine. The adapter is
    merged in place: `trained.model` is the merged one from now on.
    """
    model: Any = trained.model
    if trained.is_adapter:
        model = model.merge_and_unload(safe_merge=True)
    tokenizer = export_tokenizer(trained.tokenizer, trained.persona)
    model.config.eos_token_id = tokenizer.eos_token_id
    model.config.pad_token_id = tokenizer.pad_token_id
    model.generation_config = generation_config(trained.persona.sampling, tokenizer, model.generation_config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_base(trained: TrainedCharacter, folder: Path) -> None:
    """The folder holds the untouched base model with its own tokenizer and template: whatever users have of it."""
    load_base_model(trained.base_name, **trained.options).save_pretrained(folder)
    load_tokenizer(trained.base_name).save_pretrained(folder)


def export_tokenizer(tokenizer: PreTrainedTokenizerBase, persona: Persona) -> PreTrainedTokenizerBase:
    """A copy of the run's tokenizer with the trained end of turn as its eos, and the persona in its template."""
    exported: Any = copy.deepcopy(tokenizer)
    exported.chat_template = persona_template(tokenizer, persona)
    exported.eos_token = trained_end(tokenizer)
    for key in ("is_local", "local_files_only", "name_or_path"):  # of how it was loaded here
        exported.init_kwargs.pop(key, None)
    return cast("PreTrainedTokenizerBase", exported)


def generation_config(sampling: Sampling, tokenizer: PreTrainedTokenizerBase, base: Any) -> GenerationConfig:
    """How the character replies where nobody says otherwise: the chat's sampling, up to the trained end of turn."""
    end = tokenizer.eos_token_id
    before = base.eos_token_id if isinstance(base.eos_token_id, list) else [base.eos_token_id]
    others = [token for token in before if token is not None and token != end]
    sampled = {"temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0} if sampling.temperature else {}
    return GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[end, *others] if others else end,
        pad_token_id=tokenizer.pad_token_id,
        do_sample=bool(sampled),
        repetition_penalty=sampling.repetition_penalty,
        max_new_tokens=sampling.max_new_tokens,
        **sampled,
    )


def prove_merged(folder: Path, trial: Trial) -> dict[str, Any]:
    """What was proven of the folder as it lies on the disk: its prompts and greedy replies are the trained ones.

    Raises:
        UnderstudyError: they are not.
    """
    prompts = prove_prompts(folder, trial)
    model = load_merged(folder)
    agreement = compare_greedy(model, trial)
    _refuse_differences(folder, agreement, str(model.dtype))
    return {"prompts": prompts, "greedy replies": agreement.to_json() | {"dtype": str(model.dtype)}}


def load_merged(folder: Path) -> Any:
    """The model in an exported folder, as any program loads it."""
    return AutoModelForCausalLM.from_pretrained(folder, local_files_only=True).eval()


def prove_prompts(folder: Path, trial: Trial) -> dict[str, int]:
    """The folder's tokenizer makes the trained prompts of conversations without a system message.

    Raises:
        UnderstudyError: it makes others.
    """
    equal = count_equal_prompts(AutoTokenizer.from_pretrained(folder, local_files_only=True), trial)
    if equal < len(trial.prompts):
        raise UnderstudyError(
            folder, f"renders {len(trial.prompts) - equal} of {len(trial.prompts)} prompts unlike training",
            fix="report this, with the base model's name",
        )  # fmt: skip
    return {"conversations": len(trial.prompts), "equal": equal}


def _refuse_differences(folder: Path, agreement: Agreement, dtype: str) -> None:
    """Replies that differ may do so at a near tie only, and only by the rounding of their precision."""
    large = [one for one in agreement.differences if one.margin is None or one.margin > NEAR_TIE[dtype]]
    if large:
        raise UnderstudyError(
            folder,
            f"replies unlike the trained model to {len(large)} of {agreement.replies} prompts, first at token "
            f"{large[0].token} of conversation {large[0].conversation}",
            fix="export with --dtype float32, or report this",
        )
