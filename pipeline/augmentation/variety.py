"""Which wordings of a fact come first, where there are more of them than exposures: those with the newest words."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pipeline.augmentation.questions import Wording
from pipeline.records.comparable import terms

Rarity = Mapping[str, float]  # the weight of a word; in Chinese, of two characters


def rarity_in(pools: Sequence[Sequence[Wording]]) -> Rarity:
    """How much each word tells, by in how many facts' wordings it is: `I`, `tell` and `about` next to nothing.

    It is the inverse document frequency, all wordings of a fact being a document.
    """
    having = Counter(word for pool in pools for word in {word for one in pool for word in terms(one.text)})
    return {word: math.log((1 + len(pools)) / count) for word, count in having.items()}


def most_varied(wordings: Sequence[Wording], written: Iterable[str], name: str, rarity: Rarity) -> Iterator[Wording]:
    """The wordings in another order, each the one that has most to add to those before it and the written ones.

    That is the sum over its words, those of the character's `name` left out, of their weight over 1 + how often they
    stood before, over the root of the number of words; of equal ones the first. Frames add no word and come last. It is
    greedy maximum coverage, and lazy (Minoux, 1978): what a wording adds only falls as others come before it.
    """
    seen = Counter(word for text in written for word in terms(text))
    own_name = terms(name)
    words_of = [terms(wording.text) - own_name for wording in wordings]

    def turn(number: int) -> tuple[bool, float, int]:
        own = words_of[number]
        adds = math.fsum(rarity[word] / (1 + seen[word]) for word in own) / math.sqrt(max(len(own), 1))
        return wordings[number].family == "frame", -adds, number

    left = [turn(number) for number in range(len(wordings))]
    heapq.heapify(left)
    while left:
        _, _, number = heapq.heappop(left)
        if left and (now := turn(number)) > left[0]:
            heapq.heappush(left, now)
        else:
            yield wordings[number]
            seen.update(words_of[number])
