"""Does it sound like the character? Judged by nothing but the character's own lines and other speakers'."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.evaluation.metrics.statistics import BOOTSTRAP_DRAWS, Z95
from pipeline.records.comparable import words

MIN_REPLIES = 20  # below that, the mean of a score says little
COPIED_NGRAM = 12
SHORTEST_COPY = 4  # words of a whole line that a short reply repeats; "Yes." is nobody's
ORDERS = (1, 2, 3)
FOLDS = 5
# Swept over 10 to 5000 on four characters: hardly matters, once what is not significant weighs nothing.
PRIOR = 1000.0
# The 10% level. Without it the lines of the fit themselves score far above held-out ones, so that parroting would pay.
SIGNIFICANT = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class VoiceProfile:
    """How a character's lines differ from other speakers': n-grams with z-scores, and the scores of held-out lines."""

    weights: Mapping[str, float]
    names: tuple[str, ...]
    own_scores: tuple[float, ...]
    other_scores: tuple[float, ...]

    @property
    def separates(self) -> bool:
        """Whether the character's held-out lines score above the others' by more than the 95% interval allows."""
        if min(len(self.own_scores), len(self.other_scores)) < MIN_REPLIES:
            return False
        own, other = np.array(self.own_scores), np.array(self.other_scores)
        error = math.sqrt(own.var(ddof=1) / len(own) + other.var(ddof=1) / len(other))
        return bool(own.mean() - other.mean() > Z95 * error)


@dataclass(frozen=True, slots=True)
class VoiceScore:
    """A share of the way from the other speakers' score (0) to the held-out lines' (1), with a 95% interval.

    `enough` is false below 20 replies; the number is then not to be shown without saying so.
    """

    value: float
    low: float
    high: float
    replies: int
    enough: bool


@dataclass(frozen=True, slots=True)
class StyleDistance:
    """How far replies are from reference lines in length and in punctuation: each from 0 (alike) to 1 (disjoint)."""

    length: float
    punctuation: float


def fit_voice(
    own: Sequence[str], held_out: Sequence[str], others: Sequence[str], names: Collection[str]
) -> VoiceProfile:
    """Learn a profile from the character's training lines against other speakers' lines.

    The weight of a character 1- to 3-gram is the z-score of its log-odds with an informative Dirichlet prior, the
    shares of both sides' text (B. Monroe, M. Colaresi, K. Quinn, "Fightin' Words", Political Analysis 16, 2008,
    equations 16 to 22), or 0 where it is not significant. No n-gram touches one of `names`, or a part of one.
    `held_out` are lines of the character that are not in `own`. The others' lines are often few, so each is scored by
    weights that were fitted without it: in fifths, by a hash.
    Where there are no other speakers, give the base model's replies as `others`.

    Raises:
        ValueError: there are no lines, none held out, or fewer than five different ones of others.
    """
    distinct = sorted(set(others), key=_hash)
    if not (own and held_out and len(distinct) >= FOLDS):
        raise ValueError(f"{len(own)} lines, {len(held_out)} held out and {len(others)} of others: too few to compare")
    masked = _masked_names(names)
    ours = _counts(own, masked)
    other_scores: list[float] = []
    for fold in range(FOLDS):
        rest = [line for index, line in enumerate(distinct) if index % FOLDS != fold]
        weights = _log_odds(ours, _counts(rest, masked))
        other_scores.extend(_score(line, weights, masked) for line in distinct[fold::FOLDS])
    weights = _log_odds(ours, _counts(distinct, masked))
    own_scores = tuple(_score(line, weights, masked) for line in held_out)
    return VoiceProfile(weights, masked, own_scores, tuple(other_scores))


def voice_score(replies: Sequence[str], profile: VoiceProfile) -> VoiceScore:
    """(mean score - others' mean) / (held-out lines' mean - others' mean): a score is the mean weight of the n-grams.

    1 is as the character's held-out lines, 0 as the others; either can be passed. The interval is a bootstrap's over
    replies, held-out lines and others' lines (2,000 draws, a fixed seed).

    Raises:
        ValueError: there is no reply, or the profile does not separate the character from the others.
    """
    if not replies:
        raise ValueError("no reply to score")
    if not profile.separates:
        raise ValueError("the character's lines do not differ from the others': there is no voice to measure")
    scores = np.array([_score(reply, profile.weights, profile.names) for reply in replies])
    own, other = np.array(profile.own_scores), np.array(profile.other_scores)
    value = (scores.mean() - other.mean()) / (own.mean() - other.mean())
    generator = np.random.default_rng(0)
    drawn, own_drawn, other_drawn = (
        part[generator.integers(len(part), size=(BOOTSTRAP_DRAWS, len(part)))].mean(1) for part in (scores, own, other)
    )
    # A draw in which the two do not differ is infinitely uncertain; the quantiles leave it at an end.
    with np.errstate(divide="ignore"):
        low, high = np.quantile((drawn - other_drawn) / (own_drawn - other_drawn), [0.025, 0.975])
    return VoiceScore(float(value), float(low), float(high), len(replies), len(replies) >= MIN_REPLIES)


def copy_rate(replies: Sequence[str], training_texts: Iterable[str], n: int = COPIED_NGRAM) -> float:
    """The share of replies that repeat `n` words in a row of a training text (in Chinese: `n` characters).

    A reply shorter than that counts where it is a whole training text, of four words or more.

    Raises:
        ValueError: there is no reply.
    """
    if not replies:
        raise ValueError("no reply to compare")
    grams: set[tuple[str, ...]] = set()
    whole: set[tuple[str, ...]] = set()
    for text in training_texts:
        spoken = tuple(words(text))
        whole.add(spoken)
        grams.update(_ngrams(spoken, n))
    copied = 0
    for reply in replies:
        spoken = tuple(words(reply))
        same = SHORTEST_COPY <= len(spoken) < n and spoken in whole
        copied += same or any(gram in grams for gram in _ngrams(spoken, n))
    return copied / len(replies)


def distinct_2(replies: Sequence[str]) -> float:
    """Different word pairs over all word pairs of the replies (J. Li et al., NAACL 2016); 0 without a pair.

    It falls as the replies get more, so compare only equally many.
    """
    pairs = [pair for reply in replies for pair in _ngrams(tuple(words(reply)), 2)]
    return len(set(pairs)) / len(pairs) if pairs else 0.0


def style_distance(replies: Sequence[str], reference: Sequence[str]) -> StyleDistance:
    """Jensen-Shannon divergences, in bits, of lengths in words (doubling bins) and of punctuation marks.

    J. Lin, "Divergence measures based on the Shannon entropy", 1991. A text without a mark counts as one mark, "none".

    Raises:
        ValueError: either side is empty.
    """
    if not replies or not reference:
        raise ValueError("style needs texts on both sides")
    return StyleDistance(
        _divergence(*(Counter(len(words(text)).bit_length() for text in texts) for texts in (replies, reference))),
        _divergence(*(Counter(mark for text in texts for mark in _marks(text)) for texts in (replies, reference))),
    )


def _log_odds(own: Counter[str], other: Counter[str]) -> dict[str, float]:
    own_total, other_total = own.total() + PRIOR, other.total() + PRIOR
    weights = {}
    for gram in sorted(own.keys() | other.keys()):
        prior = PRIOR * (own[gram] + other[gram]) / (own.total() + other.total())
        ours, theirs = own[gram] + prior, other[gram] + prior
        odds = math.log(ours / (own_total - ours)) - math.log(theirs / (other_total - theirs))
        z = odds / math.sqrt(1 / ours + 1 / theirs)
        if abs(z) >= SIGNIFICANT:
            weights[gram] = z
    return weights


def _score(text: str, weights: Mapping[str, float], names: Sequence[str]) -> float:
    grams = list(_grams(text, names))
    return math.fsum(weights.get(gram, 0.0) for gram in grams) / len(grams) if grams else 0.0


def _counts(texts: Iterable[str], names: Sequence[str]) -> Counter[str]:
    return Counter(gram for text in texts for gram in _grams(text, names))


def _grams(text: str, names: Sequence[str]) -> Iterator[str]:
    parts = re.split("|".join(names), _plain(text)) if names else [_plain(text)]
    for part in parts:
        for order in ORDERS:
            for start in range(len(part) - order + 1):
                yield part[start : start + order]


def _plain(text: str) -> str:
    # Punctuation stays: it is part of a voice.
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _masked_names(names: Collection[str]) -> tuple[str, ...]:
    # Patterns, longest first. A single character is too common to be hidden wherever it stands.
    parts = {part for name in names for part in (_plain(name), *_plain(name).split()) if len(part) > 1}
    bounded = (rf"\b{re.escape(part)}\b" if part.isascii() else re.escape(part) for part in parts)
    return tuple(sorted(bounded, key=lambda pattern: (-len(pattern), pattern)))


def _ngrams(spoken: tuple[str, ...], n: int) -> Iterator[tuple[str, ...]]:
    return (spoken[start : start + n] for start in range(len(spoken) - n + 1))


def _marks(text: str) -> list[str]:
    marks = [char for char in _plain(text) if unicodedata.category(char).startswith("P")]
    return marks or ["none"]


def _divergence(ones: Counter[int] | Counter[str], others: Counter[int] | Counter[str]) -> float:
    one_total, other_total = ones.total(), others.total()
    divergence = 0.0
    for key in sorted(ones.keys() | others.keys(), key=str):
        one, other = ones[key] / one_total, others[key] / other_total  # type: ignore[index]
        middle = (one + other) / 2
        divergence += sum(share * math.log2(share / middle) / 2 for share in (one, other) if share)
    return min(1.0, max(0.0, divergence))


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()
