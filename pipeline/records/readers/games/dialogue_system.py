"""Exports of Unity's Dialogue System (Pixel Crushers): entries by their actors' names, and actors' descriptions.

An entry has those before it that come before it whichever way the conversation went.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

from pipeline.records.clean import has_cjk
from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.games.dialogue_database import Database, Fields, database_of, is_database
from pipeline.records.readers.games.exports import namesakes
from pipeline.records.readers.scripts.script_lines import unquote
from pipeline.records.readers.scripts.script_turns import A_LOGIC, CHOICE, NARRATION, NO_SPEAKER, TOLD_BEHIND
from pipeline.records.readers.tables.localisation import CHOSEN, is_language, language_for

TEXT, MENU = "Dialogue Text", "Menu Text"
# Tags that show nothing of their own: emphasis, faces, panels and places.
TAG = re.compile(
    r"\[(?:/?em\d+|f|a|auto|nosubtitle|(?:panel|position|pic[ac]?|template|autocase)=[^\[\]]{0,40})\]", re.I
)
VALUE = re.compile(r"\[(?:var=|lua\()", re.IGNORECASE)
SPLIT = re.compile(r"\s*\|\s*")  # what parts a text into several subtitles
WITHOUT, NOT_TRANSLATED = "an entry without a text", "a text that is not translated"
WHY = "written about an actor"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is the database, in JSON or csv."""
    return is_database(file)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every entry that somebody says, with those that always come before it, and what is told of actors."""
    database = database_of(file)
    language = _language(database, options)
    turns = partial(_turn, str(file.path), database, language, options)
    spoken = {entry.get("Actor", "") for entry in database.entries.values() if entry.get(TEXT)}
    shown = (_name(actor, language) for id, actor in database.actors.items() if id in spoken)
    options.remarks.update(namesakes(shown, options.names))
    for id, entry in database.entries.items():
        if entry.get(TEXT) or entry.get(MENU):
            conversation = id.partition(".")[0]
            title, place = database.titles.get(conversation, ""), f"{file.path}#{conversation}"
            yield database.flow.line(id, turns, title=title, place=place, window=options.window)
    for id, actor in database.actors.items():
        text = _translated(actor, "Description", language)
        if text and (name := _name(actor, language)):
            where = f"{file.path}#actor.{id}"
            yield RawRecord(where, name, text, asked="Description", kind="background", why=WHY)


def _turn(path: str, database: Database, language: str | None, options: ReadOptions, id: str) -> RawTurn:
    """What an entry lets somebody say."""
    entry, source = database.entries[id], f"{path}#{id}"
    actor = database.actors.get(entry.get("Actor", ""))
    name = _name(actor, language) if actor else ""
    said = entry.get(TEXT, "")
    text = (entry.get(language) if language else said) or ""
    if not text and has_cjk(said) == has_cjk(options.character or said):
        text = said
    if not said:
        return RawTurn(source, name or UNNAMED, entry.get(MENU, ""), CHOICE)
    if not text:
        return RawTurn(source, name or UNNAMED, said, NOT_TRANSLATED)
    plain = SPLIT.sub("\n", TAG.sub("", text)).strip()
    reason = A_LOGIC if VALUE.search(text) else NARRATION if TOLD_BEHIND.fullmatch(plain) else "" if plain else WITHOUT
    return RawTurn(source, name or UNNAMED, unquote(plain), reason or ("" if name else NO_SPEAKER))


def _language(database: Database, options: ReadOptions) -> str | None:
    """The field with the texts in the language of the character's name, where there are translations to it."""
    fields = (name for entry in database.entries.values() for name, value in entry.items() if value)
    names = [name for name in dict.fromkeys(fields) if is_language(name)]
    chosen = language_for([*names, TEXT], options) if names else None
    options.remarks[CHOSEN.format(chosen or TEXT)] += bool(names)
    return chosen


def _name(actor: Fields, language: str | None) -> str:
    """The name that players see."""
    return _translated(actor, "Display Name", language) or _translated(actor, "Name", language)


def _translated(asset: Fields, name: str, language: str | None) -> str:
    return (asset.get(f"{name} {language}", "") if language else "") or asset.get(name, "")
