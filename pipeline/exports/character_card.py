"""A character card, V3 and V2, as JSON and in a PNG, by which a front end like SillyTavern builds the trained prompt.

Specifications: github.com/kwaroran/character-card-spec-v3, github.com/malfoyslastname/character-card-spec-v2. A front
end writes the card's system prompt, description, personality, scenario and lorebook into every prompt, so of these the
card has the system prompt alone: what the character is, is in the model. Those of an imported card, and what front ends
of their own have below `extensions` for the prompt, are set aside, and all its other fields stay.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from pipeline.atomic_io import write_json
from pipeline.errors import UnderstudyError
from pipeline.records.raw_file import RawFile, open_raw
from pipeline.records.readers.cards.png_card import KEYWORDS, SIGNATURE, card_chunks, decode_card
from pipeline.records.readers.rows.json_rows import json_document

V2, V3 = ("chara_card_v2", "2.0"), ("chara_card_v3", "3.0")
# What a front end would add to the trained prompt; the value is a field that adds nothing.
PROMPT_FIELDS: Mapping[str, Any] = {
    "description": "", "personality": "", "scenario": "", "mes_example": "", "post_history_instructions": "",
    "character_book": None,
}  # fmt: skip
EMPTY: Mapping[str, Any] = {
    "first_mes": "", "creator_notes": "", "alternate_greetings": [], "tags": [], "creator": "",
    "character_version": "", "extensions": {},
}  # fmt: skip
PROMPT_EXTENSIONS = ("depth_prompt", "world")  # SillyTavern's: a text put among the last messages; a linked lorebook
EXTENSION = "understudy"
CARD_V2, CARD_V3, PORTRAIT = "card_v2.json", "card_v3.json", "card.png"
PORTRAIT_SIZE = (400, 600)  # pixels, as front ends show them


def save_cards(name: str, system_prompt: str, notes: str, folder: Path, imported: Path | None) -> list[str]:
    """The folder holds the card in both versions and in a PNG.

    `imported` is a card whose other fields and picture stay.
    Gives the names of the fields that were set aside.

    Raises:
        UnderstudyError: the imported file is no card in JSON or PNG.
    """
    before: Mapping[str, Any] = _read_card(imported) if imported else {}
    data, set_aside = _card_data(before, name, system_prompt, notes)
    around = _around(before) if "data" in before else {}
    cards = {version: around | {"spec": version[0], "spec_version": version[1], "data": data} for version in (V2, V3)}
    cards[V3]["data"] = {"group_only_greetings": []} | data
    write_json(folder / CARD_V2, cards[V2])
    write_json(folder / CARD_V3, cards[V3])
    _save_portrait(folder / PORTRAIT, imported, name, cards[V2], cards[V3])
    for file in (CARD_V2, CARD_V3, PORTRAIT):
        if _read_card(folder / file)["data"]["system_prompt"] != system_prompt:
            raise UnderstudyError(folder / file, "does not read back as it was written", fix="report this")
    return set_aside


def _around(before: Mapping[str, Any]) -> dict[str, Any]:
    """What an imported card has beside its fields: some programs repeat a V1 card's there, of which none is told."""
    around = {key: value for key, value in before.items() if key != "data"}
    return around | {key: value for key, value in PROMPT_FIELDS.items() if key in around}


def _card_data(
    before: Mapping[str, Any], name: str, system_prompt: str, notes: str
) -> tuple[dict[str, Any], list[str]]:
    """The card's fields, and the names of those that are set aside."""
    fields = copy.deepcopy(dict(before.get("data", before)))
    extensions = dict(fields.get("extensions") or {})
    set_aside = {key: fields[key] for key in (*PROMPT_FIELDS, "system_prompt") if fields.get(key)}
    set_aside |= {key: extensions.pop(key) for key in PROMPT_EXTENSIONS if extensions.get(key)}
    data = dict(EMPTY) | fields | {"name": name, "system_prompt": system_prompt, "extensions": extensions}
    data |= {key: value for key, value in PROMPT_FIELDS.items() if value is not None}
    data.pop("character_book", None)
    data["creator_notes"] = data["creator_notes"] or notes
    if set_aside:
        data["extensions"] = {**extensions, EXTENSION: {"set_aside": set_aside}}
    return data, list(set_aside)


def _read_card(path: Path) -> dict[str, Any]:
    """The card in a JSON or PNG file, as it stands there."""
    file = open_raw(path)
    card = _card_of_png(file) if file.head.startswith(SIGNATURE) else json_document(file) if file.encoding else None
    if not isinstance(card, dict) or not isinstance(card.get("data", card), dict):
        raise UnderstudyError(path, "is no character card in JSON or PNG", fix="export the card again, as one of them")
    return card


def _card_of_png(file: RawFile) -> Any:
    found = card_chunks(file)
    return next((decode_card(file, keyword, found[keyword]) for keyword in KEYWORDS if keyword in found), None)


def _save_portrait(path: Path, imported: Path | None, name: str, card_v2: Any, card_v3: Any) -> None:
    """A PNG with both cards in it: the imported picture, else one plain colour, which the name decides."""
    chunks = PngInfo()
    for keyword, card in (("chara", card_v2), ("ccv3", card_v3)):
        chunks.add_text(keyword, base64.b64encode(json.dumps(card, ensure_ascii=False).encode()).decode())
    if imported and open_raw(imported).head.startswith(SIGNATURE):
        with Image.open(imported) as picture:
            picture.save(path, "PNG", pnginfo=chunks)
        return
    red, green, blue = (64 + byte // 2 for byte in hashlib.sha256(name.encode()).digest()[:3])
    Image.new("RGB", PORTRAIT_SIZE, (red, green, blue)).save(path, "PNG", pnginfo=chunks)
