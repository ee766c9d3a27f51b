"""What a run trains on: its conversations as proven rows, how often each is seen, and what is held out to watch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tqdm import tqdm
from transformers import PreTrainedTokenizerBase
from trl import SFTConfig

from pipeline.augmentation.lessons import Lessons, budgeted_lessons, weighted_lessons
from pipeline.conversations.render import Conversation, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.mixture.ledger import KindExposures, make_ledger
from pipeline.mixture.plan import (
    MixturePlan,
    divide_by_character,
    exposures_by_share,
    exposures_by_weight,
    plan_mixture,
    sources_by_exposures,
)
from pipeline.recipe import CharacterArguments, parse_numbers_by_kind
from pipeline.records.record import Kind, Record
from pipeline.records.split import split_records
from pipeline.tokens.row_set import RowSet, encode_rows
from pipeline.training.arguments import RunArguments
from pipeline.training.characters import Characters, sample_probes_by_character

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints

WATCHED: tuple[Kind, ...] = ("dialogue",)  # what is held out: a fact that is not trained on cannot be known


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The rows of a run with their plan; `planned[i]` are the exposures of record i over the whole run.

    `unrounded_epoch` is how many rows an epoch would have if it were not rounded up to full optimizer steps.
    `watched` are rows that are not trained on: held-out lines, and the probed facts asked in new words.
    `owners[i]` names the character of record i ("" where it is nobody's), `watched_owners` those of what is watched;
    both are empty where there is only one character. `lessons` are how each character's records are taught, by name,
    `loss_weights` the weight of a token of each kind in the loss.
    """

    rows: RowSet
    plan: MixturePlan
    planned: Ints
    unrounded_epoch: float
    held_out: Sequence[Record]
    watched: RowSet | None
    lessons: Mapping[str, Lessons]
    loss_weights: Mapping[str, float]
    owners: Sequence[str] = ()
    watched_owners: Sequence[str] = ()

    def until(self, step: int, rows_per_step: int) -> TrainingData:
        """The same, planned up to a step: what a run that stopped there should have seen."""
        return replace(self, planned=self.plan.planned_steps(step, rows_per_step))

    def ledger(self, realised: Ints | None = None) -> list[KindExposures]:
        """The ledger by kind, and by character where there are several: of the plan, or of what was really consumed."""
        kinds = self.rows.kinds
        in_loss = [count * self.loss_weights[kind] for kind, count in zip(kinds, self.rows.loss_tokens, strict=True)]
        return make_ledger(kinds, in_loss, self.planned, realised, owners=self.owners or None)


def prepare_data(
    run: RunArguments,
    characters: Characters,
    tokenizer: PreTrainedTokenizerBase,
    *,
    processes: int | None = None,
) -> TrainingData:
    """Split, render, encode, prove and plan all that the run will see.

    `processes` is their number, where it is not that of this launch.

    Raises:
        UnderstudyError: a row cannot be trained on, or the plan would show a record more often than the recipe allows.
    """
    recipe, training = run.character, run.training
    seed = training.seed if training.data_seed is None else training.data_seed
    kept, held_out = split_records(characters.records, recipe.held_out, seed, kinds=WATCHED)
    a_step = rows_per_step(training, processes)
    lessons = _lessons(run, characters, kept, a_step, seed)
    count = len(kept) + len(characters.replay) + sum(len(own.limits) for own in lessons.values())
    rows = _encode(run, _groups(lessons, kept, characters.replay), count, tokenizer)
    limits = {one.record_id: name for name, own in lessons.items() for one in own.limits}
    owners = owners_of(rows.record_ids, kept, limits)
    sources, exposures = _mixture(recipe, rows, owners, characters, lessons)
    plan = plan_mixture(sources, exposures, seed=seed, rows_per_step=a_step)
    planned = plan.planned_steps(total_steps(training, plan, a_step), a_step)
    _check_exposures(rows, planned, recipe.max_exposures)
    watched, watched_owners = _watched(run, characters, held_out, lessons, tokenizer)
    return TrainingData(
        rows,
        plan,
        planned,
        sum(exposures.values()),
        held_out,
        watched,
        lessons,
        recipe.weights_in_loss,
        owners if len(lessons) > 1 else (),
        watched_owners,
    )


def _lessons(
    run: RunArguments, characters: Characters, kept: Sequence[Record], rows_per_step: int, seed: int
) -> dict[str, Lessons]:
    """How each character's records are taught, by its name: within the recipe's exposures, or by its weights."""
    recipe, lessons = run.character, {}
    for one in characters.each:
        own = [record for record in kept if record.speaker == one.persona.name]
        plain = Lessons(one.persona, recipe.chat_share, recipe.speaker_names)
        if recipe.has_weights:
            exposures = recipe.weights["setting_qa"] * run.training.num_train_epochs
            lessons[one.persona.name] = weighted_lessons(plain, own, exposures, one.wordings, seed=seed)
        else:
            lessons[one.persona.name] = budgeted_lessons(
                plain, own, one.limits, one.wordings, exposures=recipe.exposures, boundaries=recipe.boundaries,
                rows_per_step=rows_per_step, most=recipe.max_exposures, epochs=run.epochs, seed=seed,
            )  # fmt: skip
    return lessons


def _groups(
    lessons: Mapping[str, Lessons], kept: Sequence[Record], replay: Sequence[Conversation]
) -> Iterator[Sequence[Conversation]]:
    """The conversations of each record, of each limit and of each replayed conversation."""
    for record in kept:
        yield lessons[record.speaker].of(record)
    for own in lessons.values():
        yield from ([conversation] for conversation in own.limits)
    yield from ([conversation] for conversation in replay)


def _encode(
    run: RunArguments,
    groups: Iterable[Sequence[Conversation]],
    records: int,
    tokenizer: PreTrainedTokenizerBase,
) -> RowSet:
    """The conversations of so many records as rows, with a progress bar."""
    training = run.training
    if training.process_index == 0 and not training.disable_tqdm:
        groups = tqdm(groups, total=records, desc="encoding", unit=" records", leave=False, delay=2)
    return encode_rows(groups, tokenizer, max_length=training.max_length, on_overlong=run.character.on_overlong)


def _watched(
    run: RunArguments,
    characters: Characters,
    held_out: Sequence[Record],
    lessons: Mapping[str, Lessons],
    tokenizer: PreTrainedTokenizerBase,
) -> tuple[RowSet | None, Sequence[str]]:
    """The rows that are watched, held-out lines and the probed facts in new words, and the character of each."""
    lines = [lessons[record.speaker].of(record)[:1] for record in held_out]
    probes = paraphrased_probes(characters, run.character.recall_items)
    watching = [*lines, *([conversation] for _, conversation in probes)]
    if not watching:
        return None, ()
    rows = _encode(run, watching, len(watching), tokenizer)
    if len(lessons) < 2:
        return rows, ()
    facts = {conversation.record_id: name for name, conversation in probes}
    return rows, owners_of(rows.record_ids, held_out, facts)


def owners_of(
    record_ids: Sequence[str], records: Sequence[Record], others: Mapping[str, str] | None = None
) -> list[str]:
    """The character of each id: the speaker of its record, or what `others` says, or nobody ("")."""
    speakers = {record.record_id: record.speaker for record in records} | dict(others or {})
    return [speakers.get(record_id, "") for record_id in record_ids]


def rows_per_step(training: SFTConfig, processes: int | None = None) -> int:
    """Rows per optimizer step (the effective batch size) over this launch's processes, or over `processes`."""
    of_one = int(training.per_device_train_batch_size * training.gradient_accumulation_steps)
    return of_one * (int(training.world_size) if processes is None else processes)


def total_steps(training: SFTConfig, plan: MixturePlan, rows_per_step: int) -> int:
    """Optimizer steps of the run, as the trainer counts them."""
    epoch = math.ceil(plan.epoch_length / rows_per_step)
    return int(training.max_steps) if training.max_steps > 0 else math.ceil(training.num_train_epochs * epoch)


def _mixture(
    recipe: CharacterArguments,
    rows: RowSet,
    owners: Sequence[str],
    characters: Characters,
    lessons: Mapping[str, Lessons],
) -> tuple[Sequence[str], dict[str, float]]:
    """Each record's source, and the exposures of each source in an epoch."""
    weights = {one.persona.name: one.weight for one in characters.each}
    if not recipe.has_weights:
        shown = {record: count for own in lessons.values() for record, count in own.exposures.items()}
        each = [
            shown.get(record, 1.0) * weights.get(owner, 1.0)
            for record, owner in zip(rows.record_ids, owners, strict=True)
        ]
        return sources_by_exposures(rows.kinds, owners, each)
    loss_tokens = rows.loss_tokens if recipe.weight_by == "loss_tokens" else None
    if recipe.probabilities:
        exposures = exposures_by_share(rows.kinds, parse_numbers_by_kind(recipe.probabilities), loss_tokens=loss_tokens)
    else:
        exposures = exposures_by_weight(rows.kinds, recipe.weights, loss_tokens=loss_tokens)
    if len(lessons) < 2:
        return rows.kinds, exposures
    return divide_by_character(owners, rows.kinds, exposures, weights, shares=bool(recipe.probabilities))


def _check_exposures(rows: RowSet, planned: Ints, most: int) -> None:
    worst = int(planned.argmax())
    if planned[worst] > most:
        raise UnderstudyError(
            f"record {rows.record_ids[worst]}",
            f"is {rows.kinds[worst]}, of which {int((planned > most).sum())} records would be seen {planned[worst]}"
            f" times, and max_exposures is {most}",
            fix="lower `exposures`, or num_train_epochs and the weight of that kind, or raise max_exposures",
        )


def paraphrased_probes(characters: Characters, count: int) -> list[tuple[str, Conversation]]:
    """The facts that are probed while training, each asked of its character once in new words, as in chat."""
    return [
        (
            name,
            Conversation(
                chat_prompt(characters.personas[name], (user(probe.unseen[0]),)),
                assistant(probe.answer),
                f"{name}: {probe.fact_id}" if len(characters.each) > 1 else probe.fact_id,
                "setting_qa",
            ),
        )
        for name, probes in sample_probes_by_character(characters, count).items()
        for probe in probes
    ]
