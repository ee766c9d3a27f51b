"""articy:draft's exports (JSON): dialogue fragments by the names of their speakers, and what is told of entities.

A fragment has those before it that come before it in every run of the flow. See
https://www.articy.com/help/adx/Exports_JSON.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from pipeline.records.raw import UNNAMED, RawRecord, RawTurn, ReadOptions, UnknownFormError, mapping
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.games.articy_export import TEXTS, Export, Node
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.scripts.script_lines import LABEL, unquote
from pipeline.records.readers.scripts.script_turns import A_LOGIC, NARRATION, NO_SPEAKER, TOLD_BEHIND
from pipeline.records.readers.tables.people_table import profile

SETTINGS = ('"set_IncludedNodes"', '"set_UseScriptSupport"', '"set_TextFormatter"')
OBJECTS = re.compile(r'\{\s*"Objects"\s*:\s*\[\s*\{\s*"Type"\s*:')
LOCALISED = re.compile(r'\{\s*"[^"]*"\s*:\s*\{\s*"[^"]*"\s*:\s*\{\s*"Text"\s*:')
PACKAGES = ('"Packages"', '"Models"', '"TechnicalName"')
NOBODY = re.compile(r"0x0+|")
VARIABLE = re.compile(r"\[\$?[A-Za-z_]\w*\.\w[^\[\]]*\]")  # [Game.Gold], which the game puts a value for
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
# Words of properties for those who make the game, and for its programs.
OURS = frozenset({
    "note", "notes", "comment", "comments", "todo", "voice", "actor", "cast", "audio", "colour", "color", "id", "path",
    "file", "tag", "tags", "condition", "script", "python", "accent", "asset", "animation", "prefab", "technical",
})  # fmt: skip
ATTRIBUTES = frozenset(
    {"age", "species", "born in", "occupation", "sex", "race", "gender", "height", "title", "nickname"}
)
MEASURES, LARGEST = ("age", "height", "weight"), 1e6
SENTENCE = re.compile(r"[.!?。！？…\n]|\S+(?:\s+\S+){4}|[\u3400-\u9fff，]{12}")
MISSING, NOT_THERE = "a text that the export keeps in another file", "a speaker whom the export does not have"
DESCRIBED, WITHOUT = "a description of the flow", "a fragment without a text"
WHY = "written about an entity"


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is an export, one of its files of objects, or the list of its files."""
    if not file.encoding:
        return False
    head = file.beginning.lstrip("\ufeff \t\r\n")
    if OBJECTS.match(head):
        return '"TechnicalName"' in head
    if file.path.match(TEXTS):
        return LOCALISED.match(head) is not None
    return head.startswith("{") and (any(key in head for key in SETTINGS) or all(key in head for key in PACKAGES))


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Every fragment with those that always come before it, the descriptions of entities, and the rest set aside.

    Raises:
        UnknownFormError: it is the list of an export's files, or has none of these.
    """
    document = mapping(str(file.path), json_document(file))
    export = Export(file, document, options)
    if not export.nodes and file.path.match(TEXTS):
        what = "is the texts of an articy:draft export, which are read with its objects"
        raise UnknownFormError(file.path, what, fix="name the export's folder")
    if not export.nodes:
        what = "is of an articy:draft export, and has none of its objects"
        fix = "name the export's folder, so that its package_..._objects.json are read"
        raise UnknownFormError(file.path, what, fix=fix)
    entities = export.entities()
    options.remarks.update(export.namesakes(options.names))
    for node in export.nodes:
        if node.is_fragment:
            yield _line(file, export, node, options)
        elif node.id in entities:
            yield from _told(file, export, node, options)
        elif text := export.text(node, node.properties.get("Text")):
            yield RawRecord(f"{file.path}#{node.id}", UNNAMED, text, unusable=DESCRIBED)


def _line(file: RawFile, export: Export, node: Node, options: ReadOptions) -> RawRecord:
    """The fragment as a line, after those that always come before it."""
    for key in ("MenuText", "StageDirections"):
        if export.text(node, node.properties.get(key)):
            options.unused_keys[key] += 1
    parent = export.get(node.properties.get("Parent"))
    title = (export.text(parent, parent.properties.get("DisplayName")) if parent else "") or ""
    place = f"{file.path}#{parent.id if parent else node.id}"
    turns = partial(_turn, file, export)
    return export.flow.line(node.id, turns, title=title, place=place, window=options.window)


def _turn(file: RawFile, export: Export, id: str) -> RawTurn:
    """What the fragment with the id lets somebody say."""
    node = export.fragment(id)
    source, text = f"{file.path}#{node.id}", export.text(node, node.properties.get("Text"))
    name, reason = _speaker(export, node.properties["Speaker"])
    if text is None:
        return RawTurn(source, name, str(node.properties.get("Text")), MISSING)
    if not text:
        return RawTurn(source, name, "", WITHOUT)
    is_told = TOLD_BEHIND.fullmatch(text) is not None
    return RawTurn(
        source, name, unquote(text), reason or (A_LOGIC if VARIABLE.search(text) else NARRATION if is_told else "")
    )


def _speaker(export: Export, id: Any) -> tuple[str, str]:
    """The name of an entity; the reason where there is none."""
    if not isinstance(id, str) or NOBODY.fullmatch(id):
        return UNNAMED, NO_SPEAKER
    entity = export.get(id)
    name = export.text(entity, entity.properties.get("DisplayName")) if entity else ""
    return (name, "") if name else (UNNAMED, NOT_THERE)


def _told(file: RawFile, export: Export, node: Node, options: ReadOptions) -> Iterator[RawRecord]:
    """An entity's description, what its template's properties tell of it, and its attributes as one passage."""
    name = export.text(node, node.properties.get("DisplayName"))
    place, attributes = f"{file.path}#{node.id}", dict[str, str]()
    if not name:
        return
    if text := export.text(node, node.properties.get("Text")):
        yield RawRecord(place, name, text, asked="Description", kind="background", why=WHY)
    for key, label, text in _features(export, node):
        words = {*label.lower().split(), *_words(key).lower().split()}
        if not OURS & words and SENTENCE.search(text):
            yield RawRecord(f"{place}.{key}", name, text, asked=label, kind="background", why=WHY)
        elif not OURS & words and (_words(key).lower() in ATTRIBUTES or LABEL.fullmatch(label)):
            attributes[label] = text
        else:
            options.unused_keys[key] += 1
    if attributes:
        yield replace(profile(f"{place}.Template", name, attributes), why=WHY)


def _features(export: Export, node: Node) -> Iterator[tuple[str, str, str]]:
    """(key, label, text) of each property of the template that has a text."""
    labels = export.labels(node.kind)
    features = [feature for feature in node.template.values() if isinstance(feature, dict)]
    for key, value in (entry for feature in features for entry in feature.items()):
        if text := _text_of(export, node, _words(key), value):
            yield key, labels.get(key, _words(key)), text


def _words(key: str) -> str:
    return " ".join(WORD.findall(key))


def _text_of(export: Export, node: Node, words: str, value: Any) -> str:
    """The text of a property: a string, or a number that is a measure; others stand for one of several words."""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return f"{value:g}" if words.lower() in MEASURES and 0 < value < LARGEST else ""
    return export.text(node, value) or ""
