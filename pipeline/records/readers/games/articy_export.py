"""An articy:draft export: its objects, the texts that it keeps apart from them, and how its flow goes.

articy:draft 3 writes one file, `{"Packages": [{"Models": [...]}]}`; articy:draft X a folder with a file of objects for
each package, `{"Objects": [...]}`, and the texts beside it, `{"DFr_1.Text": {"en": {"Text": "..."}}}`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.records.raw import ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.games.exports import document_beside, listed, namesakes, string_of
from pipeline.records.readers.games.flow import Flow
from pipeline.records.readers.tables.localisation import CHOSEN, language_for

OBJECTS, TEXTS = "package_*_objects.json", "*_localization.json"
DEFINITIONS = "object_definitions.json"
KEY = re.compile(r"[A-Za-z]{2,4}_[0-9A-F]{8}(?:\.\w+)+")  # of a text, where its object has no name of its own


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the export: its type, its id, its properties, and the features of its template."""

    kind: str
    id: str
    properties: Mapping[str, Any]
    template: Mapping[str, Any]

    @property
    def is_fragment(self) -> bool:
        """Whether somebody says it."""
        return "Speaker" in self.properties

    @property
    def is_container(self) -> bool:
        """Whether others lie in it, so that its first one comes after nothing that can be known."""
        return not self.is_fragment and any(
            isinstance(pin, Mapping) and pin.get("Connections") for pin in listed(self.properties, "InputPins")
        )


class Export:
    """The objects of a file, with those of the packages beside it, which may have its speakers."""

    def __init__(self, file: RawFile, document: Any, options: ReadOptions) -> None:
        self.nodes = list(nodes_of(document))
        beside = [] if "Packages" in document else [*_beside(file, OBJECTS)]
        self._all = {node.id: node for other in beside for node in nodes_of(other)} | {
            one.id: one for one in self.nodes
        }
        self._texts = dict(entry for texts in _beside(file, TEXTS) for entry in _items(texts))
        self._language = self._chosen(options)
        definitions = [document, *_beside(file, DEFINITIONS)] if "Packages" not in document else [document]
        self._definitions = [one for other in definitions for one in listed(other, "ObjectDefinitions")]
        said = {node.id for node in self.nodes if node.is_fragment}
        self.flow = Flow(_sources(self.nodes), said, {node.id for node in self.nodes if node.is_container})

    def get(self, id: Any) -> Node | None:
        """The object with the id."""
        return self._all.get(id) if isinstance(id, str) else None

    def fragment(self, id: str) -> Node:
        """The object with an id that the flow has."""
        return self._all[id]

    def text(self, node: Node, value: Any) -> str | None:
        """What a property of the node says; None where that is a key, and its text is not in the export."""
        if not isinstance(value, str):
            return ""
        if value in self._texts:
            found = self._texts[value].get(self._language)
            text = found.get("Text") if isinstance(found, Mapping) else None
            return string_of(text) if isinstance(text, str) else None
        is_own = (
            value.startswith(f"{node.properties.get('TechnicalName') or '?'}.")
            and value.replace(".", "").isidentifier()
        )
        return None if is_own or KEY.fullmatch(value) else string_of(value)

    def entities(self) -> set[str]:
        """The ids of whoever may speak: entities, by their type or that of their template, and all who do speak."""
        defined = [one for one in self._definitions if isinstance(one, Mapping) and one.get("Class") == "Entity"]
        kinds = {str(one.get("Type")) for one in defined}
        spoken = {
            node.properties["Speaker"]
            for node in self.nodes
            if node.is_fragment and isinstance(node.properties["Speaker"], str)
        }
        return {node.id for node in self._all.values() if node.kind in {*kinds, "Entity"}} | spoken

    def namesakes(self, names: Collection[str]) -> Iterator[str]:
        """A remark for each of those who speak, beside the first, that are displayed under one of the names."""
        spoken = {str(node.properties["Speaker"]) for node in self.nodes if node.is_fragment}
        shown = (self.text(node, node.properties.get("DisplayName")) for id, node in self._all.items() if id in spoken)
        return namesakes(shown, names)

    def labels(self, kind: str) -> dict[str, str]:
        """What the properties of a template are called, where that is not in another file."""
        found = {}
        for definition in self._definitions:
            if isinstance(definition, Mapping) and definition.get("Type") == kind:
                for feature in listed(definition.get("Template"), "Features"):
                    for one in listed(feature, "Properties"):
                        if isinstance(one, Mapping) and isinstance(one.get("DisplayName"), str):
                            found[str(one.get("Property"))] = one["DisplayName"]
        return {name: label for name, label in found.items() if not label.startswith("$")}

    def _chosen(self, options: ReadOptions) -> str:
        entries = (entry for entry in self._texts.values() if isinstance(entry, Mapping))
        names = list(
            dict.fromkeys(name for entry in entries for name, one in entry.items() if isinstance(one, Mapping))
        )
        chosen = language_for(names, options) or (names[0] if names else "")
        options.remarks[CHOSEN.format(chosen)] += len(names) > 1
        return chosen


def nodes_of(document: Any) -> Iterator[Node]:
    """The objects of a file."""
    in_packages = [one for package in listed(document, "Packages") for one in listed(package, "Models")]
    for one in [*in_packages, *listed(document, "Objects")]:
        properties = one.get("Properties") if isinstance(one, Mapping) else None
        if isinstance(properties, Mapping) and isinstance(properties.get("Id"), str):
            template = one.get("Template")
            yield Node(
                str(one.get("Type")), properties["Id"], properties, template if isinstance(template, Mapping) else {}
            )


def _sources(nodes: Sequence[Node]) -> Mapping[str, list[str]]:
    """From which nodes the flow goes to each."""
    found: dict[str, list[str]] = defaultdict(list)
    for node in nodes:
        pins = [*listed(node.properties, "OutputPins"), *(listed(node.properties, "InputPins"))]
        targets = [one.get("Target") for pin in pins for one in listed(pin, "Connections") if isinstance(one, Mapping)]
        for target in dict.fromkeys(one for one in (*targets, node.properties.get("Target")) if isinstance(one, str)):
            found[target].append(node.id)
    return found


def _beside(file: RawFile, pattern: str) -> Iterator[Any]:
    """The documents of the export's other files; one that is broken has nothing, and says so itself."""
    for path in sorted(file.path.parent.glob(pattern)):
        if path != file.path:
            yield document_beside(path)


def _items(texts: Any) -> Iterable[tuple[str, Any]]:
    return (
        (key, entry)
        for key, entry in (texts.items() if isinstance(texts, Mapping) else ())
        if isinstance(entry, Mapping)
    )
