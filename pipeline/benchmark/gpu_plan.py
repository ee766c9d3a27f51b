"""What somebody with a GPU runs to fill the table that this project cannot fill without one."""

from __future__ import annotations

# 7B by its shapes alone: a step of random weights costs what one of trained weights costs, and nothing is downloaded.
GPU_PLAN = """\
# Not run yet by this project. Every block prints its figures, or names the file that holds them; add `nvidia-smi -L`.
make setup && .venv/bin/python -m pip install bitsandbytes

# 1. What only a GPU shows: FlexAttention's backward and compilation; FSDP2, if there are two.
.venv/bin/python -m pytest -m gpu

# 2. A step beside trl's: samples a second, peak memory, the gradient's difference; float32, then bfloat16.
.venv/bin/python -m pipeline.bench --config recipes/demo.yaml --out outputs/bench/gpu_float32
.venv/bin/python -m pipeline.bench --config recipes/demo.yaml --dtype bfloat16 --out outputs/bench/gpu_bfloat16

# 3. Whole runs: how soon 90% of the facts are known.
.venv/bin/python -m pipeline.bench --time_to_recall --config recipes/demo.yaml --out outputs/bench/gpu_recall

# 4. Shapes of 7B with random weights, LoRA and QLoRA, 20 steps: seconds, and memory as estimated and at its peak.
.venv/bin/python -m tools.random_model --hidden_size 4096 --intermediate_size 11008 --layers 32 --heads 32 \\
  --out build/random_7b
.venv/bin/python -m pipeline.train --config recipes/demo.yaml --model_name_or_path build/random_7b \\
  --dtype bfloat16 --bf16 true --max_steps 20 --recall_items 0 --boundaries 0 --output_dir outputs/gpu/lora
.venv/bin/python -m pipeline.train --config recipes/demo.yaml --model_name_or_path build/random_7b \\
  --dtype bfloat16 --bf16 true --load_in_4bit true --max_steps 20 --recall_items 0 --boundaries 0 \\
  --output_dir outputs/gpu/qlora
.venv/bin/python -m tools.random_model --show outputs/gpu/lora outputs/gpu/qlora

# 5. Several GPUs: the same 20 steps under every engine.
for engine in ddp zero2 zero3 fsdp2; do
  .venv/bin/accelerate launch --quiet --config_file accelerate_configs/$engine.yaml -m pipeline.train \\
    --config recipes/demo.yaml --model_name_or_path build/random_7b --dtype bfloat16 --bf16 true --max_steps 20 \\
    --recall_items 0 --boundaries 0 --output_dir outputs/gpu/$engine
done
.venv/bin/python -m tools.random_model --show outputs/gpu/ddp outputs/gpu/zero2 outputs/gpu/zero3 outputs/gpu/fsdp2
"""
