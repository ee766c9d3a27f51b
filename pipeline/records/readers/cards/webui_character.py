"""Characters of text-generation-webui (YAML), Pygmalion (JSON) and Agnai (JSON), read as the cards that they would be.

None of the three has a written specification: the keys are those of the programs' own exports.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import UnderstudyError
from pipeline.records.raw import RawRecord, ReadOptions, mapping
from pipeline.records.raw_file import RawFile, first_char
from pipeline.records.readers.cards.card import BOOK, read_card
from pipeline.records.readers.rows.json_rows import json_document
from pipeline.records.readers.rows.row_keys import count_unused

YAML = (".yaml", ".yml")
KEY = re.compile(r'^["\']?(\w+)["\']?\s*:', re.MULTILINE)  # at the left edge, so of the outermost mapping
# A character has one of these sets of keys.
MARKS = ({"name", "context", "greeting"}, {"char_name", "char_persona"}, {"char_name", "char_greeting"})
JSON_MARKS = (*MARKS, {"name", "sampleChat"})
YAML_MARKS = (*MARKS, {"name", "context"}, {"name", "greeting"}, {"char_name"})  # where the name says that it is YAML
# The fields of a card, under the names that these programs have for them.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "char_name"),
    "description": ("context", "char_persona", "persona"),
    "scenario": ("world_scenario", "scenario"),
    "first_mes": ("greeting", "char_greeting"),
    "mes_example": ("example_dialogue", "sampleChat"),
    "alternate_greetings": ("alternateGreetings",),
    "creator_notes": ("description",),
    "system_prompt": ("systemPrompt",),
    "post_history_instructions": ("postHistoryInstructions",),
    BOOK: ("characterBook",),
}
THE_USERS_NAME = "your_name"
USES = frozenset(key for keys in FIELDS.values() for key in keys) | {THE_USERS_NAME}
EXAMPLE = re.compile(r"^\s*(?:<START>|(?:\{\{\s*(?:user|char)\s*\}\}|<USER>|<BOT>)\s*:)", re.MULTILINE | re.IGNORECASE)
MAX_JSON = 1 << 22  # bytes of a character: a larger file is of another form
MAX_YAML = 1 << 20  # characters: the parser needs seconds for so many
MAX_DEPTH = 20  # of collections in one another: the parser's time grows with its square, and a character has 1
NOTHING = ("~", "null")


def recognises(file: RawFile, _: ReadOptions) -> bool:
    """Whether it is a mapping, in YAML or JSON, with the keys of a character."""
    if not file.encoding or file.path.suffix.lower() in (".jsonl", ".ndjson"):
        return False
    if first_char(file) == "{":
        return _is_json_character(file)
    head = file.beginning
    marks_of = YAML_MARKS if file.path.suffix.lower() in YAML else MARKS
    return any(marks <= set(KEY.findall(head)) for marks in marks_of)


def _is_json_character(file: RawFile) -> bool:
    """Whether it is one JSON object with a character's keys, and not only somewhere below, as a program's settings."""
    if file.path.stat().st_size > MAX_JSON:
        return False
    try:
        document = json.loads(file.text())
    except (ValueError, RecursionError, UnderstudyError):
        return False  # the reader of JSON says where it is broken
    return isinstance(document, dict) and any(marks <= document.keys() for marks in JSON_MARKS)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """The records of the character.

    Raises:
        UnderstudyError: it is broken, or has no name.
    """
    source = str(file.path)
    document = json_document(file) if first_char(file) == "{" else yaml_document(file)
    character = mapping(source, document)
    count_unused(source, character, USES - _second_keys(character), options.unused_keys)
    yield from read_card(source, as_card(character), options)


def _second_keys(character: Mapping[str, Any]) -> set[str]:
    """The keys that are not read, since another one has that field, with another content."""
    given = [[key for key in keys if character.get(key)] for keys in FIELDS.values()]
    return {key for first, *others in filter(None, given) for key in others if character[key] != character[first]}


def as_card(character: Mapping[str, Any]) -> dict[str, Any]:
    """The character's fields under a card's names; examples within its description are examples of the card."""
    given = {field: [character[key] for key in keys if character.get(key)] for field, keys in FIELDS.items()}
    card = {field: values[0] for field, values in given.items() if values}
    if isinstance(card.get("description"), Mapping):
        card["description"] = _persona(card["description"])
    examples = [card.get("mes_example")]
    if isinstance(card.get("description"), str) and (begin := EXAMPLE.search(card["description"])):
        examples.insert(0, card["description"][begin.start() :])
        card["description"] = card["description"][: begin.start()]
    if all(isinstance(text, str | None) for text in examples):
        user = character.get(THE_USERS_NAME)
        name = re.escape(user) if isinstance(user, str) and user else "You"
        spoken = re.compile(rf"^\s*(?:{name}|You)\s*:", re.MULTILINE)
        card["mes_example"] = spoken.sub("{{user}}:", "\n<START>\n".join(text for text in examples if text))
    return card


def _persona(persona: Mapping[str, Any]) -> str | Mapping[str, Any]:
    """The text of Agnai's persona, {"kind", "attributes": {name: [texts]}}; itself if it is of another form."""
    attributes = persona.get("attributes")
    if not isinstance(attributes, Mapping):
        return persona
    listed = {name: texts for name, texts in attributes.items() if isinstance(texts, list)}
    joined = {name: ", ".join(text for text in texts if isinstance(text, str)) for name, texts in listed.items()}
    return "\n".join(text if name == "text" else f"{name}: {text}" for name, text in joined.items() if text)


def yaml_document(file: RawFile) -> Any:
    """The file as one YAML value whose scalars are all strings: a name may be `On` or `1871`.

    Raises:
        UnderstudyError: it is no YAML, too long, too deep, or has aliases, which a few lines can make endless.
    """
    import yaml

    text = file.text()
    if len(text) > MAX_YAML:
        raise UnderstudyError(file.path, f"is longer than {MAX_YAML >> 10} KiB", fix="write it as JSON")
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                raise UnderstudyError(file.path, f"is nested over {MAX_DEPTH} deep", fix="do not trust this file")
            if isinstance(event, yaml.AliasEvent):
                raise UnderstudyError(file.path, "has an alias (*name)", fix="write the text again in its place")
        value = yaml.BaseLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{file.path}:{mark.line + 1}:{mark.column + 1}" if mark else str(file.path)
        raise UnderstudyError(where, f"is broken YAML ({error.problem})", fix="repair that place") from error
    except (yaml.YAMLError, ValueError) as error:
        what = " ".join(str(error).split())[:200]
        raise UnderstudyError(file.path, f"is broken YAML ({what})", fix="repair it") from error
    if isinstance(value, dict):
        return {key: "" if text in NOTHING else text for key, text in value.items()}
    return value
