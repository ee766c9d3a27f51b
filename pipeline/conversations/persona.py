"""The prompt contract: every prompt of a character, in training, recall, chat and export, comes from its persona."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline.errors import UnderstudyError

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
PERSONA_FILE = "persona.json"
CONTRACT = ("name", "language", "instructions")  # the fields of a persona that its prompts depend on


@dataclass(frozen=True, slots=True)
class Instructions:
    """The system prompt for each kind of record, and the one that chat uses. `{character}` is replaced by the name."""

    background: str
    setting_qa: str
    dialogue: str
    chat: str


INSTRUCTIONS: Mapping[Language, Instructions] = {
    "en": Instructions(
        background="What follows is background and lore about {character}.",
        setting_qa="You are {character}. Answer the question from your background.",
        dialogue="You are {character}. Speak with {character}'s tone, habits and temper.",
        chat="You are {character}. Stay true to your background and your voice.",
    ),
    "zh": Instructions(
        background="以下是关于{character}的背景故事和设定描述。",
        setting_qa="你现在是{character}。请根据你的背景设定回答问题。",
        dialogue="你现在是{character}。请模仿{character}的语气、口癖和性格进行对话。",
        chat="你现在是{character}。请用{character}的语气说话，并忠于自己的背景设定。",
    ),
}
# The user turn before a line when the raw file has none: its scene, or nothing but a cue.
SCENE_CUE: Mapping[Language, str] = {"en": "(Scene: {title})", "zh": "（场景：{title}）"}
BARE_CUE: Mapping[Language, str] = {"en": "(Say something.)", "zh": "（说点什么吧。）"}


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sampling parameters of chat, unless others are given."""

    temperature: float = 0.7
    top_p: float = 0.9
    repetition_penalty: float = 1.1
    max_new_tokens: int = 160


@dataclass(frozen=True, slots=True)
class Persona:
    """A character as its prompts show it."""

    name: str
    language: Language
    instructions: Instructions
    sampling: Sampling = Sampling()

    def system(self, purpose: Literal["background", "setting_qa", "dialogue", "chat"]) -> str:
        """The system prompt for a kind of record, or for chat."""
        return str(getattr(self.instructions, purpose)).replace("{character}", self.name)

    def cue(self, title: str) -> str:
        """The user turn before a line whose real one is unknown."""
        return SCENE_CUE[self.language].replace("{title}", title) if title else BARE_CUE[self.language]


def make_persona(name: str, language: str, overrides: Mapping[str, str | None]) -> Persona:
    """The persona with the language's default instructions, but for those that `overrides` gives.

    Raises:
        UnderstudyError: no instructions exist for the language.
    """
    for known in LANGUAGES:
        if known == language:
            given = {purpose: text for purpose, text in overrides.items() if text}
            return Persona(name, known, Instructions(**(asdict(INSTRUCTIONS[known]) | given)))
    raise UnderstudyError("language", f"{language!r} has no prompts", fix=f"use one of {', '.join(LANGUAGES)}")


def save_personas(personas: Sequence[Persona], folder: Path, *, template: str) -> None:
    """Write the personas, with digests that show later whether they and the chat template are still what was trained.

    The file of a single one is its fields; that of several lists them under `personas`.
    """
    trained_with = {"template": _sha256(template)}
    if len(personas) == 1:
        fields = asdict(personas[0]) | trained_with
    else:
        fields = {"personas": [asdict(persona) for persona in personas]} | trained_with
    content = json.dumps(fields | {"digest": _digest(fields)}, ensure_ascii=False, indent=2)
    (folder / PERSONA_FILE).write_text(content + "\n", encoding="utf-8")


def load_personas(folder: Path, *, template: str | None = None) -> tuple[Persona, ...]:
    """The personas saved beside an adapter; `template`, where it is given, has to be that of the training too.

    Raises:
        UnderstudyError: there is none, it is broken, or its prompts or the template are no longer the training's.
    """
    path = folder / PERSONA_FILE
    if not path.is_file():
        raise UnderstudyError(path, "is not there", fix="name a folder that `understudy train` has written")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        digest, trained_with = fields.pop("digest"), fields["template"]
        personas = tuple(map(_persona, fields.get("personas", [fields])))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnderstudyError(path, f"is no persona ({error})", fix="restore the file that training wrote") from error
    if digest != _digest(fields):
        raise UnderstudyError(
            path,
            "was changed by hand since the training, so its prompts may not be those that the model learnt",
            fix="restore the file, or change the prompts in the recipe and train again",
        )
    if template is not None and trained_with != _sha256(template):
        raise UnderstudyError(
            folder,
            "has another chat template than it was trained with, so its prompts are not those that the model learnt",
            fix="restore the tokenizer's files (chat_template.jinja, tokenizer_config.json), or train again",
        )
    return personas


def persona_named(name: str | None, personas: Sequence[Persona], where: object) -> Persona:
    """The persona called `name`; without a name, the only one.

    Raises:
        UnderstudyError: there is none of that name, or several and no name.
    """
    found = [persona for persona in personas if name is None or persona.name == name]
    if len(found) != 1:
        there = ", ".join(persona.name for persona in personas)
        what = f"knows no {name}, but {there}" if name else f"knows several characters: {there}"
        raise UnderstudyError(where, what, fix="name one of them: --as NAME")
    return found[0]


def label_personas(personas: Mapping[Path, Sequence[Persona]]) -> dict[str, tuple[Path, Persona]]:
    """The personas of several folders by name; where two have the same one, by name and folder: `Wren (outputs/b)`."""
    each = [(folder, persona) for folder, own in personas.items() for persona in own]
    counts = Counter(persona.name for _, persona in each)
    return {
        persona.name if counts[persona.name] == 1 else f"{persona.name} ({folder})": (folder, persona)
        for folder, persona in each
    }


def choose_label(name: str | None, labelled: Mapping[str, tuple[Path, Persona]]) -> str:
    """The label that `name` is; without a name, the first of several folders, or the only one of a single folder.

    Raises:
        UnderstudyError: there is none of that name, or one folder has several and no name is given.
    """
    folders = {folder for folder, _ in labelled.values()}
    if name is not None and name in labelled:
        return name
    if name is None and (len(folders) > 1 or len(labelled) == 1):
        return next(iter(labelled))
    what = f"knows no {name}, but {', '.join(labelled)}" if name else f"knows several characters: {', '.join(labelled)}"
    raise UnderstudyError(next(iter(folders)), what, fix="name one of them: --as NAME")


def _persona(fields: Mapping[str, Any]) -> Persona:
    return Persona(
        name=fields["name"],
        language=fields["language"],
        instructions=Instructions(**fields["instructions"]),
        sampling=Sampling(**fields["sampling"]),
    )


def _digest(fields: Mapping[str, Any]) -> str:
    """Over what reaches the prompt; how chat samples may be changed freely."""
    contract = {key: fields.get(key) for key in (*CONTRACT, "template")}
    if "personas" in fields:
        contract = {"personas": [{key: one.get(key) for key in CONTRACT} for one in fields["personas"]]}
        contract["template"] = fields["template"]
    return _sha256(json.dumps(contract, ensure_ascii=False, sort_keys=True))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
