"""Private data in what would be learnt is counted, and masked on request."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.conversion import convert, write_conversion
from pipeline.records.private_data import find_private, has_private, mask_private

PRIVATE = [
    ("Call me at (415) 555-2671 or +49 30 901820.", "Call me at [phone number] or [phone number]."),
    ("我的手机是13812345678，身份证11010519491231002X。", "我的手机是[电话]，身份证[证件号]。"),
    ("138 1234 5678给我打电话", "[电话]给我打电话"),
    ("+86 138-1234-5678 and 020 7946 0958", "[phone number] and [phone number]"),
    ("Mail tam@example.org.", "Mail [e-mail address]."),
    ("北京市朝阳区建国路88号3号楼1202室", "[住址]"),
    ("Leave it at 12 Acacia Avenue, dear.", "Leave it at [street address], dear."),
    ("微信号：wxid_abc12345，QQ：12345678", "微信号：[证件号]，QQ：[证件号]"),
    ("The card is 4111 1111 1111 1111.", "The card is [id number]."),
    ("SSN 123-45-6789", "SSN [id number]"),
]
HARMLESS = [
    "It is 1871 and 12:30, 2023-06-13, 100000 times.",
    "Version 1.2.3.4 of 2023.10.11.12, and 3.14159265358979.",
    "那是1234567年前的事，第3章。",
    "身份证110105194912310021",  # its check digit is wrong
    "Meet me @ the tower, Mira@home.",
    "4111 1111 1111 1112",
]


@pytest.mark.parametrize(("text", "masked"), PRIVATE)
def test_private_data_is_masked_in_the_language_of_the_text(text: str, masked: str) -> None:
    assert mask_private(text) == masked
    assert not has_private(masked)


@pytest.mark.parametrize("text", HARMLESS)
def test_other_numbers_stay(text: str) -> None:
    assert find_private(text) == []


@given(st.text(alphabet="0123456789 -+()@.abzX路号街市", max_size=60))
def test_what_is_not_masked_stays_and_nothing_overlaps(text: str) -> None:
    found = find_private(text)
    assert all(end <= start for (_, _, end), (_, start, _) in itertools.pairwise(found))
    if not found:
        assert mask_private(text) == text


CHAT = """13/06/2023, 19:00 - +49 170 1234567: Where shall I send it?
13/06/2023, 19:01 - Mira: To 12 Acacia Avenue, or mail mira@example.org.
"""


def test_the_report_says_what_is_there_and_what_is_masked_and_shows_none_of_it(tmp_path: Path) -> None:
    path = tmp_path / "chat.txt"
    path.write_text(CHAT, encoding="utf-8")
    plain = format_account(account_of(convert([path], "Mira", ConversionOptions())))
    assert "private data: 1 x e-mail address, 1 x street address, 1 x phone number; `mask_private: true`" in plain
    conversion = convert([path], "Mira", ConversionOptions(mask_private=True))
    account = write_conversion(conversion, tmp_path / "out", fingerprint="")
    assert "masked: 1 x e-mail address, 1 x street address, 1 x phone number" in format_account(account)
    assert account["private"] == {}
    written = (tmp_path / "out" / "records.jsonl").read_text(encoding="utf-8")
    assert json.loads(written)["context"][0]["speaker"] == "[phone number]"
    report = (tmp_path / "out" / "conversion.html").read_text(encoding="utf-8")
    assert not any(private in written + report for private in ("Acacia", "mira@", "170 1234567"))
