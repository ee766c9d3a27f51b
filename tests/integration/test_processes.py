"""Several processes and several machines end where one process ends; and if one is lost, the others say so and end."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.conftest import ROOT, write_raw_files, write_tiny_recipe
from tests.runs import BIN, MODULE, TORCHRUN, Run

pytestmark = pytest.mark.launch
TRAIN = [*MODULE, "pipeline.train"]
# Relative differences of a logged loss and of a saved tensor, in float32 after five steps with clipped gradients.
# Measured on two cores: 2e-7 and 3e-6 at most.
LOSS_TOLERANCE, TENSOR_TOLERANCE = 2e-6, 5e-5
STEPS = ["--learning_rate", "0.001", "--num_train_epochs", "1", "--max_grad_norm", "0.05", "--recall_items", "0"]
# With its usual 1e-8 Adam makes a step of the rounding of a gradient that all but cancels out.
STEPS += ["--adam_epsilon", "1e-6"]
# With plain descent a step is as long as its clipped gradient, so that it shows if an engine clips otherwise.
FULL = ["--use_peft", "false", "--optim", "sgd", "--learning_rate", "0.5"]


LOGS, NUMBERS = tempfile.TemporaryDirectory(), itertools.count()


def begin(*command: object, fresh: bool = False, **variables: object) -> Run:
    """A run of a command, with more in its environment."""
    log = Path(LOGS.name) / f"{next(NUMBERS)}.log"
    named = {name: str(value) for name, value in variables.items()}
    return Run([str(word) for word in command], log, fresh=fresh, variables=named)


def ended(run: Run, within: float = 300) -> tuple[int, str]:
    """The exit code and what was said."""
    code = run.end(within)
    return code, run.said


# Below the ports that the system gives out by itself; every process of pytest has fifty of its own to begin with.
PORTS = itertools.count(20_000 + 50 * os.getpid() % 12_000)


def free_port() -> int:
    for port in PORTS:
        with socket.socket() as listening, contextlib.suppress(OSError):
            listening.bind(("127.0.0.1", port))
            return port
    raise AssertionError


def accelerate(config: str, *options: object) -> list[object]:
    file = ROOT / "accelerate_configs" / f"{config}.yaml"
    return [BIN / "accelerate", "launch", "--config_file", file, "--num_processes", 2, *options, "-m", "pipeline.train"]


def machine(rank: int, port: int) -> list[object]:
    return ["--num_machines", 2, "--machine_rank", rank, "--main_process_ip", "127.0.0.1", "--main_process_port", port]


def on_two_machines(config: str) -> list[list[object]]:
    """The commands of two machines of one process each, which are both this one."""
    port = free_port()
    return [accelerate(config, *machine(rank, port)) for rank in (0, 1)]


LAUNCHES: dict[str, tuple[str, Callable[[], list[list[object]]]]] = {
    "torchrun": ("MULTI_CPU", lambda: [[*TORCHRUN, "pipeline.train"]]),
    "ddp": ("MULTI_CPU", lambda: [accelerate("ddp", "--main_process_port", 0)]),
    "zero2": ("DEEPSPEED", lambda: [accelerate("zero2", "--main_process_port", 0)]),
    "zero3": ("DEEPSPEED", lambda: [accelerate("zero3", "--main_process_port", 0)]),
    "two machines, ddp": ("MULTI_CPU", lambda: on_two_machines("ddp")),
    "two machines, zero3": ("DEEPSPEED", lambda: on_two_machines("zero3")),
}
FRESH = ("torchrun", "ddp")  # launcher and processes are new interpreters, as a user's are; the others are forks


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    folder = tmp_path_factory.mktemp("processes")
    return write_tiny_recipe(folder, write_raw_files(folder / "raw"), tiny_model_folder)


@pytest.fixture(scope="module")
def alone(recipe: Path) -> Callable[..., Path]:
    """`alone(*overrides)`: the folder of the run of one process with them, trained once."""
    done: dict[tuple[str, ...], Path] = {}

    def train(*overrides: str) -> Path:
        if overrides not in done:
            folder = recipe.parent / f"alone{len(done)}"
            code, said = ended(begin(*TRAIN, "--config", recipe, *STEPS, *overrides, "--output_dir", folder))
            assert code == 0, said[-3000:]
            done[overrides] = folder
        return done[overrides]

    return train


def train_together(launch: str, recipe: Path, folder: Path, *overrides: str) -> dict[str, Any]:
    """What `run.json` says of a run of two processes, which take half the rows each."""
    words = ["--config", recipe, *STEPS, *overrides, "--per_device_train_batch_size", 2, "--output_dir", folder]
    engine, commands = LAUNCHES[launch]
    if engine == "DEEPSPEED":
        pytest.importorskip("deepspeed")
    fresh = launch in FRESH
    for code, said in [ended(process) for process in [begin(*command, *words, fresh=fresh) for command in commands()]]:
        assert code == 0, said[-3000:]
    made = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (made["world_size"], made["engine"], made["device"]) == (2, engine, "cpu")
    return made


def losses(folder: Path) -> list[dict[str, float]]:
    logs = [json.loads(line) for line in (folder / "logs.jsonl").read_text(encoding="utf-8").splitlines()]
    return [{name: value for name, value in log.items() if "loss" in name} for log in logs if "loss" in log]


def worst_loss(one: Path, two: Path) -> float:
    """The largest relative difference of a logged loss; the same ones must be logged at the same steps."""
    pairs = list(zip(losses(one), losses(two), strict=True))
    assert len(pairs) == 5
    assert all(left.keys() == right.keys() for left, right in pairs)
    return max(abs(left[name] - right[name]) / left[name] for left, right in pairs for name in left)


def worst_tensor(one: Path, two: Path) -> float:
    """The largest relative difference of a saved tensor."""
    assert not list(two.glob("**/*.bin")) + list(two.glob("**/*.pt")) + list(two.glob("**/*.pth"))
    (left, right) = (load_file(next(folder.glob("*model.safetensors"))) for folder in (one, two))
    assert left.keys() == right.keys()
    return max(float((right[name] - left[name]).norm() / left[name].norm().clamp(min=1e-6)) for name in left)


def equal(one: Path, two: Path, note: Callable[[str, object], None]) -> None:
    loss, tensor = worst_loss(one, two), worst_tensor(one, two)
    note("loss", loss)
    note("tensor", tensor)
    assert loss <= LOSS_TOLERANCE
    assert tensor <= TENSOR_TOLERANCE


@pytest.mark.parametrize(
    ("launch", "batching"),
    [
        ("torchrun", "prefix_tree"),
        ("ddp", "padded"),
        *((launch, batching) for launch in ("zero2", "zero3") for batching in ("padded", "prefix_tree")),
        ("two machines, ddp", "prefix_tree"),
        ("two machines, zero3", "prefix_tree"),
    ],
)
def test_two_processes_end_with_the_losses_and_the_adapter_of_one(
    *,
    launch: str,
    batching: str,
    recipe: Path,
    alone: Callable[..., Path],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    made = train_together(launch, recipe, tmp_path / "out", "--batching", batching)
    one = alone("--batching", batching)
    ledgers = [made["ledger"], json.loads((one / "run.json").read_text(encoding="utf-8"))["ledger"]]
    assert ledgers[0] == ledgers[1]
    equal(one, tmp_path / "out", record_property)


@pytest.mark.parametrize(("launch", "batching"), [("zero3", "prefix_tree"), ("zero2", "padded")])
def test_full_training_on_two_processes_ends_in_the_model_folder_of_one(
    *,
    launch: str,
    batching: str,
    recipe: Path,
    alone: Callable[..., Path],
    tmp_path: Path,
    tiny_model_folder: Path,
    tokenizer: Any,
    record_property: Callable[[str, object], None],
) -> None:
    from transformers import AutoModelForCausalLM

    train_together(launch, recipe, tmp_path / "out", "--batching", batching, *FULL)
    equal(alone("--batching", batching, *FULL), tmp_path / "out", record_property)
    assert worst_tensor(tiny_model_folder, tmp_path / "out") > 100 * TENSOR_TOLERANCE  # it has learnt something
    prompt = torch.tensor([tokenizer("Where were you born?").input_ids])
    one, two = (
        AutoModelForCausalLM.from_pretrained(folder)(prompt).logits
        for folder in (alone("--batching", batching, *FULL), tmp_path / "out")
    )
    assert torch.allclose(one, two, atol=1e-4)


def test_fsdp2_gives_the_gradient_of_the_whole_model_and_gathers_its_weights(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    """As far as this goes without a GPU, where accelerate's launch would make DDP of an FSDP configuration."""
    command = [*TORCHRUN, "tests.fsdp_gradients"]
    code, said = ended(begin(*command, tiny_model_folder, tmp_path))
    assert code == 0, said[-3000:]
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert found["world_size"] == 2
    for name in ("full", "lora"):
        assert found[name]["names"]
        assert found[name]["apart"] < 1e-5
        assert found[name]["one_process_apart"] > 0.1
        gathered, whole = (load_file(tmp_path / f"{name}{end}.safetensors") for end in ("", "_whole"))
        assert gathered.keys() == whole.keys()
        assert all(torch.equal(gathered[key], whole[key]) for key in whole)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="no two GPUs here: a whole run under FSDP2 is not tested")
@pytest.mark.parametrize("full", [False, True])
def test_fsdp2_on_two_gpus_ends_where_one_gpu_ends(
    full: bool, recipe: Path, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    words = ["--config", recipe, *STEPS, *(FULL if full else []), "--use_cpu", "false", "--output_dir"]
    code, said = ended(begin(*TRAIN, *words, tmp_path / "one", CUDA_VISIBLE_DEVICES=0))
    assert code == 0, said[-3000:]
    halved = [*words, tmp_path / "two", "--per_device_train_batch_size", 2]
    code, said = ended(begin(*accelerate("fsdp2", "--main_process_port", 0), *halved))
    assert code == 0, said[-3000:]
    made = json.loads((tmp_path / "two" / "run.json").read_text(encoding="utf-8"))
    assert (made["world_size"], made["engine"]) == (2, "FSDP")
    equal(tmp_path / "one", tmp_path / "two", record_property)


# What goes wrong. Processes are started here one by one, as on machines of their own: no launcher ends the others.


def ranks(recipe: Path, port: int, worlds: dict[int, int], *overrides: object) -> dict[int, Run]:
    """A process for each rank, which is told that it is one of so many."""
    return {
        rank: begin(
            *TRAIN, "--config", recipe, *overrides,
            RANK=rank, WORLD_SIZE=world, LOCAL_RANK=rank, MASTER_ADDR="127.0.0.1", MASTER_PORT=port,
        )
        for rank, world in worlds.items()
    }  # fmt: skip


@pytest.fixture
def training(recipe: Path, tmp_path: Path) -> Iterator[dict[int, Run]]:
    """Two processes in the middle of a run that would take long, and wait 20 seconds for each other at most."""
    out = tmp_path / "out"
    both = ranks(
        recipe, free_port(), {0: 2, 1: 2}, "--num_train_epochs", 600, "--max_exposures", 10**6,
        "--recall_items", 0, "--ddp_timeout", 20, "--output_dir", out, "--disable_tqdm", "true",
    )  # fmt: skip
    assert both[0].until(lambda: (out / "logs.jsonl").is_file() and len(losses(out)) >= 5), both[0].said[-3000:]
    yield both
    for run in both.values():
        run.kill()


@pytest.mark.parametrize("lost", [0, 1])
def test_a_process_that_hangs_in_the_middle_ends_the_other_which_names_it(training: dict[int, Run], lost: int) -> None:
    training[lost].launcher.send_signal(signal.SIGSTOP)
    code, said = ended(training[1 - lost], within=120)
    assert code == 2
    assert f"error: rank {1 - lost} of 2: receives no heartbeat from rank {lost}: it hangs, is stopped or gone" in said
    assert "resumes from the last checkpoint" in said


def test_a_process_that_is_killed_ends_the_other(training: dict[int, Run]) -> None:
    training[1].kill()
    code, said = ended(training[0], within=120)
    assert code == 2
    assert (
        "error: rank 0 of 2: lost the connection to another process: it has exited, or its machine is unreachable"
        in said
    )


def test_processes_that_disagree_on_how_many_they_are_end_in_advice(recipe: Path, tmp_path: Path) -> None:
    both = ranks(recipe, free_port(), {0: 2, 1: 3}, "--ddp_timeout", 30, "--output_dir", tmp_path / "out")
    code, said = ended(both[0], within=120)
    assert code == 2
    assert "were launched with different world sizes: 2 and 3" in said
    code, said = ended(both[1], within=120)
    assert code == 2
    assert "error: rank 1 of 3: waited" in said


def test_a_process_that_never_comes_ends_in_advice(recipe: Path, tmp_path: Path) -> None:
    one = ranks(recipe, free_port(), {0: 2}, "--ddp_timeout", 5, "--output_dir", tmp_path / "out")[0]
    code, said = ended(one, within=120)
    assert code == 2
    assert "waited 3 s at 127.0.0.1:" in said
    assert "--main_process_ip" in said


def test_a_machine_that_never_comes_ends_the_launcher(recipe: Path) -> None:
    command = accelerate("ddp", *machine(0, free_port()), "--rdzv_conf", "timeout=3")
    code, said = ended(begin(*command, "--config", recipe), within=120)
    assert code != 0
    assert "waiting for clients. 1/2 clients joined" in said


@pytest.mark.parametrize("launcher", ["accelerate", "none"])
def test_a_port_in_use_ends_in_advice(launcher: str, recipe: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        if launcher == "accelerate":
            process = begin(*accelerate("ddp", *machine(0, port)), "--config", recipe)
        else:
            process = ranks(recipe, port, {0: 2}, "--output_dir", tmp_path / "out")[0]
        code, said = ended(process, within=120)
    assert code != 0
    assert "--main_process_port" in said


def test_a_wrong_recipe_ends_torchruns_report_with_the_paragraph(recipe: Path) -> None:
    command = [*TORCHRUN, "pipeline.train", "--config", recipe]
    code, said = ended(begin(*command, "--settings_wieght", 3), within=120)
    assert code != 0
    last = said[said.index("Root Cause") :].rstrip("=\n ").splitlines()[-1]
    assert "UnderstudyError: command line: --settings_wieght is no key of a recipe" in last
    assert "To fix it: " in last


def test_a_pause_outside_of_steps_is_no_fault_and_one_within_them_is(tmp_path: Path) -> None:
    """Process 1 pauses longer than `ddp_timeout` twice: before the first step, which is well, and within steps."""
    script = tmp_path / "pausing.py"
    script.write_text(
        "import os, threading, torch\n"
        "from transformers import TrainerControl\n"
        "from pipeline.errors import entry_point\n"
        "from pipeline.distributed.deadlines import StepDeadline\n"
        "from pipeline.distributed.rendezvous import process_group\n"
        "@entry_point\n"
        "def main():\n"
        "    with process_group(6, use_cpu=True):\n"
        "        for when in ('before', 'within'):\n"
        "            if os.environ['RANK'] == '1':\n"
        "                threading.Event().wait(8)\n"
        "            torch.distributed.barrier()\n"
        "            print(when, flush=True)\n"
        "            StepDeadline(3).on_step_end(None, None, TrainerControl())\n"
        "main()\n",
        encoding="utf-8",
    )
    port = free_port()
    places = [{"RANK": rank, "WORLD_SIZE": 2, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port} for rank in (0, 1)]
    first, second = [begin(sys.executable, script, **place) for place in places]
    code, said = ended(first, within=120)
    second.kill()
    assert code == 2
    assert "before\n" in said
    assert "within\n" not in said
    assert "timed out waiting for another process, which is alive but busy with something else" in said


def test_without_deepspeed_accelerate_says_what_to_install(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as imports\n"
        "find = imports.find_spec\n"
        "imports.find_spec = lambda name, *rest: None if name == 'deepspeed' else find(name, *rest)\n",
        encoding="utf-8",
    )
    code, said = ended(begin(*accelerate("zero2"), "--config", recipe, PYTHONPATH=f"{tmp_path}:{ROOT}"), within=120)
    assert code != 0
    assert "DeepSpeed is not installed => run `pip3 install deepspeed`" in said
