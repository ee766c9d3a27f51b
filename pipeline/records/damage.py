"""Texts that were damaged before they came here: characters that are lost, or read in another encoding."""

from __future__ import annotations

import re

DAMAGED = "damaged text"
# The mark of a lost character, and what it becomes where its bytes, or those of memory never written, are read as GBK.
# 烫烫烫！ is said of what is hot.
LOST = re.compile(r"\ufffd|锟斤|斤拷锟|烫{4,}|屯{4,}|烫{3}(?![烫！!～~，,。…])")
# What Windows-1252 has for the bytes 0x80 to 0xBF, of which every UTF-8 character beyond ASCII has one or more.
GOES_ON = r"[\x80-\xbf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]"
AS_WINDOWS_1252 = re.compile(
    rf"â[€\x80]{GOES_ON}|ï¼|ã[€\x80]|ð[Ÿ\x9f]{GOES_ON}"  # ’ “ … — , the full-width ，！？ , 。「」 , an emoji
    rf"|(?<![A-ZÀ-ÞĀ-Ž])[ÂÃ]{GOES_ON}"  # é ü « : "MANHÃ”" is a capital before a quotation mark
    rf"|(?:[ã-í]{GOES_ON}{{2}}){{2}}"  # two of Chinese, Japanese or Korean: "é »" ends French quotations
    rf"|(?:[ÐÑ]{GOES_ON}){{3}}"  # three of Cyrillic
)
HAN = re.compile(r"[\u3001-\u9fff\uff01-\uff1f]")
SOUND = re.compile("[，。！？的是我你不]")  # what Chinese is full of, and text that was read as GBK has none of
FEWEST = 3  # characters that a text read as GBK has to be: two may be valid in both encodings


def reason_of_damage(text: str) -> str:
    """How the text is damaged, or that it is; empty where it is sound."""
    if AS_WINDOWS_1252.search(text):
        return f"{DAMAGED}: UTF-8 that was read as Windows-1252"
    if _was_read_as_gbk(text):
        return f"{DAMAGED}: UTF-8 that was read as GBK"
    return DAMAGED if LOST.search(text) else ""


def _was_read_as_gbk(text: str) -> bool:
    """Whether its bytes in GBK are UTF-8, as those of no Chinese sentence are; some may be lost between characters."""
    if len(text) < FEWEST or text.isascii() or SOUND.search(text):
        return False
    parts = (part.encode("gb18030", "ignore") for part in text.split("€"))  # which Windows has for the byte 0x80
    again = b"\x80".join(parts).decode("utf-8", "replace")
    return len(HAN.findall(again)) >= max(FEWEST, 2 * again.count("\ufffd"))
