"""What is fused on a CPU computes what the model and peft compute."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Gemma2Config, Gemma2ForCausalLM

from pipeline.kernels import head, products
from pipeline.kernels.blocks import fuse_blocks
from pipeline.kernels.head import TiledHead, tile_head
from pipeline.kernels.lora import fuse_lora
from pipeline.tokens.scores import score_targets

IDS = torch.tensor([list(range(10, 40))])


def lora_of(base: Any) -> Any:
    torch.manual_seed(0)
    for name, weight in base.named_parameters():  # at one, as it is made, a norm's weight would prove nothing
        if "norm" in name:
            weight.data.uniform_(0.5, 1.5)
    return get_peft_model(base, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))


def output_and_gradient(model: Any) -> tuple[torch.Tensor, torch.Tensor]:
    model.zero_grad()
    logits = model(input_ids=IDS).logits.float()
    logits.square().mean().backward()
    return logits.detach(), torch.cat([one.grad.flatten() for one in model.parameters() if one.requires_grad])


def difference(found: torch.Tensor, wanted: torch.Tensor) -> float:
    return float((found - wanted).norm() / wanted.norm())


@pytest.mark.parametrize("checkpointed", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_fused_products_and_blocks_have_the_models_output_and_gradient(
    tiny_model_folder: Path, dtype: torch.dtype, checkpointed: bool
) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder, dtype=dtype)
    model = lora_of(base)
    with model.disable_adapter(), torch.no_grad():
        untouched = model(input_ids=IDS).logits
    exact = output_and_gradient(copy.deepcopy(model).float())
    peft = [difference(one, wanted) for one, wanted in zip(output_and_gradient(model), exact, strict=True)]
    assert fuse_lora(model) == 14  # seven products in each of two layers
    assert fuse_blocks(model) == (2, 5 if dtype == torch.float32 else 0)
    if checkpointed:
        model.gradient_checkpointing_enable({"use_reentrant": False})
        model.enable_input_require_grads()
    found = [difference(one, wanted) for one, wanted in zip(output_and_gradient(model.train()), exact, strict=True)]
    assert all(ours < max(1e-5, 1.2 * theirs) for ours, theirs in zip(found, peft, strict=True))
    with model.disable_adapter(), torch.no_grad():
        assert difference(model(input_ids=IDS).logits, untouched) < 1e-5


def test_a_block_that_computes_something_else_stays_as_it_was() -> None:
    config = Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16,
    )  # fmt: skip
    model = lora_of(Gemma2ForCausalLM(config))  # its MLP is gated by GELU
    expected = output_and_gradient(model)
    assert fuse_blocks(model) == (0, 0)
    assert all(torch.equal(one, wanted) for one, wanted in zip(output_and_gradient(model), expected, strict=True))


def scored(scores: Any, hidden: torch.Tensor) -> list[torch.Tensor]:
    """Log-probabilities, entropies, hits, and the gradient of a weighted sum of the first."""
    (scores.log_prob * torch.linspace(-1, 2, len(scores.log_prob))).sum().backward()
    return [scores.log_prob.detach(), scores.entropy, scores.is_top1.float(), hidden.grad.float()]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 0.01)])
@pytest.mark.parametrize("words", [7, 32, 64, 1000], ids=lambda words: f"{words} words")
def test_a_head_in_pieces_scores_as_whole_logits_do(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, tolerance: float, words: int
) -> None:
    monkeypatch.setattr(head, "VOCAB_TILE", words)
    torch.manual_seed(0)
    linear = torch.nn.Linear(16, 64, bias=False, dtype=dtype).requires_grad_(False)
    linear.weight.data.mul_(10)
    hidden = (torch.randn(9, 16) * 3).to(dtype)
    targets, rows = torch.tensor([0, 6, 7, 13, 63, 62, 31, 32, 7]), torch.arange(9)
    targets[0] = linear(hidden[0]).argmax()  # one that is hit
    own = hidden.detach().clone().requires_grad_()
    wanted = scored(score_targets(linear(own), targets, rows), own)
    own = hidden.detach().clone().requires_grad_()
    found = scored(TiledHead(linear).scores(own, targets, rows), own)
    assert all(difference(one, two) < tolerance for one, two in zip(found, wanted, strict=True))
    with torch.no_grad():
        again = TiledHead(linear).scores(hidden, targets, rows)
    assert torch.equal(again.log_prob, found[0])


def test_only_a_frozen_head_that_ends_the_model_is_left_out(tiny_model_folder: Path) -> None:
    base = AutoModelForCausalLM.from_pretrained(tiny_model_folder, dtype=torch.float32)
    assert tile_head(base) is None  # it is trained
    model = lora_of(base)
    logits = model(input_ids=IDS).logits
    tiled = tile_head(model)
    assert tiled is not None
    with tiled.left_out():
        hidden = model(input_ids=IDS).logits
    assert torch.equal(hidden @ base.lm_head.weight.t(), logits)
    assert torch.equal(model(input_ids=IDS).logits, logits)  # it is back
    base.lm_head.forward = lambda hidden: hidden[..., :3]
    with tiled.left_out():
        assert model(input_ids=IDS).logits.shape[-1] > 3
    assert model(input_ids=IDS).logits.shape[-1] == 3  # another's own forward, too
    capped = Gemma2Config(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, final_logit_softcapping=2.0,
    )  # fmt: skip
    assert tile_head(lora_of(Gemma2ForCausalLM(capped))) is None


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
def test_products_by_onednn_are_torchs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "uses_onednn", lambda: True)
    x, weight = torch.randn(5, 24), torch.randn(24, 40)
    for left, right in (
        (x, weight), (x, weight.t().contiguous().t()), (x.t().contiguous().t(), weight), (x, weight[:, 3:20]),
        (x.bfloat16(), weight.bfloat16()), (x.double(), weight.double()),
    ):  # fmt: skip
        assert difference(products.matmul(left, right), left @ right) < 1e-6


@pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason="this torch has no oneDNN")
@pytest.mark.parametrize("bias", [False, True])
def test_linear_layers_by_onednn_say_the_same_and_are_differentiated_as_ever(
    monkeypatch: pytest.MonkeyPatch, bias: bool
) -> None:
    monkeypatch.setattr(products, "uses_onednn", lambda: True)
    products_made: list[torch.Tensor] = []
    by_onednn = products._by_onednn
    monkeypatch.setattr(products, "_by_onednn", lambda x, weight: products_made.append(weight) or by_onednn(x, weight))
    own = torch.nn.Sequential(torch.nn.Linear(24, 40, bias), torch.nn.GELU(), torch.nn.Linear(40, 8, bias))
    model = copy.deepcopy(own)
    assert products.speed_up_linears(model) == 2
    again = copy.deepcopy(model)  # its layers have weights of their own
    x = torch.randn(2, 3, 24)
    with torch.no_grad():
        assert difference(model(x), own(x)) < 1e-6
        assert [one.data_ptr() for one in products_made] == [model[0].weight.data_ptr(), model[2].weight.data_ptr()]
        model[0].weight.zero_()
        assert difference(again(x), own(x)) < 1e-6
        with torch.autocast("cpu", torch.bfloat16):
            assert again(x).dtype == torch.bfloat16
    products_made.clear()
    for one in (own, again):
        one(x).square().sum().backward()
    assert not products_made
    assert torch.equal(again[0].weight.grad, own[0].weight.grad)


def test_layers_that_are_not_in_float32_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "uses_onednn", lambda: True)
    assert products.speed_up_linears(torch.nn.Linear(24, 40, dtype=torch.bfloat16)) == 0
    monkeypatch.setattr(products, "uses_onednn", lambda: False)
    assert products.speed_up_linears(torch.nn.Linear(24, 40)) == 0


def test_products_go_torchs_way_where_the_operator_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(products, "_by_onednn", lambda x, weight: torch.ops.mkldnn.no_such_operator(x, weight))
    assert products.uses_onednn.__wrapped__() is False


@pytest.mark.skipif(not products._gives_the_same(), reason="this torch has one of the two libraries only")
def test_which_library_is_faster_is_measured_once_for_a_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path))
    measured: list[bool] = []
    monkeypatch.setattr(products, "_is_onednn_faster", lambda: measured.append(True) or True)
    assert [products.uses_onednn.__wrapped__() for _ in range(3)] == [True] * 3
    assert len(measured) == 1
    monkeypatch.setattr(products, "_machine", lambda: "another CPU")
    monkeypatch.setattr(products, "_is_onednn_faster", lambda: False)
    assert not products.uses_onednn.__wrapped__()
