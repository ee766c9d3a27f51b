"""Near-duplicate texts: proposed by MinHash, decided by the exact overlap of their character 5-grams."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

NGRAM = 5
THRESHOLD = 0.8
# 32 bands of 4 rows propose a pair of similarity .8 but for one time in 20 million, (1 - .8^4)^32.
PERMUTATIONS, BANDS, MINHASH_SEED = 128, 32, 0


def shingles(text: str, size: int = NGRAM) -> frozenset[str]:
    """The character n-grams of a text, of 5 unless `size` is given; a shorter text is its only shingle."""
    return frozenset(text[start : start + size] for start in range(max(1, len(text) - size + 1)))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """The share of all their shingles that two texts have in common."""
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def near_pairs(texts: Sequence[str], threshold: float = THRESHOLD) -> Iterator[tuple[int, int, float]]:
    """Pairs (i, j), i < j, whose similarity is at least `threshold`, with it. Equal texts are no pair.

    Not all of them, which of texts that are all alike would be a great many: every text that has an earlier one near it
    is in a pair with one, and texts that a chain of pairs connects are connected by those that are given.
    """
    from rensa import RMinHash, RMinHashLSH

    first_at = {text: index for index, text in reversed(list(enumerate(texts)))}
    distinct = sorted(first_at.values())
    sets = [shingles(texts[index]) for index in distinct]
    sketches = RMinHash.from_token_sets([sorted(tokens) for tokens in sets], PERMUTATIONS, MINHASH_SEED)
    index = RMinHashLSH(threshold, PERMUTATIONS, BANDS)
    group, members = list(range(len(sets))), [[number] for number in range(len(sets))]
    for later, sketch in enumerate(sketches):
        for earlier in sorted(index.query(sketch)):
            if group[earlier] == group[later]:
                continue
            similarity = jaccard(sets[earlier], sets[later])
            if similarity >= threshold:
                yield distinct[earlier], distinct[later], similarity
                _merge(group[earlier], group[later], group, members)
        index.insert(later, sketch)


def _merge(one: int, other: int, group: list[int], members: list[list[int]]) -> None:
    """Two groups become one, under the number of the larger; `members` are those of each number."""
    large, small = (one, other) if len(members[one]) >= len(members[other]) else (other, one)
    for member in members[small]:
        group[member] = large
    members[large] += members[small]


def cross_pairs(
    ones: Sequence[str], others: Sequence[str], threshold: float = THRESHOLD
) -> Iterator[tuple[int, int, float]]:
    """Every pair (i, j) of `ones[i]` and `others[j]` whose similarity is at least `threshold`: exact, for proofs.

    Prefix filtering (Bayardo, Ma, Srikant, 2007): in one order of all shingles, rarest first, two sets of similarity t
    share one among the first |A| - ceil(t |A|) + 1 of each, so only those are looked up.
    """
    one_sets, other_sets = [shingles(text) for text in ones], [shingles(text) for text in others]
    counts = Counter(token for tokens in (*one_sets, *other_sets) for token in tokens)
    by_token: dict[str, list[int]] = {}
    for index, tokens in enumerate(one_sets):
        for token in _prefix(tokens, counts, threshold):
            by_token.setdefault(token, []).append(index)
    for other, tokens in enumerate(other_sets):
        for one in sorted({one for token in _prefix(tokens, counts, threshold) for one in by_token.get(token, ())}):
            similarity = jaccard(one_sets[one], tokens)
            if similarity >= threshold:
                yield one, other, similarity


def connected_components(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """For each of `count` nodes the smallest one that `pairs` connect it with."""
    root = list(range(count))

    def find(index: int) -> int:
        while root[index] != index:
            root[index] = root[root[index]]
            index = root[index]
        return index

    for one, other in pairs:
        low, high = sorted((find(one), find(other)))
        root[high] = low
    return [find(index) for index in range(count)]


def _prefix(tokens: frozenset[str], counts: Counter[str], threshold: float) -> list[str]:
    kept = len(tokens) - math.ceil(threshold * len(tokens) - 1e-9) + 1
    return sorted(tokens, key=lambda token: (counts[token], token))[:kept]
