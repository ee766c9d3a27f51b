"""A run says how long it will take, and where its time went."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from transformers.trainer_utils import IntervalStrategy

from pipeline.training.callbacks import clock as clock_module
from pipeline.training.callbacks.clock import PARTS, Outlook, RunClock

STEPS, EVERY = 40, 10


class Course:
    """A run whose events take as many seconds as they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.told = 100.0, list[Outlook]()
        monkeypatch.setattr(clock_module.time, "monotonic", lambda: self.now)
        self.recall: Any = SimpleNamespace(seconds_a_question=0.25)
        self.clock = RunClock(self.now, self.told.append, self.recall)
        self.state = SimpleNamespace(global_step=0, max_steps=STEPS, eval_steps=EVERY)
        self.arguments = SimpleNamespace(eval_strategy=IntervalStrategy.STEPS, num_train_epochs=1.0)

    def event(self, name: str, seconds: float) -> None:
        self.now += seconds
        getattr(self.clock, name)(self.arguments, self.state, None)

    def run(self, *, first: float, step: float, evaluation: float, save: float) -> None:
        self.event("on_train_begin", 7.0)
        self.event("on_evaluate", evaluation)
        for number in range(1, STEPS + 1):
            self.state.global_step = number
            self.event("on_step_end", first if number == 1 else step)
            if number % EVERY == 0:
                self.event("on_evaluate", evaluation)
        self.event("on_save", save)
        self.event("on_train_end", 0.0)


def test_after_its_first_steps_a_run_says_once_how_long_the_rest_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(monkeypatch)
    course.run(first=60.0, step=2.0, evaluation=5.0, save=1.0)
    (told,) = course.told
    measured_at = 1 + 8
    assert told.training == pytest.approx((STEPS - measured_at) * 2.0 + 4 * 5.0)  # the slow first step is not counted
    assert told.question == 0.25


def test_every_second_of_a_run_is_in_one_of_its_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(monkeypatch)
    course.run(first=4.0, step=2.0, evaluation=5.0, save=1.5)
    assert course.clock.seconds == pytest.approx(
        {"preparing": 7.0, "steps": 4.0 + 39 * 2.0, "watching": 5 * 5.0, "saving": 1.5}
    )
    assert sum(course.clock.seconds.values()) == pytest.approx(course.now - 100)
    said = course.clock.in_words()
    assert said.startswith("1 min 56 s: ")
    assert all(name in said for name in PARTS.values())


def test_a_run_of_few_steps_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    course = Course(monkeypatch)
    course.state.max_steps = 9
    course.run(first=1.0, step=1.0, evaluation=1.0, save=1.0)
    assert course.told == []
