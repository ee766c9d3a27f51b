"""What processes say when they do not find each other, how long they wait, and what a launcher makes of our files."""

from __future__ import annotations

import argparse
import json
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributed import DistNetworkError, HashStore, TCPStore

from pipeline.capacity import quantized
from pipeline.capacity.quantized import check_quantized
from pipeline.distributed import heartbeat, rendezvous
from pipeline.distributed.heartbeat import Heartbeat, is_connection_error, report_to_torchrun
from pipeline.distributed.rendezvous import (
    asked_for_several_cpu_processes,
    parse_timeout,
    process_group,
    world_size_of,
)
from pipeline.errors import UnderstudyError
from pipeline.runs.identity import NOT_IDENTITY
from pipeline.training.arguments import parse_run
from tests.conftest import ROOT

TORCHRUN_STOPS_WITHIN = 30  # seconds from asking a process to end to ending it
ENGINES = ("ddp", "zero2", "zero3", "fsdp2")
TWO_MACHINES = ["--num_machines", "2", "--num_processes", "16", "--machine_rank", "1", "--main_process_ip", "10.0.0.1",
                "--main_process_port", "29500"]  # fmt: skip


def launched(config: str, *options: str) -> argparse.Namespace:
    """What accelerate makes of one of our files and some options."""
    from accelerate.commands.launch import _validate_launch_command, launch_command_parser

    words = ["--config_file", str(ROOT / "accelerate_configs" / f"{config}.yaml"), *options, "-m", "pipeline.train"]
    arguments, _, _ = _validate_launch_command(launch_command_parser().parse_args(words))
    arguments.deepspeed_fields_from_accelerate_config = ""  # as its launcher sets it next
    return arguments


@pytest.mark.parametrize("config", ENGINES)
def test_a_configuration_starts_as_many_processes_as_there_are_gpus(
    config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env
    from torch.distributed.run import determine_local_world_size

    arguments = launched(config)
    (prepare_deepspeed_cmd_env if config.startswith("zero") else prepare_multi_gpu_env)(arguments)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for gpus in range(1, 9):
        monkeypatch.setattr(torch.cuda, "device_count", lambda gpus=gpus: gpus)
        assert determine_local_world_size(arguments.nproc_per_node) == gpus


@pytest.mark.parametrize("config", ENGINES)
def test_two_machines_share_the_processes_and_wait_about_a_minute_for_each_other(config: str) -> None:
    from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

    arguments = launched(config, *TWO_MACHINES)
    (prepare_deepspeed_cmd_env if config.startswith("zero") else prepare_multi_gpu_env)(arguments)
    assert (arguments.nproc_per_node, arguments.nnodes, arguments.node_rank) == ("8", "2", 1)
    assert arguments.rdzv_endpoint == "10.0.0.1:29500"
    assert arguments.rdzv_conf == "timeout=55"  # torch looks for the first machine twice: within two minutes
    assert launched(config, *TWO_MACHINES, "--rdzv_conf", "timeout=900").rdzv_conf == "timeout=900"


def test_by_default_whatever_parts_the_processes_ends_the_run_within_two_minutes(tiny_recipe: Path) -> None:
    training = parse_run(tiny_recipe).training
    assert training.ddp_timeout == parse_timeout(None) == rendezvous.DDP_TIMEOUT
    assert training.ddp_timeout < 120
    silence = rendezvous.HEARTBEAT_SHARE * training.ddp_timeout
    assert silence + 2 * heartbeat.HEARTBEAT_INTERVAL + TORCHRUN_STOPS_WITHIN < 120
    assert parse_run(tiny_recipe, ["--ddp_timeout", "300"]).training.ddp_timeout == parse_timeout("300") == 300
    assert "ddp_timeout" in NOT_IDENTITY  # a run goes on whatever the patience


@pytest.mark.parametrize(
    "environment",
    [{"WORLD_SIZE": "2"}, {"WORLD_SIZE": "2", "RANK": "2", "MASTER_ADDR": "a", "MASTER_PORT": "1"}, {"RANK": "1"}],
)
def test_variables_that_contradict_each_other_are_named(environment: dict[str, str]) -> None:
    with pytest.raises(UnderstudyError, match=r"environment: has RANK=.*accelerate launch"):
        world_size_of(environment)


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available: torch.device("cuda"))
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 4)
    variables = {"RANK": "0", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "8", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(UnderstudyError, match=r"has 4 GPUs, and 8 processes were started on it.*--num_processes 4"),
        process_group(1, use_cpu=False),
    ):
        pass


@pytest.mark.parametrize(("options", "several"), [(["--num_processes", "2"], True), (["--num_processes", "1"], False)])
def test_accelerate_starts_one_process_on_a_cpu_and_that_is_noted(options: list[str], several: bool) -> None:
    from accelerate.utils.launch import prepare_simple_launcher_cmd_env

    _, variables = prepare_simple_launcher_cmd_env(launched("ddp", "--cpu", *options))
    variables = {name: value for name, value in variables.items() if name.startswith(("ACCELERATE", "MASTER", "WORLD"))}
    assert world_size_of(variables) == 1
    assert asked_for_several_cpu_processes(variables) == several


def together(count: int, meet: Any) -> list[Any]:
    """What `meet(rank)` gives or raises on so many ranks at the same time."""
    results: list[Any] = [None] * count

    def one(rank: int) -> None:
        try:
            results[rank] = meet(rank)
        except UnderstudyError as error:
            results[rank] = str(error)

    threads = [threading.Thread(target=one, args=(rank,)) for rank in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.fixture
def meeting(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`meeting(rank, RANK=..., WORLD_SIZE=...)`: a process comes to the store that a launcher keeps."""
    server = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)

    def meet_in_store(_: str, timeout: timedelta) -> Any:
        yield TCPStore("127.0.0.1", server.port, is_master=False, timeout=timeout), None, None

    monkeypatch.setattr(torch.distributed, "rendezvous", meet_in_store)

    def meet(rank: int, world: int, seconds: float = 30) -> Any:
        variables = {"RANK": str(rank), "WORLD_SIZE": str(world), "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}
        return rendezvous._rendezvous(variables, seconds)

    return meet


def test_processes_that_all_come_meet(meeting: Any) -> None:
    stores = together(3, lambda rank: meeting(rank, 3))
    stores[0].set("word", "passed on")
    assert stores[2].get("word") == b"passed on"


def test_whoever_does_not_come_is_named(meeting: Any) -> None:
    said = together(2, lambda rank: meeting(rank, 4, seconds=0.5))
    for rank in range(2):
        assert f"rank {rank} of 4: waited 0.5 s at 10.0.0.1:29500, and rank 2, 3 did not connect" in said[rank]


def test_processes_started_for_different_numbers_say_so(meeting: Any) -> None:
    said = together(2, lambda rank: meeting(rank, 2 + rank, seconds=0.5))
    assert "were launched with different world sizes: 2 and 3" in said[0]
    assert "--num_processes" in said[0]
    assert "rank 2 did not connect" in said[1]


def test_a_machine_rank_given_twice_is_named(meeting: Any) -> None:
    said = together(2, lambda _: meeting(0, 2, seconds=0.5))
    assert any("was started twice" in text and "--machine_rank" in text for text in said)


@pytest.mark.parametrize(
    ("complaint", "advice"),
    [
        ("The server socket has failed: EADDRINUSE", "10.0.0.1:29500: is in use.*--main_process_port"),
        ("Timed out after 61 seconds waiting for clients. 1/2 clients joined.", "the others did not connect"),
        ("The client socket has timed out", "cannot reach rank 0 at 10.0.0.1:29500 .*--main_process_ip"),
    ],
)
def test_a_meeting_that_fails_ends_in_advice(complaint: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise DistNetworkError(complaint)
        yield

    monkeypatch.setattr(torch.distributed, "rendezvous", fails)
    with pytest.raises(UnderstudyError, match=advice):
        rendezvous._rendezvous({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "10.0.0.1", "MASTER_PORT": "29500"}, 1)


def test_a_silent_process_is_named_and_ends_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[UnderstudyError] = []
    over = threading.Event()

    def end(error: UnderstudyError) -> None:
        ended.append(error)
        over.set()

    monkeypatch.setattr(heartbeat, "_exit_with", end)
    store = HashStore()
    heartbeats = [Heartbeat(store, rank, 3, seconds=0.3) for rank in (0, 1)]  # rank 2 never speaks
    assert over.wait(30)
    for one in heartbeats:
        one.stop()
    assert {str(error).split(":")[0] for error in ended} <= {"rank 0 of 3", "rank 1 of 3"}
    assert all(
        "receives no heartbeat from rank 2: it hangs, is stopped or gone, for 0.3 s" in str(error) for error in ended
    )
    error = RuntimeError("[/src/gloo/buffer.cc:78] Timed out waiting 300ms for recv operation to complete. More. Words")
    where, what = heartbeats[0].diagnose(error)
    assert where == "rank 0 of 3"
    assert "rank 2" in what
    assert what.endswith("(Timed out waiting 300ms for recv operation to complete)")


def test_processes_that_all_speak_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[Any] = []
    monkeypatch.setattr(heartbeat, "_exit_with", ended.append)
    store = HashStore()
    heartbeats = [Heartbeat(store, rank, 2, seconds=10) for rank in (0, 1)]
    store.wait(["heartbeat/0", "heartbeat/1"], timedelta(seconds=30))
    for one in heartbeats:
        one.stop()
    assert not ended
    where, what = heartbeats[1].diagnose(RuntimeError("Connection closed by peer [127.0.0.1]:1"))
    assert (where, "lost the connection to another process: it has exited" in what) == ("rank 1 of 2", True)
    assert "alive but busy with something else" in heartbeats[1].diagnose(RuntimeError("Timed out waiting"))[1]


def test_only_what_is_about_the_connections_is_taken_for_it() -> None:
    assert is_connection_error(DistNetworkError("anything"))
    assert is_connection_error(RuntimeError("[/x/gloo/transport/tcp/pair.cc:553] Connection closed by peer"))
    assert not is_connection_error(RuntimeError("shapes cannot be multiplied"))
    assert not is_connection_error(torch.OutOfMemoryError("Tried to allocate 2 GiB"))


def test_torchruns_own_report_has_the_error_and_its_advice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

    monkeypatch.setenv("TORCHELASTIC_ERROR_FILE", str(tmp_path / "error.json"))
    report_to_torchrun(UnderstudyError("here", "it broke", fix="mend it"))
    failure = ProcessFailure(local_rank=0, pid=1, exitcode=2, error_file=str(tmp_path / "error.json"))
    assert "UnderstudyError: here: it broke. To fix it: mend it." in str(ChildFailedError("train", {0: failure}))


@pytest.mark.parametrize(
    ("setup", "complaint"),
    [
        ({"use_peft": False}, r"recipe\.yaml:\d+: 'load_in_4bit' is for LoRA"),
        ({"cuda": False}, r"needs a CUDA GPU"),
        ({"bitsandbytes": False}, r"pip install bitsandbytes"),
        ({"zero3": True}, r"each process would load the full quantised model.*zero2\.yaml"),
        ({"fsdp": True}, r"'load_in_4bit' goes with FSDP only.*bnb_4bit_quant_storage: bfloat16"),
        ({"fsdp": True, "storage": "bfloat16"}, None),
        ({}, None),
    ],
)
def test_four_bits_are_refused_where_they_cannot_be_trained_on(
    tiny_recipe: Path, monkeypatch: pytest.MonkeyPatch, setup: dict[str, Any], complaint: str | None
) -> None:
    values = json.loads(tiny_recipe.read_text(encoding="utf-8"))
    values |= {"load_in_4bit": True, "dtype": "bfloat16", "use_peft": setup.get("use_peft", True)}
    if "storage" in setup:
        values["bnb_4bit_quant_storage"] = setup["storage"]
    tiny_recipe.write_text("\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items()), encoding="utf-8")
    model = parse_run(tiny_recipe).model
    monkeypatch.setattr(torch.cuda, "is_available", lambda: setup.get("cuda", True))
    monkeypatch.setattr(quantized, "is_deepspeed_zero3_enabled", lambda: setup.get("zero3", False))
    monkeypatch.setattr(
        quantized.importlib.util, "find_spec", lambda _: object() if setup.get("bitsandbytes", True) else None
    )
    monkeypatch.setenv("ACCELERATE_USE_FSDP", str(setup.get("fsdp", False)).lower())
    if complaint is None:
        check_quantized(tiny_recipe, model)
    else:
        with pytest.raises(UnderstudyError, match=complaint):
            check_quantized(tiny_recipe, model)
