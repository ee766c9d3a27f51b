"""What a run trains on: its conversations as proven rows, how often each is seen, and what is held out to watch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from accelerate import PartialState
from tqdm import tqdm
from transformers import PreTrainedTokenizerBase
from trl import SFTConfig

from pipeline.conversations.persona import Persona, make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, render, user
from pipeline.conversations.replay import read_replay
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import Probe, choose_probes, sample_probes
from pipeline.mixture.ledger import KindExposures, make_ledger
from pipeline.mixture.plan import (
    MixturePlan,
    divide_by_character,
    exposures_by_share,
    exposures_by_weight,
    plan_mixture,
)
from pipeline.models.load import load_tokenizer
from pipeline.recipe import CharacterArguments, parse_numbers_by_kind
from pipeline.records.conversion import records_of
from pipeline.records.record import Kind, Record
from pipeline.records.split import split_records
from pipeline.training.arguments import RunArguments
from pipeline.training.rows import RowSet, encode_rows

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints

WATCHED: tuple[Kind, ...] = ("dialogue",)  # what is held out: a fact that is not trained on cannot be known


@dataclass(frozen=True, slots=True)
class Character:
    """A character to train on: its records, probes and prompts. `weight` multiplies its records' exposures."""

    records: Sequence[Record]
    probes: Sequence[Probe]
    persona: Persona
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Characters:
    """All that a run learns: one character or several, and `replay`, general conversations that go with them."""

    each: Sequence[Character]
    fingerprint: str
    replay: Sequence[Conversation] = ()

    @property
    def records(self) -> list[Record]:
        """The records of all characters."""
        return [record for character in self.each for record in character.records]

    @property
    def personas(self) -> dict[str, Persona]:
        """Each character's persona by its name, which its records have as their speaker."""
        return {character.persona.name: character.persona for character in self.each}


def load_character(one: CharacterArguments) -> tuple[Character, str]:
    """A single character, converted if need be, and a hash of all that decides its records."""
    persona = make_persona(one.name, one.language, one.instructions)
    records, fingerprint = records_of(one.raw_paths, one.name, one.records_folder, one.conversion)
    return Character(records, choose_probes(one.probes, records, persona), persona, one.weight), fingerprint


def load_characters(run: RunArguments, log: Callable[[str], None]) -> tuple[Characters, PreTrainedTokenizerBase]:
    """The run's characters, converted if need be, and the tokenizer of its model with a normalised chat template."""
    with PartialState().main_process_first():  # one process writes the records and the embedded model, all read them
        loaded = [load_character(one) for one in run.character.each]
        tokenizer = load_tokenizer(
            str(run.model.model_name_or_path),
            revision=run.model.model_revision,
            trust_remote_code=run.training.trust_remote_code,
            log=lambda note: log(f"chat template: {note}"),
        )
    replay = read_replay(run.character.replay or ())
    fingerprint = data_fingerprint([hash_ for _, hash_ in loaded], replay)
    return Characters([character for character, _ in loaded], fingerprint, replay), tokenizer


def data_fingerprint(records_hashes: Sequence[str], replay: Sequence[Conversation]) -> str:
    """A hash of all training data: of each character's records, given as hashes, and of the replayed conversations."""
    if len(records_hashes) == 1 and not replay:
        return records_hashes[0]
    together = [*records_hashes, *(conversation.record_id for conversation in replay)]
    return hashlib.blake2b(" ".join(together).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The rows of a run with their plan; `planned[i]` are the exposures of record i over the whole run.

    `unrounded_epoch` is how many rows an epoch would have if it were not rounded up to full optimizer steps.
    `watched` are rows that are not trained on: held-out lines, and the probed facts asked in new words.
    `owners[i]` names the character of record i ("" where it is nobody's), `watched_owners` those of what is watched;
    both are empty where there is only one character.
    """

    rows: RowSet
    plan: MixturePlan
    planned: Ints
    unrounded_epoch: float
    held_out: Sequence[Record]
    watched: RowSet | None
    owners: Sequence[str] = ()
    watched_owners: Sequence[str] = ()

    def until(self, step: int, rows_per_step: int) -> TrainingData:
        """The same, planned up to a step: what a run that stopped there should have seen."""
        return replace(self, planned=self.plan.planned_steps(step, rows_per_step))

    def ledger(self, realised: Ints | None = None) -> list[KindExposures]:
        """The ledger by kind, and by character where there are several: of the plan, or of what was really consumed."""
        owners = self.owners or None
        return make_ledger(self.rows.kinds, self.rows.loss_tokens, self.planned, realised, owners=owners)


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
    personas = characters.personas
    groups = (render_as(recipe, record, personas[record.speaker]) for record in kept)
    replayed = ([conversation] for conversation in characters.replay)
    rows = _encode(run, chain(groups, replayed), len(kept) + len(characters.replay), tokenizer)
    owners = owners_of(rows.record_ids, kept) if len(personas) > 1 else ()
    sources, exposures = _mixture(recipe, rows, owners, {one.persona.name: one.weight for one in characters.each})
    a_step = rows_per_step(training, processes)
    plan = plan_mixture(sources, exposures, seed=seed, rows_per_step=a_step)
    planned = plan.planned_steps(total_steps(training, plan, a_step), a_step)
    _check_exposures(rows, planned, recipe.max_exposures)
    watched, watched_owners = _watched(run, characters, held_out, tokenizer)
    return TrainingData(rows, plan, planned, sum(exposures.values()), held_out, watched, owners, watched_owners)


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
    run: RunArguments, characters: Characters, held_out: Sequence[Record], tokenizer: PreTrainedTokenizerBase
) -> tuple[RowSet | None, Sequence[str]]:
    """The rows that are watched, held-out lines and the probed facts in new words, and the character of each."""
    personas = characters.personas
    lines = [render_as(run.character, record, personas[record.speaker])[:1] for record in held_out]
    probes = paraphrased_probes(characters, run.character.recall_items)
    watching = [*lines, *([conversation] for _, conversation in probes)]
    if not watching:
        return None, ()
    rows = _encode(run, watching, len(watching), tokenizer)
    if len(personas) < 2:
        return rows, ()
    facts = {conversation.record_id: name for name, conversation in probes}
    return rows, owners_of(rows.record_ids, held_out, facts)


def owners_of(
    record_ids: Sequence[str], records: Sequence[Record], others: Mapping[str, str] | None = None
) -> list[str]:
    """The character of each id: the speaker of its record, or what `others` says, or nobody ("")."""
    speakers = {record.record_id: record.speaker for record in records} | dict(others or {})
    return [speakers.get(record_id, "") for record_id in record_ids]


def sample_probes_by_character(characters: Characters, count: int) -> dict[str, list[Probe]]:
    """`count` facts in all, of each character the same number as far as it has them: those probed while training."""
    turns: list[tuple[int, int, str, Probe]] = []
    for place, character in enumerate(characters.each):
        chosen = sample_probes(character.probes, count)
        turns += [(turn, place, character.persona.name, probe) for turn, probe in enumerate(chosen)]
    shared: dict[str, list[Probe]] = {}
    for _, _, name, probe in sorted(turns, key=lambda one: one[:2])[:count]:
        shared.setdefault(name, []).append(probe)
    return shared


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


def render_as(recipe: CharacterArguments, record: Record, persona: Persona) -> list[Conversation]:
    """A record rendered as conversations, by the recipe's options."""
    return render(
        record,
        persona,
        wordings=recipe.rewordings,
        chat_share=recipe.chat_share,
        speaker_names=recipe.speaker_names,
    )


def rows_per_step(training: SFTConfig, processes: int | None = None) -> int:
    """Rows per optimizer step (the effective batch size) over this launch's processes, or over `processes`."""
    of_one = int(training.per_device_train_batch_size * training.gradient_accumulation_steps)
    return of_one * (int(training.world_size) if processes is None else processes)


def total_steps(training: SFTConfig, plan: MixturePlan, rows_per_step: int) -> int:
    """Optimizer steps of the run, as the trainer counts them."""
    epoch = math.ceil(plan.epoch_length / rows_per_step)
    return int(training.max_steps) if training.max_steps > 0 else math.ceil(training.num_train_epochs * epoch)


def _mixture(
    recipe: CharacterArguments, rows: RowSet, owners: Sequence[str], weights: Mapping[str, float]
) -> tuple[Sequence[str], dict[str, float]]:
    """Each record's source, and what the recipe wants of each source in an epoch: of each kind, of each character."""
    loss_tokens = rows.loss_tokens if recipe.weight_by == "loss_tokens" else None
    if recipe.probabilities:
        exposures = exposures_by_share(rows.kinds, parse_numbers_by_kind(recipe.probabilities), loss_tokens=loss_tokens)
    else:
        exposures = exposures_by_weight(rows.kinds, recipe.weights, loss_tokens=loss_tokens)
    if not owners:
        return rows.kinds, exposures
    return divide_by_character(owners, rows.kinds, exposures, weights, shares=bool(recipe.probabilities))


def _check_exposures(rows: RowSet, planned: Ints, most: int) -> None:
    worst = int(planned.argmax())
    if planned[worst] > most:
        raise UnderstudyError(
            f"record {rows.record_ids[worst]}",
            f"is {rows.kinds[worst]}, of which {int((planned > most).sum())} records would be seen {planned[worst]}"
            f" times, and max_exposures is {most}",
            fix="lower num_train_epochs or the weight of that kind, or raise max_exposures",
        )
