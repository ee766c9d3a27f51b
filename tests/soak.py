"""Kill runs at random moments and see that nothing is lost: `make soak`, or `python -m tests.soak --engine ddp`.

Each run is killed twice, with SIGKILL: all of its processes at once, or one of them. The same command then goes on from
the last checkpoint that is whole, and in the end the adapter is compared with that of a run which nobody disturbed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import re
import shutil
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.conftest import tiny_values, write_raw_files, write_tiny_model
from tests.runs import Run, checkpoints_of, command, distance

KILLS_A_RUN = 2
STEPS, SAVE_STEPS = 60, 3
# One process computes the same bits again; two add their gradients up, in what order the sockets deliver them.
TOLERANCE = {"one": 0.0, "ddp": 1e-3, "zero2": 1e-3}


@dataclass
class Kill:
    """One kill, and what became of it."""

    engine: str
    run: int
    how: str
    moment: str
    whole: int
    broken: int
    went_on_from: str
    difference: float = -1.0
    ok: bool = False


def main() -> None:
    """Kill, go on, compare, and print a table."""
    parser = argparse.ArgumentParser(prog="tests.soak", description=__doc__)
    parser.add_argument("--engine", nargs="+", default=list(TOLERANCE), choices=list(TOLERANCE))
    parser.add_argument("--runs", type=int, default=5, help=f"of each engine, each killed {KILLS_A_RUN} times")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("outputs/soak"))
    arguments = parser.parse_args()
    kills = []
    for engine in arguments.engine:
        work = arguments.out.resolve() / engine
        shutil.rmtree(work, ignore_errors=True)
        kills += soak(engine, work, arguments.runs, arguments.seed)
        (work / "soak.json").write_text(json.dumps([asdict(kill) for kill in kills], indent=2), encoding="utf-8")
    failed = sum(not kill.ok for kill in kills)
    say(f"{len(kills)} kills, {len(kills) - failed} went on and ended where the undisturbed run ends, {failed} did not")
    sys.exit(1 if failed else 0)


def say(text: str) -> None:
    """A line of the table, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def soak(engine: str, work: Path, runs: int, seed: int) -> list[Kill]:
    """Every kill of an engine's runs."""
    chance = random.Random(f"{engine} {seed}")  # noqa: S311
    recipe = make_recipe(work, processes=1 if engine == "one" else 2)
    whole = work / "undisturbed"
    began = time.monotonic()
    undisturbed = Run(command(engine, recipe, whole), work / "undisturbed.log")
    assert undisturbed.end() == 0, undisturbed.said[-3000:]
    seconds = time.monotonic() - began
    say(f"{engine}: undisturbed in {seconds:.0f} s")
    say(f"{'run':>4}  {'killed':<12}{'when':<28}{'whole':>6}{'broken':>8}  {'went on from':<16}difference")
    found = []
    for number in range(1, runs + 1):
        kills = disturb(engine, recipe, work / str(number), chance, seconds)
        difference = distance(whole, work / str(number))
        for kill in kills:
            kill.run, kill.difference = number, difference
            kill.ok = kill.ok and difference <= TOLERANCE[engine]
            say(
                f"{number:>4}  {kill.how:<12}{kill.moment:<28}{kill.whole:>6}{kill.broken:>8}  {kill.went_on_from:<16}"
                f"{difference:.1e}{'' if kill.ok else '  FAILED'}",
            )
        found += kills
    return found


def disturb(engine: str, recipe: Path, out: Path, chance: random.Random, seconds: float) -> list[Kill]:
    """A run killed twice, at moments that lie before the first step, in a step or in a save, and then left alone.

    One that comes to its end before it is hit is begun anew.
    """
    kills: list[Kill] = []
    while len(kills) < KILLS_A_RUN:
        run = Run(command(engine, recipe, out), out.with_name(f"{out.name}.{len(kills)}.log"), fresh=True)
        moment = hit(run, out, chance, seconds)
        how = kill(run, engine, chance)
        if (out / "run.json").exists():
            shutil.rmtree(out)
            kills = []
            continue
        if kills:
            judge(kills[-1], run.said, final=False)
        whole, broken = checkpoints_of(out)
        kills.append(Kill(engine, 0, how, moment, len(whole), len(broken), whole[-1] if whole else "the beginning"))
    run = Run(command(engine, recipe, out), out.with_name(f"{out.name}.{len(kills)}.log"), fresh=True)
    assert run.end() == 0, run.said[-3000:]
    judge(kills[-1], run.said, final=True)
    return kills


def kill(run: Run, engine: str, chance: random.Random) -> str:
    """What was killed: all processes, or one of several, whose launcher then ends the rest."""
    if engine == "one" or chance.random() < 0.5:
        run.kill()
        return "all"
    rank = chance.randrange(2)
    with contextlib.suppress(psutil.NoSuchProcess):  # it has come to its end
        run.process(rank).kill()
    run.end()
    return f"rank {rank}"


def hit(run: Run, out: Path, chance: random.Random, seconds: float) -> str:
    """Wait for a random moment, and say which."""
    if chance.random() < 0.2:  # while it starts
        delay = chance.uniform(0.1, 0.5) * seconds
        began = time.monotonic()
        run.until(lambda: time.monotonic() - began > delay)
        return f"{delay:.1f} s after its start"
    before = checkpoints_of(out)[0]
    last = int(before[-1].partition("-")[2]) if before else 0
    step = chance.randrange(last + 1, max(last + 2, min(last + STEPS // 2, STEPS - 2)))
    step += -step % SAVE_STEPS
    run.until(lambda: (out / f"checkpoint-{step}").exists() or (out / "run.json").exists())
    delay = chance.uniform(0.0, 0.15)  # a save takes about as long as a step: either is hit
    began = time.monotonic()
    run.until(lambda: time.monotonic() - began > delay)
    return f"{delay * 1000:.0f} ms after checkpoint-{step}"


def judge(kill: Kill, said: str, *, final: bool) -> None:
    """Whether the start after the kill went on from the last whole checkpoint.

    A start that was itself killed early may not have come to say so.
    """
    told = re.search(r"resuming from \S+/(checkpoint-\d+)", said)
    went_on = told.group(1) if told else "the beginning"
    kill.ok = went_on == kill.went_on_from or not (told or final)


def make_recipe(work: Path, processes: int) -> Path:
    """A recipe that trains the tests' small character on their tiny model, saving often."""
    work.mkdir(parents=True)
    values: dict[str, Any] = tiny_values(work, write_raw_files(work / "raw"), write_tiny_model(work / "model")) | {
        "per_device_train_batch_size": 4 // processes, "max_steps": STEPS, "save_strategy": "steps",
        "save_steps": SAVE_STEPS, "save_total_limit": 2, "recall_items": 0, "lora_dropout": 0.1,
        "learning_rate": 0.001, "max_exposures": 1000, "disable_tqdm": True,
    }  # fmt: skip
    recipe = work / "recipe.yaml"
    recipe.write_text(json.dumps(values), encoding="utf-8")
    return recipe


if __name__ == "__main__":
    main()
