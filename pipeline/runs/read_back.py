"""The read-back after a save: a folder's weights compared with what the model holds in memory.

The parameters are taken from the model itself, gathered again where they are sharded over processes, and not from the
state dict that was written: that one may be empty (an adapter under ZeRO-3 once was 40 bytes) and would agree with
itself. Every value is compared, bit for bit: reading costs less than the writing did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors import SafetensorError, safe_open
from torch.distributed.tensor import DTensor
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import revert_weight_conversion
from transformers.integrations import is_deepspeed_zero3_enabled

from pipeline.errors import UnderstudyError

PICKLED = (".bin", ".pt", ".pth", ".ckpt")  # what weights are called that are no safetensors
FIX = (
    "give the same command again, which goes on from the last complete checkpoint; if it fails again, suspect the disk"
)
NO_WEIGHTS_FIX = (
    "let the launcher's config save full weights: zero3_save_16bit_model: true, or "
    "fsdp_state_dict_type: FULL_STATE_DICT"
)


def find_saved_difference(model: torch.nn.Module, folder: Path, *, reads: bool) -> UnderstudyError | None:
    """What the folder's weights lack, or have otherwise than the model in memory; None if they are the same.

    Call it on every process, since parameters may have to be gathered; one of them `reads` the folder.
    """
    live = model.state_dict(keep_vars=True)
    adapter = isinstance(model, PeftModel)
    named = get_peft_model_state_dict(model, state_dict=live) if adapter else live
    gathered = _gathered(named, keep=reads)
    if not reads:
        for _ in gathered:
            pass
        return None
    if not adapter and get_model_conversion_mapping(model, add_legacy=False):
        full: Iterable[tuple[str, torch.Tensor]] = revert_weight_conversion(model, dict(gathered)).items()
    else:
        full = gathered
    found = list(_differences(folder, full, _aliases(live)))  # to the end: the other processes gather as often
    saved = {id(tensor) for tensor in named.values()}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and id(parameter) not in saved:
            found.append(UnderstudyError(folder, f"was saved without {name}, which was trained", fix=FIX))
    return found[0] if found else None


def only_safetensors(folder: Path) -> UnderstudyError | None:
    """An error if the folder has weights that are no safetensors, which would be opened with a doubt; else None.

    The trainer's own pickle of its arguments is removed: run.json has them, and opening it could run anything.
    """
    (folder / "training_args.bin").unlink(missing_ok=True)
    for file in sorted(folder.iterdir()):
        if file.suffix in PICKLED:
            return UnderstudyError(file, "is no safetensors file, in a folder of safetensors", fix=NO_WEIGHTS_FIX)
    return None


def _gathered(named: Mapping[str, torch.Tensor], *, keep: bool) -> Iterator[tuple[str, torch.Tensor]]:
    """Each tensor unsharded, one after another, on the CPU of a process that wants to `keep` it."""
    sharded = is_deepspeed_zero3_enabled()
    for name, tensor in named.items():
        if isinstance(tensor, DTensor):
            full = tensor.full_tensor()
            yield name, full.detach().cpu() if keep else full
        elif sharded:
            from deepspeed.runtime.zero import GatheredParameters

            with GatheredParameters([tensor]):
                yield name, tensor.detach().cpu().clone() if keep else tensor
        else:
            yield name, tensor.detach().cpu() if keep else tensor


def _differences(
    folder: Path, full: Iterable[tuple[str, torch.Tensor]], aliases: Mapping[str, set[str]]
) -> Iterator[UnderstudyError]:
    written = dict(_written(folder))
    unread = set(written)
    if not written:
        yield UnderstudyError(folder, "was saved without weights", fix=NO_WEIGHTS_FIX)
    for name, tensor in full:
        unread.discard(name)
        if name in written:
            if difference := _difference(written[name], name, tensor):
                yield UnderstudyError(written[name], f"has {name} {difference}", fix=FIX)
        elif written and not aliases.get(name, set()) & written.keys():
            yield UnderstudyError(folder, f"was saved without {name} ({_describe(tensor)})", fix=FIX)
    for name in sorted(unread):
        yield UnderstudyError(written[name], f"has {name}, which the model has not", fix=FIX)


def _written(folder: Path) -> Iterator[tuple[str, Path]]:
    """Names of the tensors in the folder, with their files; a file that cannot be opened has none."""
    for file in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(file, framework="pt") as tensors:
                yield from ((name, file) for name in tensors.keys())  # noqa: SIM118 - it is no mapping
        except (SafetensorError, OSError):
            continue


def _difference(file: Path, name: str, memory: torch.Tensor) -> str | None:
    """In what the file's tensor differs from the one in memory."""
    with safe_open(file, framework="pt") as tensors:
        disk = tensors.get_tensor(name)
    if (disk.shape, disk.dtype) != (memory.shape, memory.dtype):
        return f"as {_describe(disk)}, in memory it is {_describe(memory)}"
    if torch.equal(_bytes(disk), _bytes(memory)):
        return None
    return "with other values than in memory"


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    """Its bytes, so that what is no number equals itself."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)


def _describe(tensor: torch.Tensor) -> str:
    return f"{list(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _aliases(live: Mapping[str, torch.Tensor]) -> dict[str, set[str]]:
    """For each name all names of the same tensor: of tied weights one is written."""
    by_tensor: dict[int, set[str]] = {}
    for name, tensor in live.items():
        by_tensor.setdefault(id(tensor), set()).add(name)
    return {name: by_tensor[id(tensor)] for name, tensor in live.items()}
