"""A file of nested data as one value: JSON, JSON lines, YAML or XML."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree as ET

from pipeline.errors import UnderstudyError
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.json_rows import json_document, json_lines
from pipeline.records.readers.webui_character import yaml_document

YAML_SUFFIXES = (".yaml", ".yml")
TEXT = "#text"  # the key of an element's own text


def is_document(file: RawFile) -> bool:
    """Whether it is text that may be nested data."""
    return bool(file.encoding) and (first_char(file) in ("[", "{", "<") or _is_yaml(file))


def document_of(file: RawFile) -> Any:
    """The file's value; lines of JSON are a list.

    Raises:
        UnderstudyError: it is broken.
    """
    if _is_yaml(file):
        return yaml_document(file)
    if first_char(file) == "<":
        return _xml(file)
    try:
        return json.loads(file.text())
    except (ValueError, RecursionError):
        rows = json_lines(file)
        first = next(rows, None) if first_char(file) == "{" and "\n" in file.text().strip() else None
        return json_document(file) if first is None else [first[1], *(value for _, value in rows)]


def _is_yaml(file: RawFile) -> bool:
    return file.path.suffix.lower() in YAML_SUFFIXES


def _xml(file: RawFile) -> dict[str, Any]:
    """The root element: attributes and children under their names, children always in lists.

    Raises:
        UnderstudyError: it is no XML, or defines entities.
    """
    text = file.text()
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnderstudyError(file.path, "defines a document type or entities", fix="take <!DOCTYPE ...> out")
    try:
        return _element(ET.fromstring(text))  # noqa: S314 - without a document type there are no entities to grow
    except ET.ParseError as error:
        line, column = error.position
        raise UnderstudyError(
            f"{file.path}:{line}:{column + 1}", f"is broken XML ({error.msg})", fix="repair it"
        ) from error


def _element(element: ET.Element) -> dict[str, Any]:
    fields: dict[str, Any] = dict(element.attrib)
    if element.text and element.text.strip():
        fields[TEXT] = element.text.strip()
    for child in element:
        fields.setdefault(child.tag, []).append(_element(child))
    return fields
