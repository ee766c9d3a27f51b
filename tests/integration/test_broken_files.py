"""No file, whole or broken, loses a record in silence or ends in a traceback."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.asides import TO_END
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion
from tests.raw_files import FORMS

USUAL_CASES = 250  # of each form; BROKEN_FILES=1500 asks for more
CASES = int(os.environ.get("BROKEN_FILES", USUAL_CASES))
LAST = [("Bram", "Who is up there?"), ("Mira", "I ring the bells of Saltmere.")]  # something to keep, in any file

texts = st.one_of(
    st.sampled_from(
        [
            "Aye.",
            "……",
            "（走吧。）",
            "好。/让我想想……",
            "塔楼上的钟又响了三下。",
            "Mind the third stair.",
            "{{user}}, hold on.",
        ]
    ),
    st.text("钟声 abcdefgh.,!?…「」（）/#{}", min_size=1, max_size=30).filter(
        # what is said out of character is a record by itself
        lambda text: text.strip() == text and not TO_END.match(text)
    ),
)
lines = st.lists(st.tuples(st.sampled_from(["Mira", "Bram"]), texts), min_size=1, max_size=8)


def converted_or_refused(path: Path) -> Conversion | None:
    """The conversion of a file that can be converted; a file that cannot is refused with its place and a fix."""
    refused = ""
    try:
        conversion = convert([path], "Mira", ConversionOptions(context_turns=4))
    except UnderstudyError as error:
        refused = str(error)
    if refused:
        assert path.name in refused
        assert "To fix it: " in refused
        return None
    account = account_of(conversion)
    assert account["read"] == account["kept"] + account["duplicates"] + sum(account["rejected"].values())
    assert account["read"] == account["entries"] + account["split"]
    assert sum(file["read"] for file in account["files"]) == account["entries"]
    places = sum(1 + len(record.also) for record in conversion.records)
    assert account["read"] == places + sum(1 + len(reject.also) for reject in conversion.rejects)
    assert all(record.context[-1].speaker != "Mira" for record in conversion.records if record.context)
    json.dumps(account, ensure_ascii=False).encode()
    return conversion


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=CASES // 5)
@given(lines=lines)
def test_every_record_of_a_whole_file_is_accounted_for(
    form: str, lines: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = FORMS[form]([*lines, *LAST])
    path = tmp_path_factory.getbasetemp() / made.name
    path.write_bytes(made.content)
    conversion = converted_or_refused(path)
    assert conversion is not None
    assert conversion.entries == made.entries


def test_there_are_more_than_five_thousand_cases() -> None:
    assert len(FORMS) * USUAL_CASES >= 5000


@st.composite
def damage(draw: st.DrawFn, content: bytes) -> bytes:
    """The content cut off, with some bits flipped, with a piece overwritten, or in another encoding."""
    kind = draw(st.sampled_from(["cut", "flip", "flip", "overwrite", "encode", "double"]))
    if kind == "cut":
        return content[: draw(st.integers(0, len(content)))]
    if kind == "double":
        return content + content[: draw(st.integers(1, len(content)))]
    if kind == "encode":
        try:
            text = content.decode()
        except UnicodeDecodeError:
            return content[::-1]
        encoding = draw(st.sampled_from(["gb18030", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "big5", "cp1252"]))
        return text.encode(encoding, errors="replace")
    damaged = bytearray(content)
    start = draw(st.integers(0, len(content) - 1))
    if kind == "overwrite":
        piece = draw(st.binary(min_size=1, max_size=40))
        damaged[start : start + len(piece)] = piece
        return bytes(damaged)
    for place in [start, *draw(st.lists(st.integers(0, len(content) - 1), max_size=3))]:
        damaged[place] ^= 1 << draw(st.integers(0, 7))
    return bytes(damaged)


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=CASES)
@given(data=st.data())
def test_a_broken_file_is_refused_or_accounted_for(
    form: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = FORMS[form]([*data.draw(lines), *LAST])
    path = tmp_path_factory.getbasetemp() / made.name
    path.write_bytes(data.draw(damage(made.content)))
    converted_or_refused(path)
