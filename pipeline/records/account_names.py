"""One account under changing names: in a group's chat people rename themselves, and the number behind a name stays."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from pipeline.records.names import spelling
from pipeline.records.program_texts import LONGEST_NAME, SENDER
from pipeline.records.raw import ReadOptions

NUMBERED = re.compile(r".*?[(（<](?P<account>[^()（）<>\s]+)[)）>]", re.DOTALL)
MENTIONED = re.compile(r"@\S+")
SHORTEST = 2  # characters of a name that is looked for in what is said
TAKEN = "messages of {}'s account under other names, taken: {}"
NOT_TAKEN = "messages of {}'s account under names that are, or may be, somebody else's, not taken: {}"


def own_names(messages: Sequence[tuple[str, str]], options: ReadOptions) -> Mapping[str, str]:
    """The character's name for each sender of (sender, text) whose account speaks under that name, too.

    A sender is `name(number)`. A player may have several characters on one account: a name is not taken that another
    account has as well, that is spoken of, or that the account goes back to. Both are counted among the remarks.
    """
    spellings = {spelling(name) for name in options.names}
    accounts = {sender: found for sender in dict.fromkeys(one for one, _ in messages) if (found := _account(sender))}
    own = {account for name, account in accounts.values() if spelling(name) in spellings}
    others = {sender: name for sender, (name, account) in accounts.items() if account in own}
    others = {sender: name for sender, name in others.items() if spelling(name) not in spellings}
    if not others:
        return {}
    somebody_elses = _others_names(others, accounts, messages)
    taken = {sender: options.names[0] for sender, name in others.items() if name not in somebody_elses}
    counts = Counter(sender for sender, _ in messages)
    _remark(TAKEN, {others[sender]: counts[sender] for sender in taken}, options)
    _remark(NOT_TAKEN, {name: counts[sender] for sender, name in others.items() if sender not in taken}, options)
    return taken


def _account(sender: str) -> tuple[str, str] | None:
    """The name and the account of a sender who has both."""
    found = SENDER.fullmatch(sender.strip()) if len(sender) < LONGEST_NAME else None
    number = NUMBERED.fullmatch(sender.strip()[len(found["known"]) :]) if found and found["known"] else None
    return (found["known"], number["account"]) if found and number else None


def _others_names(
    names: Mapping[str, str], accounts: Mapping[str, tuple[str, str]], messages: Iterable[tuple[str, str]]
) -> set[str]:
    """Which of an account's `names`, by their senders, are another person's, or may be."""
    said = [(sender, MENTIONED.sub("", text)) for sender, text in messages]
    own = {accounts[sender][1] for sender in names}
    elsewhere = {name for name, account in accounts.values() if account not in own}
    spoken_of = {name for name in {*names.values()} if len(name) < SHORTEST or any(name in text for _, text in said)}
    in_a_row = groupby(sender for sender, _ in said if sender in accounts and accounts[sender][1] in own)
    runs = Counter(sender for sender, _ in in_a_row)
    gone_back_to = {name for sender, name in names.items() if runs[sender] > 1}
    return {*names.values()} & (elsewhere | spoken_of | gone_back_to)


def _remark(remark: str, counts: Mapping[str, int], options: ReadOptions) -> None:
    if counts:
        options.remarks[remark.format(options.names[0], ", ".join(counts))] += sum(counts.values())
