"""A row set is what encoding decided, held compactly, however many rows there are and however they come."""

from __future__ import annotations

import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import CONVERSATION_KINDS, Conversation, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.tokens import row_set as rows_module
from pipeline.tokens.encode import encode
from pipeline.tokens.row_set import RowSet, encode_rows
from tests.conftest import ROOT

MIRA = make_persona("Mira", "en", {})
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=8)


def conversation(record: int, variant: int = 0) -> Conversation:
    kind = CONVERSATION_KINDS[record % len(CONVERSATION_KINDS)]
    prompt = chat_prompt(MIRA, [user(f"Bell number {record}, for the {variant}th time?")])
    return Conversation(
        prompt, assistant(f"Number {record} was out of tune." * (variant + 1)), f"record-{record}", kind
    )


def groups(sizes: list[int]) -> list[list[Conversation]]:
    return [[conversation(record, variant) for variant in range(size)] for record, size in enumerate(sizes)]


def encoded(given: Any, tokenizer: Any, max_length: int | None = None) -> RowSet:
    return encode_rows(given, tokenizer, max_length=max_length, on_overlong="reject")


@given(sizes=SIZES, piece=st.integers(1, 9))
def test_rows_are_those_of_encoding_whatever_pieces_they_are_put_away_in(
    sizes: list[int], piece: int, tokenizer: Any
) -> None:
    flat = [one for group in groups(sizes) for one in group]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows_module, "PIECE", piece)
        rows = encoded(iter(groups(sizes)), tokenizer)
    wanted = list(encode(flat, tokenizer))
    assert [(row["input_ids"], row["labels"]) for row in rows.dataset] == [
        (row.input_ids, row.labels) for row in wanted
    ]
    assert [CONVERSATION_KINDS[kind] for kind in rows.dataset["kind"]] == [one.kind for one in flat]
    assert [f"record-{record}" for record in rows.dataset["record"]] == [one.record_id for one in flat]
    assert rows.variants == tuple(sizes)
    assert rows.record_ids == tuple(f"record-{record}" for record in range(len(sizes)))


@given(sizes=SIZES)
def test_loss_tokens_are_the_mean_over_a_records_rows(sizes: list[int], tokenizer: Any) -> None:
    rows = encoded(groups(sizes), tokenizer)
    for group, mean in zip(groups(sizes), rows.loss_tokens, strict=True):
        assert mean == pytest.approx(sum(row.loss_tokens for row in encode(group, tokenizer)) / len(group))


def test_a_record_of_which_nothing_fits_is_left_out_and_the_rest_keep_their_numbers(tokenizer: Any) -> None:
    short, long = conversation(0), conversation(1, variant=5)
    limit = max(len(row.input_ids) for row in encode([short], tokenizer)) + 2
    rows = encoded([[long], [short, long], [short]], tokenizer, max_length=limit)
    assert rows.record_ids == ("record-0", "record-0")
    assert (rows.variants, rows.dataset["record"][:]) == ((1, 1), [0, 1])
    assert rows.rejected == {"record-1": 2}


def test_rows_of_which_none_fits_are_an_error_that_names_the_first(tokenizer: Any) -> None:
    with pytest.raises(UnderstudyError, match="record record-0 and all others: are longer than max_length"):
        encoded(groups([1, 1]), tokenizer, max_length=3)


def test_only_the_record_whose_reply_holds_a_control_token_is_left_out(tokenizer: Any) -> None:
    given = groups([2, 1, 2])
    forged = [replace(one, completion=assistant("Aye.<|im_end|>")) for one in given[1]]
    rows = encoded([given[0], forged, given[2]], tokenizer)
    assert rows.record_ids == ("record-0", "record-2")
    assert rows.control_words == {"record-1": "<|im_end|>"}
    assert not rows.rejected
    with pytest.raises(UnderstudyError, match="record record-1 and all others: hold control tokens"):
        encoded([forged], tokenizer)


def test_a_row_more_costs_arrow_eight_bytes_a_token_and_python_next_to_nothing(
    tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.tokens.encode.CHUNK", 64)
    monkeypatch.setattr(rows_module, "PIECE", 64)

    def fresh(records: int) -> Iterator[list[Conversation]]:
        for record in range(records):
            yield [conversation(record)]

    def peak(records: int) -> int:
        tracemalloc.start()  # which sees what Python holds, and not what Arrow does
        rows = encoded(fresh(records), tokenizer)
        held = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        tokens = sum(map(len, rows.dataset["input_ids"]))
        assert rows.dataset.data.nbytes < 8.5 * tokens
        return held

    encoded(fresh(1), tokenizer)  # what is loaded on first use
    assert (peak(800) - peak(200)) / 600 < 700


PUT_AWAY = """
import sys
from pipeline.tokens.row import TokenRow
from pipeline.tokens.row_set import _Records
records = _Records()
records.add([TokenRow([1, 2], [-100, 2], "a", "dialogue")])
print(records.row_set().tables[0].to_pydict(), *{"pandas", "datasets"} & set(sys.modules))
"""


def test_rows_that_nobody_trains_on_need_neither_pandas_nor_datasets() -> None:
    done = subprocess.run([sys.executable, "-c", PUT_AWAY], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "{'input_ids': [[1, 2]], 'labels': [[-100, 2]], 'kind': [2], 'record': [0]}\n"
