"""The order in which a run shows its records, every exposure counted before the first step.

`datasets.interleave_datasets` draws the order of one epoch from shuffled sources, with probabilities. Left at that,
the number of draws is random and an epoch's length with it (its standard deviation is sqrt(wS(1 + wS/D)) for S
settings of weight w beside D lines). So the few exposures too many or too few are then removed or inserted at random
places: every record gets its planned number, every epoch has the same length, and nothing else of the draw changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import UnderstudyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

DIALOGUE = "dialogue"  # the source whose every record is seen once a pass


@dataclass(frozen=True, slots=True)
class MixturePlan:
    """Which record is seen when. Records are counted 0..n-1; a pure function of its fields, so any rank can redraw it.

    `sources[i]` names the source of record i; `exposures_of[source]` is the number of exposures that a source gets in
    an epoch, all its records together. `seed` starts every draw.
    """

    sources: tuple[str, ...]
    exposures_of: Mapping[str, int]
    seed: int

    def exposures(self, epoch: int) -> Ints:
        """Planned exposures of each record in an epoch: `[n]`, those of one source within 1 of each other.

        Record number i of a source of n records and m exposures has been seen floor((k m + i) / n) times after k
        epochs. By Hermite's identity these add up to k m, so every epoch is equally long; and no record ever falls
        behind another by more than one.
        """
        records_of = self._records_of()
        wanted = np.zeros(len(self.sources), dtype=np.int64)
        for index, (name, total) in enumerate(self.exposures_of.items()):
            ids = records_of[name]
            turn = np.random.default_rng([self.seed, index]).permutation(len(ids))
            wanted[ids] = ((epoch + 1) * total + turn) // len(ids) - (epoch * total + turn) // len(ids)
        return wanted

    def epoch(self, epoch: int) -> Ints:
        """The records of an epoch in order: `[epoch_length]`, each as often as planned."""
        wanted = self.exposures(epoch)
        rng = np.random.default_rng([self.seed, epoch])
        return _with_exact_counts(self._draw(wanted, rng), wanted, rng)

    @property
    def epoch_length(self) -> int:
        """How many exposures an epoch has: the same in every epoch."""
        return sum(self.exposures_of.values())

    def rows(self, epoch: int, variants: Sequence[int]) -> Ints:
        """The rows of an epoch, `[epoch_length]`, where record i has `variants[i]` rows, numbered one after another.

        A record's exposures take its rows in turn, over all epochs; different records begin at different ones.
        """
        order, counts = self.epoch(epoch), np.asarray(variants)
        by_record = np.argsort(order, kind="stable")
        seen = np.bincount(order, minlength=len(counts))
        occurrence = np.empty(len(order), dtype=np.int64)
        occurrence[by_record] = np.arange(len(order)) - np.repeat(np.cumsum(seen) - seen, seen)
        turn = order + self.planned(epoch)[order] + occurrence
        rows: Ints = (np.cumsum(counts) - counts)[order] + turn % counts[order]
        return rows

    def planned(self, epochs: int) -> Ints:
        """Exposures of each record over the first `epochs` epochs: `[n]`."""
        total = np.zeros(len(self.sources), dtype=np.int64)
        for epoch in range(epochs):
            total += self.exposures(epoch)
        return total

    def planned_steps(self, steps: int, rows_per_step: int) -> Ints:
        """Exposures of each record over the first `steps` steps of `rows_per_step` rows: `[n]`.

        An epoch's last step takes what is left of it.
        """
        epochs, steps_left = divmod(steps, -(-self.epoch_length // rows_per_step))
        if not steps_left:
            return self.planned(epochs)
        begun = self.epoch(epochs)[: steps_left * rows_per_step]
        return self.planned(epochs) + np.bincount(begun, minlength=len(self.sources))

    def _records_of(self) -> dict[str, Ints]:
        """The records of each source, in order of appearance."""
        records: dict[str, list[int]] = {}
        for record, source in enumerate(self.sources):
            records.setdefault(source, []).append(record)
        return {source: np.asarray(own, dtype=np.int64) for source, own in records.items()}

    def _draw(self, wanted: Ints, rng: np.random.Generator) -> Ints:
        """One epoch as `interleave_datasets` gives it: sources in random turns, each in its own shuffled order."""
        import pyarrow
        from datasets import Dataset, interleave_datasets

        pools, sizes = [], []
        for records in self._records_of().values():
            ids = records[wanted[records] > 0]
            if len(ids):
                shuffled = pyarrow.table({"record": rng.permutation(ids)})
                # Given one, datasets hashes nothing for its cache, of which there is none here: half the time.
                pools.append(Dataset(shuffled, fingerprint="drawn"))
                sizes.append(int(wanted[ids].sum()))
        probabilities = [size / sum(sizes) for size in sizes]
        # An explicit seed: left out, each process would draw an order of its own.
        mixed = interleave_datasets(
            pools, probabilities, seed=int(rng.integers(2**31)), stopping_strategy="all_exhausted"
        )
        drawn: Ints = mixed.with_format("arrow")[:]["record"].to_numpy()
        return drawn


def plan_mixture(
    sources: Sequence[str], exposures_of: Mapping[str, float], *, seed: int, rows_per_step: int
) -> MixturePlan:
    """A plan whose epoch gives each source its exposures, rounded up to whole optimizer steps.

    What the rounding adds is distributed in proportion, so that the weights stay what they are. A step is then the same
    set of rows whether one process takes it or many do.
    """
    whole = {source: max(1, round(exposures)) for source, exposures in exposures_of.items()}
    if surplus := sum(whole.values()) % rows_per_step:
        whole = _apportioned(exposures_of, sum(whole.values()) - surplus + rows_per_step)
    return MixturePlan(tuple(sources), whole, seed)


def exposures_by_weight(
    sources: Sequence[str], weights: Mapping[str, float], *, loss_tokens: Sequence[float] | None = None
) -> dict[str, float]:
    """Exposures of each source in a pass over the dialogue: a record of weight w is seen w times.

    With `loss_tokens`, one number a record, the weight is of loss tokens instead: a record of weight w brings on
    average w times the loss tokens of a line, in more or fewer exposures. Where there is no dialogue, the first source
    is what the others are measured by.
    """
    sizes = Counter(sources)
    means = _mean_tokens(sources, loss_tokens)
    anchor = DIALOGUE if DIALOGUE in sizes else next(iter(sizes))
    return {source: size * weights[source] * means[anchor] / means[source] for source, size in sizes.items()}


def exposures_by_share(
    sources: Sequence[str], shares: Mapping[str, float], *, loss_tokens: Sequence[float] | None = None
) -> dict[str, float]:
    """Exposures of each source in an epoch of which it has the given share: of the rows, or of the loss tokens.

    An epoch is as long as the dialogue needs to be seen once; without dialogue, as long as the source that needs most.

    Raises:
        UnderstudyError: a source has no share, or a share no source.
    """
    sizes = Counter(sources)
    if sizes.keys() != shares.keys():
        raise UnderstudyError(
            "recipe key 'probabilities'",
            f"names {', '.join(shares)}, and the records are {', '.join(sizes)}",
            fix="give each of these a share, and no other",
        )
    means = _mean_tokens(sources, loss_tokens)
    wanted = {source: shares[source] / means[source] for source in sizes}
    needed = [DIALOGUE] if DIALOGUE in sizes else list(sizes)
    scale = max(sizes[source] / wanted[source] for source in needed)
    return {source: share * scale for source, share in wanted.items()}


def sources_by_exposures(
    kinds: Sequence[str], owners: Sequence[str], exposures: Sequence[float]
) -> tuple[list[str], dict[str, float]]:
    """Each record's source where its exposures are given, `exposures[i]` in an epoch, and those of each source.

    A source is the records of one kind and owner ("" for nobody) that are seen equally often.
    """
    sources = [
        f"{_source(owner, kind)}, {count:g} times" for kind, owner, count in zip(kinds, owners, exposures, strict=True)
    ]
    totals: dict[str, float] = dict.fromkeys(sources, 0.0)
    for source, count in zip(sources, exposures, strict=True):
        totals[source] += count
    return sources, totals


def divide_by_character(
    owners: Sequence[str],
    kinds: Sequence[str],
    exposures_of: Mapping[str, float],
    weights: Mapping[str, float],
    *,
    shares: bool = False,
) -> tuple[list[str], dict[str, float]]:
    """Each record's source, and the exposures of each source: those of every kind, divided among the characters.

    A record is seen as often as another character's of its kind, times its character's weight: with weights of 1 the
    plan of several characters is the plans of each alone, together. With `shares` a kind's exposures stay what they
    are, and the weights only divide them. What has no character (owner "") is a source by itself.
    """
    sizes, sizes_of = Counter(kinds), Counter(zip(owners, kinds, strict=True))
    weighed: dict[str, float] = dict.fromkeys(sizes, 0.0)
    for (owner, kind), size in sizes_of.items():
        weighed[kind] += size * weights.get(owner, 1.0)
    exposures = {
        _source(owner, kind): exposures_of[kind] * size * weights.get(owner, 1.0) / (weighed if shares else sizes)[kind]
        for (owner, kind), size in sizes_of.items()
    }
    return [_source(owner, kind) for owner, kind in zip(owners, kinds, strict=True)], exposures


def _source(owner: str, kind: str) -> str:
    return f"{kind} of {owner}" if owner else kind


def _mean_tokens(sources: Sequence[str], loss_tokens: Sequence[float] | None) -> dict[str, float]:
    """The mean of `loss_tokens` over each source's records; 1 where records are what counts."""
    sums: dict[str, float] = dict.fromkeys(sources, 0.0)
    for source, tokens in zip(sources, loss_tokens or [1.0] * len(sources), strict=True):
        sums[source] += tokens
    sizes = Counter(sources)
    return {source: total / sizes[source] for source, total in sums.items()}


def _apportioned(amounts: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers, none of them 0, that add up to `total` in proportion to `amounts`: largest remainders first."""
    scale = total / sum(amounts.values())
    shares = {name: amount * scale + 1e-9 for name, amount in amounts.items()}
    whole = {name: int(share) for name, share in shares.items()}
    for name in sorted(shares, key=lambda name: whole[name] - shares[name])[: total - sum(whole.values())]:
        whole[name] += 1
    for name in [name for name, count in whole.items() if count == 0]:
        whole[max(whole, key=lambda name: whole[name])] -= 1
        whole[name] = 1
    return whole


def _with_exact_counts(drawn: Ints, wanted: Ints, rng: np.random.Generator) -> Ints:
    """`drawn` with surplus exposures removed and missing ones put in, both at random places."""
    shuffled = rng.permutation(len(drawn))
    by_record = shuffled[np.argsort(drawn[shuffled], kind="stable")]  # a record's places together, in random order
    counts = np.bincount(drawn, minlength=len(wanted))
    rank = np.arange(len(drawn)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = np.zeros(len(drawn), dtype=bool)
    kept[by_record] = rank < np.repeat(wanted, counts)
    missing = np.repeat(np.arange(len(wanted)), np.maximum(wanted - counts, 0))
    corrected = drawn[kept]
    places = np.sort(rng.integers(0, len(corrected) + 1, size=len(missing)))
    return np.insert(corrected, places, rng.permutation(missing))
