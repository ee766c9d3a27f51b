"""Twine's stories: what passages let people say, without links, macros and code."""

from __future__ import annotations

import html
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.readers.scripts.twine_markup import label_of, links_in, shown_lines
from pipeline.records.record import Turn
from pipeline.records.result import Conversion


def converted(folder: Path, story: str, name: str = "story.twee") -> Conversion:
    (folder / name).write_text(story, encoding="utf-8")
    return convert([folder / name], "Mira", ConversionOptions())


def published(passages: dict[str, str], story_format: str, tags: str = "") -> str:
    made = "".join(
        f'<tw-passagedata pid="1" name="{name}" tags="{tags}">{html.escape(text)}</tw-passagedata>'
        for name, text in passages.items()
    )
    return (
        '<!DOCTYPE html><html><head><title>Saltmere</title><script>var a = "tw-storydata";</script></head><body>'
        f'<tw-storydata name="Saltmere" format="{story_format}" hidden><style role="stylesheet">a{{}}</style>'
        f'<script role="script">Mira: code</script>{made}</tw-storydata></body></html>'
    )


def source(passages: dict[str, str], story_format: str, tags: str = "") -> str:
    made = "".join(
        f':: {name}{f" [{tags}]" if tags else ""} {{"position":"1,1"}}\n{text}\n\n' for name, text in passages.items()
    )
    return f':: StoryTitle\nSaltmere\n\n:: StoryData\n{{"ifid": "A", "format": "{story_format}"}}\n\n{made}'


def archive(passages: dict[str, str], story_format: str, tags: str = "") -> str:
    return published(passages, story_format, tags).partition("<body>")[2].removesuffix("</body></html>")


DRESSES = {"story.html": published, "story.twee": source, "archive.html": archive}
PASSAGES = {
    "The tower": (
        'The rain falls.\nBram: Who is up there?\nMira: "Only me."\n\n[[Mira: Hide->Stairs]]\n* [[Leave|Quay]]'
    ),
    "Stairs": "Mira: Mind the third stair.\nBram: Aye.\nMira: “And the fourth.”",
}


@pytest.mark.parametrize("name", DRESSES)
@pytest.mark.parametrize("story_format", ["Harlowe", "SugarCube", "Chapbook", "Snowman"])
def test_a_passages_lines_are_their_speakers_with_the_turns_of_their_passage(
    name: str, story_format: str, tmp_path: Path
) -> None:
    records = converted(tmp_path, DRESSES[name](PASSAGES, story_format), name).records
    assert [(record.prompt, record.text, record.context) for record in records] == [
        ("The tower", "Only me.", (Turn("Bram", "Who is up there?"),)),
        ("Stairs", "Mind the third stair.", ()),
        ("Stairs", "And the fourth.", (Turn("Mira", "Mind the third stair."), Turn("Bram", "Aye."))),
    ]


@pytest.mark.parametrize("name", DRESSES)
def test_code_is_no_speech(name: str, tmp_path: Path) -> None:
    story = DRESSES[name](PASSAGES, "SugarCube")
    scripted = DRESSES[name]({"Code": "Mira: no line"}, "SugarCube", "script")
    records = converted(tmp_path, story + ("\n" if name.endswith("twee") else "") + scripted, name).records
    assert "no line" not in {record.text for record in records}


MACROS = [
    ("harlowe", '(set: $a to (dm: "Mira", "x",\n"Mira": "no", "Bram": "no"))\nMira: Yes, I do.', ["Yes, I do."]),
    ("harlowe", ("(if: $late)[\nMira: You are late.\n](else:)[\nMira: You are"
" early.\n]"), ["You are late.", "You are early."]),
    ("harlowe", "''Mira:'' (text-style:'italic')[Never] fear.\nMira: I (either: \"a\", \"b\") no.", ["Never fear."]),
    ("harlowe", ("Mira: You have $gold coins.\nBram: Ah.\nMira: Well, _it goes.\nBram: So?\nMira: Aye,"
" aye."), ["Aye, aye."]),
    ("sugarcube", ("<<if $late>>\nMira: You are late.\n<<else>>\nMira: You are early.\n<"
"</if>>"), ["You are late.", "You are early."]),
    ("sugarcube", "<<script>>\nMira: no\n<</script>>\n<<set $a to 'Mira: no'>>\nMira: Yes, I do.", ["Yes, I do."]),
    ("sugarcube", "@@.loud;Mira:@@ Come //up// <b>now</b>.\n/% Mira: no %/\n/* Mira: no */", ["Come up now."]),
    ("sugarcube", "Mira: I am <<print $a>>.\n<<link [[Mira: no|Up]]>><</link>>\nMira: Yes, I do.", ["Yes, I do."]),
    ("chapbook", "mood: 'glad'\nMira: 'no'\n--\nMira: Good evening.", ["Good evening."]),
    ("chapbook", "[if mood === 'glad']\nMira: I am glad.\n[else]\nMira: I am not.", ["I am glad.", "I am not."]),
    ("chapbook", ("[note to myself]\nMira: no\n[continue]\nMira: I am {mood}.\nBram: Ah.\nMira: Aye,"
" aye."), ["Aye, aye."]),
    ("snowman", ("<% if (s.late) { %>\nMira: You are late.\n<% } else { %>\nMira: You are early.\n"
"<% } %>"), ["You are late.", "You are early."]),
]  # fmt: skip


@pytest.mark.parametrize(("story_format", "text", "lines"), MACROS)
def test_macros_and_what_depends_on_them_are_set_aside(
    story_format: str, text: str, lines: list[str], tmp_path: Path
) -> None:
    records = converted(tmp_path, source({"A": text}, story_format)).records
    assert [record.text for record in records] == lines
    assert all(turn.speaker != "Mira" for record in records for turn in record.context)


@pytest.mark.parametrize(
    ("line", "shown", "is_choice"),
    [
        ("Mira: I saw the [[bell|Tower]], once.", "Mira: I saw the bell, once.", False),
        ("Mira: Come up. [[Follow her->Up]] [[Up<-Stay]]", "Mira: Come up.", False),
        ("Mira: Come on [[Go|Up]]", "Mira: Come on \1Go", False),
        ("> [[Mira: Hide|Up][$a to 1]]", ">", True),
        ("No link.", "No link.", False),
    ],
)
def test_a_link_amid_a_sentence_is_said_and_one_behind_it_is_the_players(
    line: str, shown: str, is_choice: bool
) -> None:
    assert links_in(line) == (shown, is_choice)


def test_a_link_says_what_stands_before_its_passage() -> None:
    assert [label_of(one) for one in ("Up", "Go|Up", "Go->Up", "Up<-Go")] == ["Up", "Go", "Go", "Go"]


@pytest.mark.parametrize(
    "mark", ["(a:", "(a: '", "<<a", "[[", "[[a]]", "<!--", "(color:red)[", " ", "{a", "=", "<a ", "["]
)
def test_a_mark_again_and_again_is_read_in_no_time(mark: str) -> None:
    lines = shown_lines(mark * 20_000, "")
    assert len([links_in(line) for line, _ in lines]) == 1


def test_prose_in_passages_is_read_as_prose(tmp_path: Path) -> None:
    told = (
        "It rained.\n“Who is it?” said Bram.\n“Only me,” said Mira.\n“Come up,” Bram"
        " said.\n“Aye, I come,” said Mira.\n[[On|B]]"
    )
    assert [record.text for record in converted(tmp_path, source({"A": told}, "Harlowe")).records] == [
        "Only me.",
        "Aye, I come.",
    ]


@pytest.mark.parametrize("story", [":: A", ":: A\n", ":: \\[a\\] [b\n\n::\n"])
def test_a_story_that_is_cut_is_refused(story: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="To fix it: "):
        converted(tmp_path, story)


@pytest.mark.parametrize("name", ["a.tw", "b.html"])
def test_a_story_in_which_nobody_is_named_is_refused_with_what_to_write(name: str, tmp_path: Path) -> None:
    story = DRESSES["story.html" if name == "b.html" else "story.twee"]({"A": "It rains.\n[[On|B]]"}, "Harlowe")
    with pytest.raises(UnderstudyError, match=r"is a Twine story in which no name.*write `Name: line`"):
        converted(tmp_path, story, name)


def test_what_another_says_after_a_line_with_two_peoples_lines_is_not_hers(tmp_path: Path) -> None:
    passage = "Bram: Take it. Mira: I will not.\nBram: Then I go alone.\nMira: Go, then."
    assert [record.text for record in converted(tmp_path, source({"Quay": passage}, "Harlowe")).records] == [
        "I will not.",
        "Go, then.",
    ]


def test_what_a_line_tells_behind_a_quotation_is_not_said(tmp_path: Path) -> None:
    passage = 'Mira: "Below," she said, "with the eels."\nMira: "Eels"? You call these eels?'
    assert [record.text for record in converted(tmp_path, source({"Quay": passage}, "Harlowe")).records] == [
        '"Eels"? You call these eels?'
    ]
