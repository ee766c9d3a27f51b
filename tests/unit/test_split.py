"""What is held out was never seen in training, nor anything nearly the same."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.records.near import connected_components, cross_pairs, jaccard, near_pairs, shingles
from pipeline.records.record import Kind, Record, content_id
from pipeline.records.split import check_split, scene_of, split_records


def record(text: str, kind: Kind = "dialogue", scene: str = "", prompt: str = "") -> Record:
    return Record(content_id("Mira", prompt, text), kind, prompt, text, (), "Mira", "lines.json#0", scene=scene)


# Few letters, so that near-duplicates are frequent.
near_texts = st.lists(st.text("ab", min_size=4, max_size=24), min_size=2, max_size=24)


def brute_force(ones: list[str], others: list[str]) -> list[tuple[int, int]]:
    return [
        (i, j)
        for j, other in enumerate(others)
        for i, one in enumerate(ones)
        if jaccard(shingles(one), shingles(other)) >= 0.8
    ]


@given(ones=near_texts, others=near_texts)
def test_the_proof_finds_exactly_the_pairs_that_comparing_all_with_all_finds(
    ones: list[str], others: list[str]
) -> None:
    assert [(i, j) for i, j, _ in cross_pairs(ones, others)] == brute_force(ones, others)


@given(texts=near_texts)
def test_minhash_connects_the_texts_that_comparing_all_with_all_connects(texts: list[str]) -> None:
    distinct = list(dict.fromkeys(texts))
    every = {(i, j) for i, j in brute_force(distinct, distinct) if i < j}
    found = [(i, j) for i, j, _ in near_pairs(distinct)]
    assert set(found) <= every
    assert {j for _, j in found} == {j for _, j in every}
    assert connected_components(len(distinct), found) == connected_components(len(distinct), every)


def test_of_texts_that_are_all_alike_each_is_in_a_pair_with_one_earlier() -> None:
    texts = [f"I keep the light on the quay, number {number} of them, every night." for number in range(300)]
    assert len(list(near_pairs(texts))) == 299


def test_groups_are_what_hangs_together() -> None:
    assert connected_components(6, [(4, 1), (1, 3), (5, 2)]) == [0, 1, 2, 1, 1, 2]


records = st.lists(
    st.builds(
        record,
        text=st.text("abc", min_size=4, max_size=30),
        kind=st.sampled_from(["dialogue", "setting_qa", "background"]),
        scene=st.sampled_from(["dusk", "dawn", "noon", "night", "storm"]),
    ),
    max_size=40,
)


@given(records=records, fraction=st.floats(0, 0.9), seed=st.integers(0, 9))
def test_a_split_loses_nothing_and_leaks_nothing(records: list[Record], fraction: float, seed: int) -> None:
    train, held_out = split_records(records, fraction, seed)
    identities = [id(record) for record in records]
    assert sorted(map(id, train + held_out)) == sorted(identities)
    assert not brute_force([r.text for r in train], [r.text for r in held_out])
    scenes = [{scene_of(r) for r in side if r.kind == "dialogue"} for side in (train, held_out)]
    assert not scenes[0] & scenes[1]
    for kind in ("dialogue", "setting_qa", "background"):
        share = fraction * sum(r.kind == kind for r in records)
        assert sum(r.kind == kind for r in held_out) <= round(share)


def varied(seed: int, count: int) -> list[Record]:
    draw = random.Random(seed)  # noqa: S311 - no secrets here
    words = ["bell", "rope", "tower", "tide", "eel", "lamp", "stair", "gull", "ferry", "fog", "salt", "moon"]
    made = [
        record(" ".join(draw.choices(words, k=9)), draw.choice(["dialogue", "setting_qa"]), scene=f"{index // 5}")
        for index in range(count)
    ]
    return list({one.text: one for one in made}.values())


def test_near_duplicates_that_were_planted_are_moved_to_one_side() -> None:
    plain = varied(0, 200)
    _, held_before = split_records(plain, 0.2, seed=1)
    planted = [
        record(
            f"{original.text}!", "setting_qa" if original.kind == "dialogue" else "dialogue", scene=f"planted {index}"
        )
        for index, original in enumerate(plain)
    ]
    assert all(jaccard(shingles(a.text), shingles(b.text)) >= 0.8 for a, b in zip(plain, planted, strict=True))
    with pytest.raises(UnderstudyError, match=r"is \d+% the same"):
        check_split(planted, held_before)
    train, held_out = split_records([*plain, *planted], 0.2, seed=1)
    held = {one.text for one in held_out}
    assert held
    for original, copy in zip(plain, planted, strict=True):
        assert (original.text in held) == (copy.text in held)
    check_split(train, held_out)


def test_a_scene_on_both_sides_is_refused() -> None:
    with pytest.raises(UnderstudyError, match="scene 'dusk', which is trained on"):
        check_split([record("the bells of Saltmere", scene="dusk")], [record("an eel for supper", scene="dusk")])


def test_a_split_depends_on_its_seed_and_not_on_the_order_of_the_records() -> None:
    plain = varied(3, 200)
    _, first = split_records(plain, 0.1, seed=1)
    _, again = split_records(plain[::-1], 0.1, seed=1)
    _, other = split_records(plain, 0.1, seed=2)
    assert {r.text for r in first} == {r.text for r in again} != {r.text for r in other}
    assert 0.05 * len(plain) <= len(first) <= 0.1 * len(plain) + 1


def test_only_the_kinds_asked_for_are_held_out() -> None:
    _, held_out = split_records(varied(4, 200), 0.2, seed=0, kinds=("dialogue",))
    assert {r.kind for r in held_out} == {"dialogue"}
    assert split_records(varied(4, 200), 0, seed=0)[1] == []


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(UnderstudyError, match=r"held-out share: is 1\.5"):
        split_records([], 1.5, seed=0)


def test_real_lines_split_without_a_leak(shared_data: Path) -> None:
    folder = shared_data / "seed" / "speaker" / "芙宁娜"
    entries = [e for file in sorted(folder.glob("*.json")) for e in json.loads(file.read_text(encoding="utf-8-sig"))]
    lines = {(e["source_title"], e["text"]): record(e["text"], prompt=e["source_title"]) for e in entries if e["text"]}
    train, held_out = split_records(list(lines.values()), 0.1, seed=0)
    assert len(train) + len(held_out) == len(lines)
    assert 0.05 * len(lines) <= len(held_out) <= 0.1 * len(lines) + 1
