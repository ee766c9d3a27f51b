"""The shape of a document that no reader knows: its paths with counts and samples, and the map that it suggests."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.records.column_words import NAMES, PEOPLE, SAYINGS, SPEAKS, WEAK
from pipeline.records.comparable import letters
from pipeline.records.field_map import write_path
from pipeline.records.named_fields import field_naming, may_name_several

Path = tuple[str, ...]  # keys, "[]" for a list's elements, "*" for the values of a mapping whose keys are values

# The likeliest first.
SPEAKERS = tuple(dict.fromkeys((
    "speaker", "speaker_name", "speakername", "speakertag", "speaker_tag",
    "character", "character_name", "char", "npc", "npcname", "npc_name",
    "who", "actor", "sender", "author", "name", "role", "from", "角色", "说话人", "人物", "人", "名字", "姓名", "名称",
    "发送方", "发送人", "说话者", "發送人", "說話人", "說話者", "名稱", *sorted(SPEAKS | PEOPLE | NAMES),
)))  # fmt: skip
TEXTS = tuple(dict.fromkeys((
    "text", "message", "line", "dialogue", "dialog", "content", "utterance", "sentence", "quote", "speech", "says",
    "msg", "mes", "value", "body", "voice_text", "transcript", "subtitle", "台词", "对白", "内容", "文本", "语音", "话",
    "对话", "对话内容", "台詞", "對白", "對話", "內容", "訊息", "消息",
    *sorted(SAYINGS | WEAK),
)))  # fmt: skip
PASSAGES = (
    "description", "profile", "bio", "biography", "background", "personality", "story", "about", "summary", "lore",
    "简介", "描述", "介绍", "背景", "故事", "性格", "设定", "资料",
)  # fmt: skip
QUESTIONS = ("question", "q", "ask", "prompt", "问题", "提问", "问")
TITLES = (
    "title", "summary", "heading", "topic", "scenario", "scene", "chapter", "label", "event", "quest", "category",
    "name", "标题", "主题", "场景", "章节", "话题", "摘要", "任务", "分类",
    "任务名", "任务名称", "場景", "章節", "任務", "標題",
)  # fmt: skip
ROLES = frozenset((*SPEAKERS, *TEXTS, *PASSAGES, *QUESTIONS, *TITLES))
LONGEST_SAMPLE, MOST_PATHS, MAX_DEPTH = 60, 24, 16
ALIKE = 0.5  # of two mappings' keys are the same: they are entries of one kind
NUMBERED = re.compile(r"\d|_")
NOBODY_NAMED = '"{{char}}"'  # the character that is converted
# A number, a GUID, 0x01A2, or where a file lies.
ID = re.compile(
    r"[{(]?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}[)}]?|0x[0-9a-f]+|(?:row[ _]?)?\d+|(?=.{0,40}\d)[0-9a-f]{8,40}|"
    r"\S*[/\\]\S+|\S+\.(?:png|jpe?g|webp|gif|svg|wav|ogg|mp3|wem|json|uasset|asset)",
    re.IGNORECASE,
)
NAMED_LINE = re.compile(r"[^\s:：,，。.!！?？]{1,20}[:：]\s*\S")
WORDY = 6.0  # characters of a text, on average


@dataclass(slots=True)
class Shape:
    """What lies at each path: the scalars at leaves, and how many mappings there are."""

    leaves: dict[Path, list[Any]] = field(default_factory=dict)
    mappings: dict[Path, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Guess:
    """A map that a shape suggests, with how much speaks for it."""

    rows: Path
    columns: tuple[str, ...]
    scene: str
    score: float

    def entry(self) -> dict[str, Any]:
        """The map as a recipe has it."""
        rest = {} if self.scene == "list" else {"scene": self.scene}
        return {"rows": write_path(self.rows), "columns": list(self.columns)} | rest


def describe_shape(documents: Sequence[Any], name: str, names: Sequence[str] = ()) -> str:
    """What to do about a file's documents: the maps that they suggest, ready for a recipe, and what was found in them.

    The maps are for files of that `name`, so that they leave others alone; `names` are the character's.
    """
    import yaml

    shape = shape_of(documents)
    found = [
        f"  {write_path(path)}  {len(values)} x {_sample(values)}"
        for path, values in list(shape.leaves.items())[:MOST_PATHS]
    ]
    more = len(shape.leaves) - len(found)
    listing = "\n".join([*found, *([f"  and {more} paths more"] if more > 0 else [])]) or "  nothing"
    if not (guesses := guess_maps(shape, names)):
        advice = "say in the recipe with `maps` where its rows lie (docs/formats.md, Unforeseen shapes)"
        return f"{advice}. Found in it:\n{listing}\n"
    maps = yaml.safe_dump(
        {"maps": [{"files": name} | guess.entry() for guess in guesses]},
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=1000,
    )
    return (
        "say in the recipe where its rows lie and what their fields are. Found in it:\n"
        f"{listing}\nfrom which this is guessed; paste it, and correct it where it is wrong:\n\n{maps}\n"
        "(docs/formats.md, Unforeseen shapes, says what its keys mean)"
    )


def shape_of(documents: Sequence[Any]) -> Shape:
    """The shape of all documents together, as that of one."""
    shape = Shape()
    _visit((), documents, shape)
    return shape


def _visit(path: Path, values: Sequence[Any], shape: Shape) -> None:
    if len(path) > MAX_DEPTH:
        return
    mappings = [value for value in values if isinstance(value, dict)]
    elements = [one for value in values if isinstance(value, list) for one in value]
    scalars = [value for value in values if not isinstance(value, dict | list) and value is not None]
    if scalars:
        shape.leaves[path] = scalars
    if elements:
        _visit((*path, "[]"), elements, shape)
    if not mappings:
        return
    if _is_keyed_by_values(mappings):
        _visit((*path, "*"), [one for mapping in mappings for one in mapping.values()], shape)
        return
    shape.mappings[path] = len(mappings)
    for key in dict.fromkeys(key for mapping in mappings for key in mapping):
        _visit((*path, str(key)), [mapping[key] for mapping in mappings if key in mapping], shape)


def _is_keyed_by_values(mappings: Sequence[Mapping[Any, Any]]) -> bool:
    """Whether the keys are names or titles, so that what lies under them is all of one kind."""
    keys = {str(key) for mapping in mappings for key in mapping}
    values = [value for mapping in mappings for value in mapping.values()]
    if len(keys) < 2 or keys & ROLES:
        return False
    if all(isinstance(value, dict) for value in values):
        return _are_alike(values)
    if all(isinstance(value, list) for value in values):
        return all(isinstance(one, str) for value in values for one in value) or _are_alike(
            [one for value in values for one in value]
        )
    texts = all(isinstance(value, str) for value in values)
    return texts and len(keys) > 2 and all(NUMBERED.search(key) for key in keys)


def _are_alike(values: Sequence[Any]) -> bool:
    """Whether they are mappings that share most of their keys, or mappings of one kind each."""
    if not values or not all(isinstance(value, dict) and value for value in values):
        return False
    together = {key for value in values for key in value}
    share = statistics.fmean(len(value) for value in values) / len(together)
    kinds = {type(one) for value in values for one in value.values()}
    return share >= ALIKE or (len(kinds) == 1 and kinds <= {list, dict})


def guess_maps(shape: Shape, names: Sequence[str] = ()) -> list[Guess]:
    """The likeliest map of lines, and those of passages beside it; empty where nothing looks like rows.

    Where one of the character's `names` stands, there are the speakers.
    """
    lines = max(_line_guesses(shape, names), key=lambda guess: guess.score, default=None)
    passages = [guess for guess in _passage_guesses(shape) if lines is None or guess.rows != lines.rows]
    return [*([lines] if lines else []), *passages]


def _line_guesses(shape: Shape, names: Sequence[str]) -> Iterator[Guess]:
    for path in shape.mappings:
        fields = dict(_fields(shape, path))
        text = _text_field({name: values for name, values in fields.items() if not field_naming({name: values}, names)})
        if text and not _names_within(guess := _guess(shape, path, text, fields, names), fields, text):
            yield guess
    for path, values in shape.leaves.items():
        if path and path[-1] in ("[]", "*") and not _is_field(shape, path) and _wordiness(values) >= WORDY:
            yield _guess(shape, path, "@", {})


def _guess(shape: Shape, path: Path, text: str, fields: Mapping[str, list[Any]], names: Sequence[str] = ()) -> Guess:
    own = {name: values for name, values in fields.items() if name != text}
    may_speak = {name: values for name, values in own.items() if not _are_ids(values)}
    speaker = field_naming(may_speak, names) or _named(may_speak, SPEAKERS)
    above = list(_above(shape, path))
    outer = speaker or next((found for one in above if (found := _named(one, SPEAKERS))), None)
    stars = _stars(path)
    if outer is None and stars:
        outer = f"*{stars.pop(0)}"
    named = {name: values for name, values in own.items() if name != outer and not _are_ids(values)}
    title = _title([named, *above], outer) or (f"*{stars[-1]}" if stars else None)
    question = _named(own, QUESTIONS)
    asked = [f"input={question}"] if question else [f"title={title}"] if title else []
    columns = (f"speaker={outer or NOBODY_NAMED}", f"text={text}", *asked)
    flat = sum(part in ("*", "[]") for part in path) < 2 and not (title and title not in own)
    texts = fields.get(text) or shape.leaves[path]
    trust = (3.0 if speaker else 1.5 if outer else 0.3) * (2.0 if text in TEXTS else 1.0)
    return Guess(path, columns, "row" if flat else "list", trust * len(texts))


def _names_within(guess: Guess, fields: Mapping[str, list[Any]], text: str) -> bool:
    """Whether the guess names nobody, and the texts say who speaks (`名：话` is of many), or another field may."""
    named = sum(isinstance(one, str) and NAMED_LINE.match(one) is not None for one in fields[text])
    others = (values for name, values in fields.items() if name != text and name.lower() not in TITLES)
    is_many = 2 * named > len(fields[text]) or any(map(may_name_several, others))
    return f"speaker={NOBODY_NAMED}" in guess.columns and is_many


def _are_ids(values: Sequence[Any]) -> bool:
    """Whether they are numbers of things, or where a file lies, which nobody is called."""
    return all(isinstance(one, str) and (not one or ID.fullmatch(one.strip())) for one in values)


def _stars(path: Path) -> list[int]:
    """Which of the path's wildcards, counted from 1, stand for keys."""
    return [number for number, part in enumerate((part for part in path if part in ("*", "[]")), 1) if part == "*"]


def _passage_guesses(shape: Shape) -> Iterator[Guess]:
    """Maps of descriptions that stand beside a name, or under one."""
    for path in shape.mappings:
        fields = dict(_fields(shape, path))
        for name in (name for name in fields if name.lower() in PASSAGES and name != "summary"):
            speaker = _named(fields, SPEAKERS) or ("*1" if path and path[-1] == "*" and path.count("*") == 1 else None)
            if speaker and _wordiness(fields[name]) >= WORDY:
                number = sum(part in ("*", "[]") for part in path)
                by = f"*{number}" if speaker == "*1" else speaker
                yield Guess(path, (f"speaker={by}", f"text={name}", f'input="{name.capitalize()}"'), "row", 0.0)


def _fields(shape: Shape, path: Path) -> Iterator[tuple[str, list[Any]]]:
    """The fields of the mappings at a path, with their scalars; a list of one, as XML has them, is a field too."""
    for leaf, values in shape.leaves.items():
        if leaf[:-1] == path and leaf[-1] not in ("[]", "*"):
            yield leaf[-1], values
        elif leaf[:-2] == path and _is_field(shape, leaf):
            yield leaf[-2], values


def _is_field(shape: Shape, leaf: Path) -> bool:
    """Whether what seems a list is a field that each mapping has at most once, as in XML."""
    return len(leaf) > 1 and leaf[-1] == "[]" and 1 < len(shape.leaves[leaf]) <= shape.mappings.get(leaf[:-2], 0)


def _above(shape: Shape, path: Path) -> Iterator[dict[str, list[Any]]]:
    """The fields of each mapping that a path lies in, from the inside."""
    for length in range(len(path) - 1, -1, -1):
        if path[:length] in shape.mappings:
            yield dict(_fields(shape, path[:length]))


def _text_field(fields: Mapping[str, list[Any]]) -> str | None:
    """The field that holds texts, by its name or by how many words there are in it; no ids, and not all the same."""
    fields = {  # a name that begins or ends with spaces cannot be written as one
        name: values
        for name, values in fields.items()
        if name == name.strip() and not _are_ids(values) and not _are_the_same(values)
    }
    if named := _named(fields, TEXTS):
        return named
    others = {name: _wordiness(v) for name, v in fields.items() if name.lower() not in ROLES}
    likeliest = max(others, key=lambda name: others[name], default=None)
    return likeliest if likeliest and others[likeliest] >= 2 * WORDY else None


def _are_the_same(values: Sequence[Any]) -> bool:
    return len(values) > 2 and all(one == values[0] for one in values)


def _title(levels: Iterable[Mapping[str, list[Any]]], speaker: str | None) -> str | None:
    for fields in levels:
        if found := _named({name: v for name, v in fields.items() if name != speaker}, TITLES):
            return found
    return None


def _named(fields: Mapping[str, list[Any]], names: Sequence[str]) -> str | None:
    """The field with the first of the names, whatever its case, whose values are texts."""
    lowered = {
        name.lower(): name for name, values in fields.items() if any(one and isinstance(one, str) for one in values)
    }
    return next((lowered[name] for name in names if name in lowered), None)


def _wordiness(values: Sequence[Any]) -> float:
    """The mean length of the texts, 0 where most are none; a Chinese character counts as two."""
    texts = [one for one in values if isinstance(one, str)]
    if len(texts) * 2 <= len(values):
        return 0.0
    return statistics.fmean(map(letters, texts))


def _sample(values: Sequence[Any]) -> str:
    shown = " ".join(str(next((one for one in values if one), values[0])).split())
    return repr(shown if len(shown) <= LONGEST_SAMPLE else f"{shown[: LONGEST_SAMPLE - 1]}…")
