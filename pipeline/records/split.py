"""Records split into those to train on and those held out, so that nothing held out was seen, or nearly seen."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from pipeline.errors import UnderstudyError
from pipeline.records.near import connected_components, cross_pairs, near_pairs
from pipeline.records.record import KINDS, Kind, Record

POSITION = re.compile(r"[#:]\d+$")


def split_records(
    records: Sequence[Record], fraction: float, seed: int, *, kinds: Collection[Kind] = KINDS
) -> tuple[list[Record], list[Record]]:
    """(to train on, held out), each in the order of `records`: about `fraction` of each of `kinds` is held out.

    Where the records are of several speakers, about that share of each one's is held out. Lines are held out by whole
    scenes, settings and passages one by one, and near-duplicates (which share 0.8 of their character 5-grams) stay on
    one side. Such a group may be larger than `fraction`; then less is held out, down to nothing where it is most of a
    kind. The choice depends on `seed` and the records alone, not on their order.

    Raises:
        UnderstudyError: the fraction is not from 0 to below 1.
    """
    if not 0 <= fraction < 1:
        raise UnderstudyError("held-out share", f"is {fraction}", fix="make it 0 or more, and less than 1")
    eligible = [index for index, record in enumerate(records) if record.kind in kinds]
    group = connected_components(len(records), _tied_pairs(records)) if fraction and eligible else []
    held = _choose_held_out(records, group, fraction, seed, kinds) if group else set()
    while held:
        caught = {group[there] for _, there in _leaking_pairs(records, group, held)}
        if not caught:
            break
        held -= caught
    train = [record for index, record in enumerate(records) if not held or group[index] not in held]
    held_out = [record for index, record in enumerate(records) if held and group[index] in held]
    check_split(train, held_out)
    return train, held_out


def check_split(train: Sequence[Record], held_out: Sequence[Record]) -> None:
    """Nothing crosses a split: neither a scene, nor two texts that share 0.8 of their character 5-grams. Exact.

    Raises:
        UnderstudyError: something does.
    """
    scenes = {scene_of(record) for record in train if record.kind == "dialogue"}
    for record in held_out:
        if record.kind == "dialogue" and scene_of(record) in scenes:
            raise UnderstudyError(
                record.source, f"is held out of the scene {scene_of(record)!r}, which is trained on", fix="split again"
            )
    for one, other, similarity in cross_pairs([r.text for r in train], [r.text for r in held_out]):
        raise UnderstudyError(
            held_out[other].source,
            f"is held out, but {train[one].source} is trained on and is {similarity:.0%} the same",
            fix="split again",
        )


def scene_of(record: Record) -> str:
    """The scene that a line belongs to: the one it names, else its title in its file."""
    return record.scene or f"{POSITION.sub('', record.source)} {record.prompt}"


def _tied_pairs(records: Sequence[Record]) -> Iterator[tuple[int, int]]:
    """Pairs of records that have to stay on one side."""
    first_of_scene: dict[str, int] = {}
    first_of_text: dict[str, int] = {}
    for index, record in enumerate(records):
        yield first_of_text.setdefault(record.text, index), index
        if record.kind == "dialogue":
            yield first_of_scene.setdefault(scene_of(record), index), index
    for one, other, _ in near_pairs([record.text for record in records]):
        yield one, other


def _choose_held_out(
    records: Sequence[Record], group: Sequence[int], fraction: float, seed: int, kinds: Collection[Kind]
) -> set[int]:
    """The groups to hold out: in an order drawn by `seed`, each that still fits into the share of each kind."""
    sizes: dict[int, Counter[tuple[str, Kind]]] = {}
    names: dict[int, str] = {}
    for index, record in enumerate(records):
        sizes.setdefault(group[index], Counter())[record.speaker, record.kind] += 1
        names[group[index]] = min(names.get(group[index], record.record_id), record.record_id)
    totals = Counter((record.speaker, record.kind) for record in records)
    left = Counter({one: round(fraction * count) for one, count in totals.items() if one[1] in kinds})
    held = set()
    for root in sorted(sizes, key=lambda root: _draw(seed, names[root])):
        if all(count <= left[one] for one, count in sizes[root].items()):
            held.add(root)
            left.subtract(sizes[root])
    return held


def _leaking_pairs(records: Sequence[Record], group: Sequence[int], held: set[int]) -> Iterator[tuple[int, int]]:
    """Pairs (trained on, held out) of nearly the same text: what MinHash overlooked, once in millions."""
    inside = [index for index in range(len(records)) if group[index] in held]
    outside = [index for index in range(len(records)) if group[index] not in held]
    texts = [record.text for record in records]
    for one, other, _ in cross_pairs([texts[index] for index in outside], [texts[index] for index in inside]):
        yield outside[one], inside[other]


def _draw(seed: int, name: str) -> bytes:
    return hashlib.blake2b(f"{seed} {name}".encode(), digest_size=8).digest()
