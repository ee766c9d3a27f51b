"""A chat model of given shapes with random weights, to time steps and memory where no weights are at hand.

    python -m tools.random_model --hidden_size 4096 --intermediate_size 11008 --layers 32 --heads 32 --out DIR

Its tokenizer is the embedded model's. `--show` prints what runs of such a model took.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.runs.run_file import read_run
from pipeline.terminal import print_line

GIB = 1 << 30


def main() -> None:
    """Read the command line; write the model, or show the runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("hidden_size", 576), ("intermediate_size", 1536), ("layers", 2), ("heads", 8)):
        parser.add_argument(f"--{name}", type=int, default=default)
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--out", type=Path, metavar="DIR", help="where to write the model")
    wanted.add_argument("--show", type=Path, nargs="+", metavar="RUN", help="finished runs to show the cost of")
    arguments = parser.parse_args()
    for run in arguments.show or ():
        show_cost(run)
    if arguments.out:
        write_random_model(
            arguments.out, arguments.hidden_size, arguments.intermediate_size, arguments.layers, arguments.heads
        )


def write_random_model(folder: Path, hidden_size: int, intermediate_size: int, layers: int, heads: int) -> None:
    """A Llama of these shapes in bfloat16, of random weights, with the embedded model's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from pipeline.models.load import load_tokenizer

    tokenizer = load_tokenizer("embedded")
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        intermediate_size=intermediate_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    default = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)  # float32 would need twice the memory, to be rounded at once
    try:
        LlamaForCausalLM(config).save_pretrained(folder)
    finally:
        torch.set_default_dtype(default)
    tokenizer.save_pretrained(folder)


def show_cost(run: Path) -> None:
    """A line with the run's engine, steps, seconds by part, and memory as estimated and at its peak."""
    made = read_run(run)
    memory = {name: f"{value / GIB:.1f} GiB" for name, value in made["memory"].items() if value}
    print_line(f"{run}: {made['engine']} x {made['world_size']}, {made['steps']} steps, {made['seconds_of']}, {memory}")


if __name__ == "__main__":
    main()
