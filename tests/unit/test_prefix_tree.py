"""A prefix tree says exactly what its rows say."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tokens.prefix_tree import IGNORE_INDEX, build_prefix_tree

Row = tuple[list[int], list[int]]


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Rows over a tiny alphabet, so that they share beginnings, repeat, and are each other's prefixes.

    What they predict is some of their own tokens, or others in the place of these.
    """
    made = []
    for _ in range(draw(st.integers(1, 8))):
        ids = draw(st.lists(st.integers(0, 2), min_size=2, max_size=9))
        start = draw(st.integers(1, len(ids)))
        predicted = [token + 7 for token in ids] if draw(st.booleans()) else ids
        made.append((ids, [IGNORE_INDEX] * start + predicted[start:]))
    return made


def build(made: list[Row]):
    return build_prefix_tree([ids for ids, _ in made], [labels for _, labels in made])


def paths(tree) -> list[list[int]]:
    mask = tree.attention_mask()
    return [list(np.flatnonzero(mask[node])) for node in range(len(tree.tokens))]


@given(rows())
def test_every_token_attends_to_its_own_row_up_to_itself_and_to_nothing_else(made: list[Row]) -> None:
    tree = build(made)
    prefixes = {tuple(ids[: end + 1]) for ids, _ in made for end in range(len(ids) - 1)}
    spelt = [tuple(tree.tokens[path]) for path in paths(tree)]
    # each beginning stands once, and is all that its last token sees; a whole row predicts nothing
    assert sorted(spelt) == sorted(prefixes)


@given(rows())
def test_positions_are_those_of_the_row(made: list[Row]) -> None:
    tree = build(made)
    assert [len(path) - 1 for path in paths(tree)] == tree.position.tolist()


@given(rows())
def test_targets_are_the_supervised_tokens_of_each_row_after_their_own_beginnings(made: list[Row]) -> None:
    tree = build(made)
    seen = paths(tree)
    for number, (ids, labels) in enumerate(made):
        of_row = tree.target_row == number
        wanted = [(tuple(ids[:end]), labels[end]) for end in range(1, len(ids)) if labels[end] != IGNORE_INDEX]
        found = [
            (tuple(tree.tokens[seen[node]]), token)
            for node, token in zip(tree.target_node[of_row], tree.target_token[of_row], strict=True)
        ]
        assert found == wanted


def test_rows_with_a_common_prompt_pay_for_it_once_and_not_for_their_last_tokens() -> None:
    prompt = list(range(50))
    tree = build([([*prompt, 100 + row, 7], [IGNORE_INDEX] * 50 + [100 + row, 7]) for row in range(8)])
    assert len(tree.tokens) == 50 + 8
    assert set(tree.target_node) == {*range(49, 58)}
