"""Documents of any shape, JSON, JSON lines, YAML or XML, as nested lists and mappings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions, UnknownFormError
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.cards.webui_character import YAML, yaml_document
from pipeline.records.readers.rows import json_rows
from pipeline.records.readers.rows.row_forms import form_of, read_rows
from pipeline.records.shape import describe_shape

XML = (".xml",)


def is_document(file: RawFile) -> bool:
    """Whether it is JSON, or its name says that it is YAML or XML."""
    return bool(file.encoding) and (recognises(file, ReadOptions()) or json_rows.recognises(file, ReadOptions()))


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether its name says that it is YAML or XML."""
    return bool(file.encoding) and file.path.suffix.lower() in (*YAML, *XML)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of a YAML list of rows.

    Raises:
        UnknownFormError: it is of another shape; says which, and guesses the map for it.
    """
    document = next(documents(file))[1]
    if isinstance(document, list) and document and all(isinstance(one, dict) and form_of(one) for one in document):
        yield from read_rows(((f"{file.path}#{n}", row) for n, row in enumerate(document)), options)
        return
    raise UnknownFormError(
        file.path, "is not a list of records", fix=describe_shape([document], file.path.name, options.names)
    )


def documents(file: RawFile) -> Iterator[tuple[str, Any]]:
    """(place, value) of the file's document, or of each line of JSON lines.

    Raises:
        UnderstudyError: it is broken.
    """
    suffix = file.path.suffix.lower()
    if suffix in YAML:
        yield str(file.path), yaml_document(file)
    elif suffix in XML:
        yield str(file.path), xml_document(file)
    else:
        yield from json_rows.json_documents(file)


def xml_document(file: RawFile) -> Any:
    """The XML as mappings: attributes and lists of children by name; the text beside them is called text.

    Raises:
        UnderstudyError: it is broken, or has entities of its own, which a few lines can make endless.
    """
    from xml.parsers.expat import ExpatError

    import xmltodict

    text = file.text()
    # The text is decoded already, so what its declaration says of the encoding is no longer true.
    body = text[text.index("?>") + 2 :] if text.lstrip().startswith("<?xml") and "?>" in text else text
    try:
        return xmltodict.parse(body.strip(), force_list=True, attr_prefix="", cdata_key="text")
    except ExpatError as error:
        line = text.count("\n", 0, len(text) - len(body.lstrip())) + error.lineno
        what = str(error).split(":")[0]
        raise UnderstudyError(
            f"{file.path}:{line}:{error.offset + 1}", f"is broken XML ({what})", fix="repair it there"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UnderstudyError(file.path, f"is refused XML ({error})", fix="write its entities out") from error
