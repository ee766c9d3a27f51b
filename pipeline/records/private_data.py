"""Private data in texts: phone numbers, e-mail addresses, id numbers, street addresses; found, counted, masked.

Phone numbers are those that the library phonenumbers holds valid. The rest are patterns, with check digits where there
are some: what is found is likely, and what is not found may still be private.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from pipeline.records.text_patterns import A_CJK

EMAIL, ID, ADDRESS, PHONE = "e-mail address", "id number", "street address", "phone number"
CHINESE = {EMAIL: "邮箱", ID: "证件号", ADDRESS: "住址", PHONE: "电话"}
REGIONS = ("US", "GB")  # whose numbers are known without +, beside China's in Chinese
DIGIT = re.compile(r"[0-9]")
DIGITS = re.compile(r"\d(?:[\s().+-]{0,2}\d){6}")  # the fewest of a number that is looked at
DATE = re.compile(r"(?:19|20)\d\d([./-])\d{1,2}\1\d{1,2}(?!\d)")
IDENTITY_CARD = re.compile(r"(?<![0-9A-Za-z])\d{17}[0-9Xx](?![0-9A-Za-z])")
BANK_CARD = re.compile(r"(?<![\d+-])\d(?:[ -]?\d){12,18}(?![\d-])")
SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
ACCOUNT = re.compile(
    r"\bwxid_\w{6,}|(?:QQ|微信|WeChat)\s*(?:号|ID)?\s*(?:是|is)?\s*[:：]?\s*(?P<only>\d{5,12})(?!\d)", re.IGNORECASE
)
MAIL = re.compile(r"(?<![\w.+-])[A-Za-z0-9][A-Za-z0-9._%+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?![A-Za-z0-9-])")
STREET = re.compile(
    r"\b\d{1,5}[A-Za-z]?,? (?:[A-Z][\w'.]*\s){1,3}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Square|Sq|Terrace|Crescent)\b\.?"
    r"|\b[A-ZÄÖÜ][a-zäöüß]+(?:straße|strasse|str\.|gasse) \d{1,4}[a-z]?\b"
    r"|(?:[\u4e00-\u9fff]{2,8}?[省市区县镇])*[\u4e00-\u9fff]{2,6}?(?:路|街|大道|胡同|巷|弄)\d+号"
    r"(?:[\u4e00-\u9fff]{0,6}\d+(?:号楼|栋|幢|座|楼|单元|层|室|号))*"
)
CARD_WEIGHTS, CARD_DIGITS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2), "10X98765432"  # GB 11643-1999


def mask_private(text: str) -> str:
    """The text with [phone number] and the like, in the text's language, in the place of private data."""
    chinese = A_CJK.search(text) is not None
    masked, end = "", 0
    for kind, start, stop in find_private(text):
        masked += f"{text[end:start]}{_mask(kind, chinese=chinese)}"
        end = stop
    return masked + text[end:]


def has_private(text: str) -> bool:
    """Whether it seems to hold private data."""
    return bool(find_private(text))


def count_private(texts: Iterable[str]) -> dict[str, int]:
    """How much of each kind the texts hold, each text once."""
    counts = Counter(kind for text in set(texts) for kind, _, _ in find_private(text))
    return {kind: counts[kind] for kind in CHINESE if counts[kind]}


def count_masked(texts: Iterable[str]) -> dict[str, int]:
    """How often something of each kind is masked in the texts, each text once."""
    counts: Counter[str] = Counter()
    for text in set(texts):
        for kind in CHINESE:
            counts[kind] += sum(text.count(_mask(kind, chinese=chinese)) for chinese in (False, True))
    return {kind: counts[kind] for kind in CHINESE if counts[kind]}


def find_private(text: str) -> list[tuple[str, int, int]]:
    """(kind, start, end) of what seems private, in order, without overlap."""
    found: list[tuple[str, int, int]] = []
    if "@" not in text and "wxid_" not in text and not DIGIT.search(text):
        return found  # as nearly all texts
    for kind, places in (
        (EMAIL, _emails(text)),
        (ID, _ids(text)),
        (ADDRESS, ((match.start(), match.end()) for match in STREET.finditer(text))),
        (PHONE, _phones(text)),
    ):
        for start, end in places:
            if all(end <= other_start or start >= other_end for _, other_start, other_end in found):
                found.append((kind, start, end))
    return sorted(found, key=lambda one: one[1])


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" in text:
        yield from ((match.start(), match.end()) for match in MAIL.finditer(text))


def _ids(text: str) -> Iterator[tuple[int, int]]:
    checks: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
        (IDENTITY_CARD, _is_identity_card),
        (BANK_CARD, _is_bank_card),
        (SOCIAL_SECURITY, bool),
    )
    for pattern, is_one in checks:
        yield from ((match.start(), match.end()) for match in pattern.finditer(text) if is_one(match[0]))
    for match in ACCOUNT.finditer(text):
        yield match.span("only") if match["only"] else match.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    if not DIGITS.search(text):
        return
    import phonenumbers

    for region in ("CN", *REGIONS) if A_CJK.search(text) else REGIONS:
        for match in phonenumbers.PhoneNumberMatcher(text, region):
            if not DATE.match(match.raw_string):
                yield match.start, match.end


def _is_identity_card(number: str) -> bool:
    """Whether the last of the 18 characters of a Chinese identity card's number checks the others."""
    total = sum(weight * int(digit) for weight, digit in zip(CARD_WEIGHTS, number, strict=False))
    return CARD_DIGITS[total % 11] == number[-1].upper()


def _is_bank_card(number: str) -> bool:
    """Whether Luhn's check holds, and the digits are not all the same."""
    digits = [int(char) for char in reversed(number) if char.isdigit()]
    doubled = (digit * 2 - 9 * (digit > 4) for digit in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def _mask(kind: str, *, chinese: bool) -> str:
    return f"[{CHINESE[kind] if chinese else kind}]"
