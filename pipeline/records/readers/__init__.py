"""Every form of raw file, recognised by its content. A new one is a file below and a line of `READERS`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile, open_raw
from pipeline.records.readers.cards import card, charx, exif_card, foundry, lorebook, png_card, webui_character
from pipeline.records.readers.chats import (
    chat_log,
    chat_table,
    copied_chat,
    dice,
    discord,
    discord_html,
    ptt,
    qq_archive,
    telegram,
    telegram_html,
    timed_log,
    webui_log,
    whatsapp,
)
from pipeline.records.readers.games import articy, dialogue_system, ink, rpg_maker
from pipeline.records.readers.pages import asked, labelled_page, page, profile_script
from pipeline.records.readers.rows import arrow, documents, json_rows, mapped, parquet, voice_index
from pipeline.records.readers.scripts import (
    prose,
    renpy,
    screenplay,
    subtitles,
    transcript,
    twine,
    video_subtitles,
    wiki_script,
    yarn,
)
from pipeline.records.readers.tables import excel, localised_document, word
from pipeline.records.readers.tables import table as csv_table
from pipeline.records.readers.unknown import EXAMPLE, why_unknown
from pipeline.records.readers.web import web_page
from pipeline.records.readers.web.saved_beside import saved_beside


@dataclass(frozen=True, slots=True)
class Reader:
    """A form of file: its name, how it is recognised, and how it is read."""

    name: str
    recognises: Callable[[RawFile, ReadOptions], bool]
    read: Callable[[RawFile, ReadOptions], Iterator[RawRecord]]


# The first that recognises a file reads it.
READERS: tuple[Reader, ...] = (
    Reader("document with a map", mapped.recognises, mapped.read),
    Reader("character card in a .charx", charx.recognises, charx.read),
    Reader("character card in a JPEG or WebP", exif_card.recognises, exif_card.read),
    Reader("character card in a PNG", png_card.recognises, png_card.read),
    Reader("Excel workbook", excel.recognises, excel.read),
    Reader("Word document", word.recognises, word.read),
    Reader("parquet", parquet.recognises, parquet.read),
    Reader("arrow", arrow.recognises, arrow.read),
    Reader("Telegram chat in HTML", telegram_html.recognises, telegram_html.read),
    Reader("Discord channel in HTML", discord_html.recognises, discord_html.read),
    Reader("QQ chat in a web archive", qq_archive.recognises, qq_archive.read),
    Reader("Twine story", twine.recognises, twine.read),
    Reader("web page", web_page.recognises, web_page.read),
    Reader("chat history", chat_log.recognises, chat_log.read),
    Reader("character card", card.recognises, card.read),
    Reader("text-generation-webui, Pygmalion or Agnai character", webui_character.recognises, webui_character.read),
    Reader("text-generation-webui chat", webui_log.recognises, webui_log.read),
    Reader("lorebook", lorebook.recognises, lorebook.read),
    Reader("voice index", voice_index.recognises, voice_index.read),
    Reader("subtitles of a web player", video_subtitles.recognises, video_subtitles.read),
    Reader("Foundry actor or journal", foundry.recognises, foundry.read),
    Reader("Discord channel", discord.recognises, discord.read),
    Reader("Telegram chat", telegram.recognises, telegram.read),
    Reader("Ink script", ink.recognises, ink.read),
    Reader("localisation", localised_document.recognises, localised_document.read),
    Reader("articy:draft export", articy.recognises, articy.read),
    Reader("Dialogue System database", dialogue_system.recognises, dialogue_system.read),
    Reader("RPG Maker data", rpg_maker.recognises, rpg_maker.read),
    Reader("JSON records", json_rows.recognises, json_rows.read),
    Reader("YAML or XML", documents.recognises, documents.read),
    Reader("Ren'Py script", renpy.recognises, renpy.read),
    Reader("Yarn script", yarn.recognises, yarn.read),
    Reader("subtitles", subtitles.recognises, subtitles.read),
    Reader("chat in a table", chat_table.recognises, chat_table.read),
    Reader("table", csv_table.recognises, csv_table.read),
    Reader("post of PTT", ptt.recognises, ptt.read),
    Reader("chat of a tabletop game", dice.recognises, dice.read),
    Reader("WhatsApp chat", whatsapp.recognises, whatsapp.read),
    Reader("chat with times", timed_log.recognises, timed_log.read),
    Reader("script or questions below a profile", profile_script.recognises, profile_script.read),
    Reader("questions and answers", asked.recognises, asked.read),
    Reader("wiki's page of lines", wiki_script.recognises, wiki_script.read),
    Reader("page about the character", labelled_page.recognises, labelled_page.read),
    Reader("chat copied without times", copied_chat.recognises, copied_chat.read),
    Reader("screenplay", screenplay.recognises, screenplay.read),
    Reader("prose fiction", prose.recognises, prose.read),
    Reader("transcript", transcript.recognises, transcript.read),
    Reader("page about the character", page.recognises, page.read),
)


MOST_NAMED = 4


@dataclass(frozen=True, slots=True)
class RecognisedFile:
    """A file and the reader for it; `found` says that it was found in a folder, and not named itself.

    `broken` is the error because of which no reader could be chosen.
    """

    file: RawFile
    reader: Reader
    found: bool = False
    broken: UnderstudyError | None = None

    def records(self, options: ReadOptions) -> Iterator[RawRecord]:
        """Every raw record of the file, in its order.

        Raises:
            UnderstudyError: the file is broken.
        """
        if self.broken:
            raise self.broken
        return self.reader.read(self.file, options)


def find_files(paths: Sequence[Path], options: ReadOptions) -> tuple[list[RecognisedFile], list[Path]]:
    """The files to read, and those passed over because no reader knows them; folder trees are walked in order.

    Raises:
        UnderstudyError: a path does not exist, or holds no file that a reader knows.
    """
    known: dict[Path, RecognisedFile] = {}
    passed_over: list[Path] = []
    for path in paths:
        if not path.exists():
            seen = "" if path.is_absolute() else f", seen from {Path.cwd()}"
            what = f"does not exist{seen}"
            raise UnderstudyError(path, what, fix="put the raw files there, or correct `raw` in the recipe")
        below = files_below(path)
        beside = saved_beside(below)
        below = [file for file in below if beside.isdisjoint(file.parents)]
        found = [
            (file, _recognise_found(file, path, options) if path.is_dir() else recognise(file, options))
            for file in below
        ]
        if not any(one for _, one in found):
            raise _none_known(path, below)
        known |= {file: replace(one, found=path.is_dir()) for file, one in found if one}
        passed_over += [*(file for file, one in found if not one), *sorted(beside)]
    return list(known.values()), passed_over


def files_below(path: Path) -> list[Path]:
    """The file itself, or the files of a folder tree in order; hidden ones and those in hidden folders are left out.

    Raises:
        UnderstudyError: a folder cannot be read.
    """
    if not path.is_dir():
        return [path]
    found: list[Path] = []
    try:
        for folder, below, names in os.walk(path, onerror=_raise):
            below[:] = [name for name in below if not name.startswith(".")]
            files = (Path(folder, name) for name in names if not name.startswith("."))
            found += [file for file in files if file.is_file()]
    except OSError as error:
        where, what = error.filename or path, f"cannot be read ({error.strerror})"
        raise UnderstudyError(where, what, fix="correct its permissions, or leave it out of the raw files") from error
    return sorted(found)


def _raise(error: OSError) -> None:
    raise error


def recognise(path: Path, options: ReadOptions, root: Path | None = None) -> RecognisedFile | None:
    """The file, found in the folder `root`, with the reader for it, if there is one."""
    file = replace(open_raw(path), root=root)
    for reader in READERS:
        if reader.recognises(file, options):
            return RecognisedFile(file, reader)
    return None


def _recognise_found(path: Path, root: Path, options: ReadOptions) -> RecognisedFile | None:
    """The same of a file in a folder, where a broken one does not end the whole, unless it should."""
    try:
        return recognise(path, options, root)
    except UnderstudyError as error:
        if options.strict:
            raise
        return RecognisedFile(RawFile(path, b"", None, root), READERS[-1], broken=error)


def _none_known(path: Path, below: Sequence[Path]) -> UnderstudyError:
    """What is wrong with a path without a file that a reader knows."""
    if not below:
        return UnderstudyError(path, "holds no file", fix="put the raw files there")
    if below == [path]:
        why, _, fix = why_unknown(path).partition(": ")
        fix = fix or f"write it as one of the forms of docs/formats.md, such as {EXAMPLE}"
        return UnderstudyError(path, f"holds no raw file: {why}", fix=fix)
    some = ", ".join(f"{file.name} ({why_unknown(file)})" for file in below[:MOST_NAMED])
    some += f" and {len(below) - MOST_NAMED} more" * (len(below) > MOST_NAMED)
    fix = f"name one of them to see more, or write them as the forms of docs/formats.md, such as {EXAMPLE}"
    return UnderstudyError(path, f"holds no raw file among its {len(below)} files: {some}", fix=fix)
