"""One variant in a process of its own, which runs a training step on request.

`python -m pipeline.benchmark.worker '{"variant": ..., "recipe": ..., "overrides": [...], "kinds": [...]}'` answers each
line on its standard input (`step`, `gemm`, `gradients`, `costs`, `recall`, `quit`) with one line of JSON on its
standard output. With `"whole_run": true` it is a run from raw files to its end, which answers `recall`.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from pipeline.models.locate import prepare_environment
from pipeline.recipe import value_of


class _QuitError(Exception):
    """The parent wants no more steps."""


def main(spec: dict[str, Any], commands: Iterable[str], answers: TextIO) -> None:
    """The variant that `spec` describes is built, and commands are answered until there are no more."""
    recipe, overrides = Path(spec["recipe"]), spec["overrides"]
    prepare_environment(str(value_of(recipe, overrides, "model_name_or_path")))

    from pipeline.benchmark.costs import planning_costs, scene_costs, slowest_process_tokens
    from pipeline.benchmark.variants import bench_data, make_trainer
    from pipeline.models.load import load_tokenizer
    from pipeline.training.arguments import parse_run
    from pipeline.training.defaults import with_learning_rate

    def answer(content: dict[str, Any]) -> None:
        answers.write(json.dumps(content) + "\n")
        answers.flush()

    run = parse_run(recipe, overrides)
    tokenizer = load_tokenizer(str(run.model.model_name_or_path))
    run = with_learning_rate(run, lambda _: None)
    if spec.get("whole_run"):
        from pipeline.benchmark.whole_runs import whole_run

        whole = whole_run(spec["variant"], run, tokenizer)
        _train_stepwise(whole.trainer, {"recall": whole.recall}, commands, answer)
        return
    data = bench_data(run, tokenizer, spec["kinds"])
    if spec["variant"] == "costs":
        answer({"ready": True})
        for _ in commands:
            batch = run.training.per_device_train_batch_size
            answer(
                {
                    "scenes": scene_costs(tokenizer),
                    "planning": planning_costs(data.rows, batch),
                    "dealing": slowest_process_tokens(data.rows, data.plan, batch),
                }
            )
        return
    others = {"gemm": gemm_rate, "gradients": gradient_difference}
    _train_stepwise(make_trainer(spec["variant"], run, data, tokenizer), others, commands, answer)


def _train_stepwise(
    trainer: Any,
    others: Mapping[str, Callable[[Any], dict[str, float]]],
    commands: Iterable[str],
    answer: Callable[[dict[str, Any]], None],
) -> None:
    """Train as far as there are commands for; `others` are those beside `step` and `quit`."""
    from pipeline.capacity.memory import peak_memory

    steps = _StepwiseTraining(trainer, others, iter(commands), answer)
    trainer.add_callback(steps.callback())
    try:
        trainer.train()
    except _QuitError:
        answer({"peak_bytes": peak_memory(), "device": trainer.accelerator.device.type})


class _StepwiseTraining:
    """Pauses the trainer before every step, until the parent requests one; answers with what the step before took."""

    def __init__(self, trainer: Any, others: Any, commands: Any, answer: Any) -> None:
        self.trainer, self.others, self.commands, self.answer = trainer, others, commands, answer
        self.counts: Counter[str] = Counter()
        self.began: tuple[float, float, float] | None = None
        self._training_step = trainer.training_step
        trainer.training_step = self._counted_step

    def _counted_step(self, model: Any, inputs: dict[str, Any], *rest: Any, **named: Any) -> Any:
        self.counts.update(batch_counts(inputs))
        return self._training_step(model, inputs, *rest, **named)

    def callback(self) -> Any:
        from transformers import TrainerCallback

        steps = self

        class Pause(TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                steps.pause()

            def on_train_end(self, *_: Any, **__: Any) -> None:
                steps.pause()

        return Pause()

    def pause(self) -> None:
        """Report the step that has ended, and wait for the next command: a step's time is from pause to pause.

        So it has everything in it that a step costs: the next batch, the optimizer, the logs.
        """
        synchronize()
        if self.began is None:
            self.answer({"ready": True, "steps": self.trainer.state.max_steps})
        else:
            began, busy, own = self.began
            seconds, busy_now, own_now = clocks()
            others = ((busy_now - busy) - (own_now - own)) / (seconds - began) / (os.cpu_count() or 1)
            self.answer({"seconds": seconds - began, "others": others, **self.counts})
        for command in self.commands:
            if command.strip() == "step":
                self.counts.clear()
                self.began = clocks()
                return
            if command.strip() == "quit":
                break
            self.answer(self.others[command.strip()](self.trainer))
        raise _QuitError


def batch_counts(inputs: dict[str, Any]) -> dict[str, int]:
    """Counts of a micro-batch of any variant: rows, tokens that the model computes (padding too), supervised tokens.

    And what it costs on a CPU: tokens `scored` by the LM head, `pairs` of a query with a key that it may see (or, where
    a mask hides the others, any).
    """
    tokens, labels = inputs["input_ids"], inputs["labels"]
    if "target_nodes" in inputs:
        rows, supervised = len(inputs["kinds"]), labels.numel()
        scored, pairs = supervised, int((inputs["position_ids"] + 1).sum())
    else:
        packed = "attention_mask" not in inputs
        rows = int((inputs["position_ids"] == 0).sum()) if packed else len(tokens)
        targets = labels[:, 1:] != -100
        supervised = int(targets.sum())
        ours = "kinds" in inputs  # trl scores every position on a CPU
        scored = rows * int(targets.any(0).sum()) if ours else tokens.numel()
        pairs = tokens.numel() * tokens.shape[1]
    return {"rows": rows, "tokens": tokens.numel(), "supervised": supervised, "scored": scored, "pairs": pairs}


def gemm_rate(trainer: Any) -> dict[str, float]:
    """Floating-point operations a second of the model's own matrix products, each shape as often as the model has it.

    A product of 768 tokens is as large as those of a typical tree. `layers` and `head` are numbers of weights.
    """
    import torch

    model = trainer.model
    head = model.get_output_embeddings().weight
    linear = [module.weight for module in model.modules() if isinstance(module, torch.nn.Linear)]
    trained = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    is_lora = any("lora" in name for name, _ in model.named_parameters())
    weights = [weight for weight in linear if weight is not head and not (is_lora and id(weight) in trained)]
    shapes = Counter(tuple(weight.shape) for weight in weights)
    operations = seconds = 0.0
    for (out, into), number in shapes.items():
        x, weight = (torch.randn(size, into, dtype=head.dtype, device=head.device) for size in (768, out))
        times = []
        for _ in range(7):
            synchronize()
            began = time.perf_counter()
            torch.nn.functional.linear(x, weight)
            synchronize()
            times.append(time.perf_counter() - began)
        operations += number * 2 * 768 * out * into
        seconds += number * statistics.median(times)
    return {
        "rate": operations / seconds,
        "layers": sum(weight.numel() for weight in weights),
        "head": head.numel(),
        "passes": 4 if is_lora else 6,
    }


def gradient_difference(trainer: Any) -> dict[str, float]:
    """|tree - padded| / |padded| of the gradient of one micro-batch, the worst of three, LoRA's B made non-zero."""
    import torch

    from pipeline.tokens.collate import PaddedCollator, PrefixTreeCollator

    generator = torch.Generator().manual_seed(0)
    trained = [(name, weight) for name, weight in trainer.model.named_parameters() if weight.requires_grad]
    for name, weight in trained:
        if "lora_B" in name:  # at zero, where LoRA begins, A would have no gradient
            weight.data.copy_(torch.randn(weight.shape, generator=generator) * 0.02)
    order, size = list(trainer.sampler), trainer.args.per_device_train_batch_size
    collators = (PrefixTreeCollator(), PaddedCollator(int(trainer.processing_class.pad_token_id)))
    worst = 0.0
    for start in range(0, 3 * size, size):
        batch = [trainer.train_dataset[row] for row in order[start : start + size]]
        found = []
        for collate in collators:
            trainer.model.zero_grad()
            inputs = {name: tensor.to(trainer.accelerator.device) for name, tensor in collate(batch).items()}
            trainer.compute_loss(trainer.model, inputs).backward()
            found.append(torch.cat([weight.grad.flatten().clone() for _, weight in trained]))
        worst = max(worst, float((found[0] - found[1]).norm() / found[1].norm()))
    trainer.model.zero_grad()
    return {"gradient_difference": worst}


def clocks() -> tuple[float, float, float]:
    """Seconds by the wall clock, of CPU time over all processes, and of CPU time of this process."""
    import psutil

    of_all = psutil.cpu_times()
    own = os.times()
    return time.perf_counter(), sum(of_all) - of_all.idle, own.user + own.system


def synchronize() -> None:
    """Wait for what a GPU is still computing."""
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


if __name__ == "__main__":
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr  # what the libraries print is not an answer
    main(json.loads(sys.argv[1]), sys.stdin, answers)
