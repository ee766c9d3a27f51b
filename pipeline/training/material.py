"""What a run trains on: its conversations as proven rows, how often each is seen, and what is held out to watch."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from transformers import PreTrainedTokenizerBase
from trl import SFTConfig

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, render, user
from pipeline.errors import UnderstudyError
from pipeline.mixture.ledger import LedgerRow, make_ledger
from pipeline.mixture.plan import MixturePlan, exposures_by_share, exposures_by_weight, plan_mixture
from pipeline.recall.probes import Probe, choose
from pipeline.recipe import CharacterArguments, numbers_of
from pipeline.records.record import Kind, Record
from pipeline.records.split import split_records
from pipeline.tokens.row import TokenRow
from pipeline.training.rows import RowSet, encode_rows

if TYPE_CHECKING:
    from pipeline.mixture.plan import Ints

WATCHED: tuple[Kind, ...] = ("dialogue",)  # what is held out: a fact that is not trained on cannot be known


@dataclass(frozen=True, slots=True)
class Character:
    """What is to be learnt, and how it is asked for. `replay` are general conversations that go with it."""

    records: Sequence[Record]
    probes: Sequence[Probe]
    persona: Persona
    fingerprint: str
    replay: Sequence[Conversation] = ()


def data_fingerprint(records: str, replay: Sequence[Conversation]) -> str:
    """A hash of all that a run is trained on: that of its records, and the conversations replayed with them."""
    together = [records, *(conversation.record_id for conversation in replay)]
    return hashlib.blake2b(" ".join(together).encode(), digest_size=16).hexdigest() if replay else records


@dataclass(frozen=True, slots=True)
class Material:
    """The rows of a run with their plan; `planned[i]` are the exposures of record i over the whole run.

    `wanted` is how many rows an epoch would have if it were not rounded up to whole steps.
    `watched` are rows that are not trained on: held-out lines, and the probed facts asked in new words.
    """

    rows: RowSet
    plan: MixturePlan
    planned: Ints
    wanted: float
    held_out: Sequence[Record]
    watched: RowSet | None

    def until(self, step: int, rows_a_step: int) -> Material:
        """The same, planned up to a step: what a run that stopped there should have seen."""
        return replace(self, planned=self.plan.planned_steps(step, rows_a_step))

    def ledger(self, realised: Ints | None = None) -> list[LedgerRow]:
        """The ledger by kind: of the plan, or of what was really consumed."""
        return make_ledger(self.rows.kinds, self.rows.loss_tokens, self.planned, realised)


def prepare_material(
    recipe: CharacterArguments, training: SFTConfig, character: Character, tokenizer: PreTrainedTokenizerBase
) -> Material:
    """Split, render, encode, prove and plan all that the run will see.

    Raises:
        UnderstudyError: a row cannot be trained on, or the plan would show a record more often than the recipe allows.
    """
    seed = training.seed if training.data_seed is None else training.data_seed
    kept, held_out = split_records(character.records, recipe.held_out, seed, kinds=WATCHED)

    def rows_of(groups: Sequence[Sequence[Conversation]]) -> RowSet:
        return encode_rows(
            groups,
            tokenizer,
            max_length=training.max_length,
            on_overlong=recipe.on_overlong,
            progress=_progress if training.process_index == 0 and not training.disable_tqdm else lambda rows, _: rows,
        )

    groups = [render_as(recipe, record, character.persona) for record in kept]
    rows = rows_of([*groups, *([conversation] for conversation in character.replay)])
    exposures = _exposures(recipe, rows)
    plan = plan_mixture(rows.kinds, exposures, seed=seed, rows_a_step=rows_a_step(training))
    planned = plan.planned_steps(steps_of(training, plan), rows_a_step(training))
    _check_exposures(rows, planned, recipe.max_exposures)
    lines = [render_as(recipe, record, character.persona)[:1] for record in held_out]
    watched = [*lines, *([conversation] for conversation in asked_anew(character, recipe.recall_items))]
    return Material(rows, plan, planned, sum(exposures.values()), held_out, rows_of(watched) if watched else None)


def asked_anew(character: Character, count: int) -> list[Conversation]:
    """The facts that are probed while training, each asked once in new words, as chat would be asked."""
    return [
        Conversation(
            chat_prompt(character.persona, (user(probe.unseen[0]),)),
            assistant(probe.answer),
            probe.fact_id,
            "setting_qa",
        )
        for probe in choose(character.probes, count)
    ]


def render_as(recipe: CharacterArguments, record: Record, persona: Persona) -> list[Conversation]:
    """A record's conversations as the recipe has them rendered."""
    return render(
        record,
        persona,
        wordings=recipe.rewordings,
        chat_share=recipe.chat_share,
        speaker_names=recipe.speaker_names,
    )


def rows_a_step(training: SFTConfig) -> int:
    """How many rows an optimizer step takes, over all processes."""
    return int(training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size)


def steps_of(training: SFTConfig, plan: MixturePlan) -> int:
    """Optimizer steps of the run, as the trainer counts them."""
    epoch = math.ceil(plan.epoch_length / rows_a_step(training))
    return int(training.max_steps) if training.max_steps > 0 else math.ceil(training.num_train_epochs * epoch)


def _exposures(recipe: CharacterArguments, rows: RowSet) -> dict[str, float]:
    """What the recipe wants of each kind in an epoch."""
    loss_tokens = rows.loss_tokens if recipe.weight_by == "loss_tokens" else None
    if recipe.probabilities:
        return exposures_by_share(rows.kinds, numbers_of(recipe.probabilities), loss_tokens=loss_tokens)
    return exposures_by_weight(rows.kinds, recipe.weights, loss_tokens=loss_tokens)


def _check_exposures(rows: RowSet, planned: Ints, most: int) -> None:
    worst = int(planned.argmax())
    if planned[worst] > most:
        raise UnderstudyError(
            f"record {rows.record_ids[worst]}",
            f"is {rows.kinds[worst]}, of which {int((planned > most).sum())} records would be seen {planned[worst]}"
            f" times, and max_exposures is {most}",
            fix="lower num_train_epochs or the weight of that kind, or raise max_exposures",
        )


def _progress(rows: Iterable[TokenRow], total: int) -> Iterable[TokenRow]:
    from tqdm import tqdm

    return tqdm(rows, total=total, desc="encoding", unit=" rows", leave=False, delay=2)
