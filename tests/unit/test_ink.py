"""Ink's source: who speaks by a name or by a tag, and what is not surely said."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.raw import ReadOptions
from pipeline.records.raw_file import open_raw
from pipeline.records.readers.games import ink
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

CELLAR = """INCLUDE globals.ink
VAR met = false
-> cellar
=== cellar ===
# background: night
Bram: Where were you? #id:1 // too harsh?
Mira: Below, {player_name}, with the eels. # id:2
The rope creaks.
/* cut:
Mira: Never mind the eels.
*/
* [Leave # mood: sad] -> tower
* -> END
* "Stay," I said.
    Mira: Then sit\\# down.
    ** Bram: Why?
    -- Mira: Because the tide turns. -> tower
- (later) Mira (quietly): Up with you.
= stairs
~ met = true
Bram: Are you there?
Mira: Mind the third stair.
=== function cry(x) === # effects
Mira: From a function.
~ return x
"""


def converted(folder: Path, script: str, character: str = "Mira") -> Conversion:
    (folder / "a.ink").write_text(script, encoding="utf-8")
    return convert([folder / "a.ink"], character, ConversionOptions())


def lines_of(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


def reasons(conversion: Conversion) -> dict[str, str]:
    return {reject.text: reject.reason for reject in conversion.rejects}


def test_lines_have_the_turns_of_their_knot_and_branch_before_them(tmp_path: Path) -> None:
    conversion = converted(tmp_path, CELLAR)
    assert [(record.prompt, record.text, record.context) for record in conversion.records] == [
        ("cellar", "Below, friend, with the eels.", (Turn("Bram", "Where were you?"),)),
        ("cellar", "Then sit# down.", ()),
        ("cellar", "Because the tide turns.", ()),
        ("cellar", "Up with you.", ()),
        ("cellar.stairs", "Mind the third stair.", (Turn("Bram", "Are you there?"),)),
    ]
    assert reasons(conversion) == {
        "Where were you?": "another speaker",
        "The rope creaks.": "no speaker",
        "[Leave]": "a menu's choice",
        '"Stay," I said.': "a menu's choice",
        "Bram: Why?": "a menu's choice",
        "Are you there?": "another speaker",
        "Mira: From a function.": "a game's logic",
    }


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{met:\nMira: You again.\nBram: Me.\n- else:\nMira: Who are you?\n}\n", ["You again.", "Who are you?"]),
        ("{\n- met > 1: Mira: One of them.\n- else:\n  Mira: Two of them.\n}\n", ["One of them.", "Two of them."]),
        ("{ met:\n- 0: Mira: None.\n- 1: Mira: One.\n}\n", ["None.", "One."]),
        ("{shuffle once:\n- Mira: It rings.\n- Mira: It is quiet.\n}\n", ["It rings.", "It is quiet."]),
        ("{met:\n{late:\nMira: So late.\n}\nMira: So soon.\n}\n", ["So late.", "So soon."]),
    ],
)
def test_a_branch_has_its_own_lines_and_none_of_another_before_them(
    block: str, said: list[str], tmp_path: Path
) -> None:
    conversion = converted(tmp_path, f"=== a ===\nBram: Aye?\n{block}Mira: And after.\n")
    assert lines_of(conversion) == [*said, "And after."]
    assert all(record.context == () for record in conversion.records)


@pytest.mark.parametrize(
    "line",
    [
        "Mira: It {holds|gives}.", "Mira: It {&holds|gives}.", "{met: Mira: Always.|Mira: Never.}",
        "Mira: {met:Again}.",
        "Mira: You owe {price}.", "{~Mira: One.|Mira: Two.}", "Mira: It {", "Mira: I would <>\n-> b",
        "Bram: Well? # speaker: {who()}",
    ],
)  # fmt: skip
def test_what_is_not_surely_said_is_left_out_with_a_reason_and_is_before_nothing(line: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"=== a ===\nBram: Aye?\n{line}\n=== b ===\nMira: Up here.\n")
    assert lines_of(conversion) == ["Up here."]
    assert {"alternatives, of which one is said", "a game's logic", "a line that goes on elsewhere"} & {
        *reasons(conversion).values()
    }
    after = converted(tmp_path, "=== a ===\nBram: Aye?\nBram: It {holds|gives}.\nMira: Up here.\n")
    assert after.records[0].context == ()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("Mira: So I went <>\nand came back.\n", "So I went and came back."),
        ("Mira: So I went\n<> and came back.\n", "So I went and came back."),
        ("米拉：我走了，<>\n又回来了。\n", "我走了，又回来了。"),
        ("米拉：「先坐下来吧。」\n", "先坐下来吧。"),
        ("Below. # speaker: Mira\n", "Below."),
        ("# mood: calm\n#SPEAKER:Mira\n\nBelow.\n", "Below."),
        ("先坐下来吧。#Layout:Left #Name:米拉 #Speaker:ML_02\n", "先坐下来吧。"),
        ("先坐下来吧。#说话人：米拉\n", "先坐下来吧。"),
        ("Mira : Below. # speaker:mira_happy\n", "Below."),
        ("Remember: the third stair. # speaker: Mira\n", "Remember: the third stair."),
        ('"Sit." "Now." # speaker: Mira\n', "Sit. Now."),
        ('"Sit down. # speaker: Mira\n', "Sit down."),
        ("* Aye.\n#speaker: Mira\n- Well then.\n", "Well then."),
    ],
)
def test_a_line_is_its_speakers_by_a_name_or_by_a_tag(script: str, said: str, tmp_path: Path) -> None:
    character = "米拉" if "米拉" in script else "Mira"
    assert lines_of(converted(tmp_path, f"=== a ===\n{script}", character)) == [said]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ('"Sit," she said. # speaker: Mira\n', "narration"),
        ("The rope creaks. # speaker: none\n", "no speaker"),
        ("# speaker: Mira\n* Below.\n- The rope creaks.\n", "no speaker"),
        ("# speaker: Mira\n-> b\n= b\nThe rope creaks.\n", "no speaker"),
        ("# speaker: Mira\n>>> fade out\n", "a stage direction"),
        (
            "#speaker: Bram #portrait: calm\n#speaker: Mira #portrait: calm\nThe rope creaks.\n",
            "a line with the names of several speakers",
        ),
        ("Bram: Well.\nBram: Aye. # speaker: Mira\n", "a line with the names of several speakers"),
        ('"I was asleep: I woke up late."\n', "no speaker"),
        ("Aye. # speaker: Mira\nThe rope creaks.\n", "no speaker's tag of its own"),
    ],
)
def test_a_tag_makes_no_line_of_what_is_told(script: str, reason: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"=== a ===\n{script}Mira: Up here.\n")
    assert "Up here." in "\n".join(lines_of(conversion))
    assert reason in reasons(conversion).values()
    assert "The rope creaks." not in "".join(lines_of(conversion))


BY_TURNS = "Calm water tonight. #speaker:Mira\n{}\nAye. #speaker:Bram\nSo it is. #speaker:Mira\nWell. #speaker:Bram\n"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (BY_TURNS.format("I left the lamp below."), True),
        (BY_TURNS.format("She looks up."), False),
        (BY_TURNS.format('"I left the lamp below."'), False),
        (BY_TURNS.format("I left the lamp below.") + "And so. #speaker:Bram\n", False),
        ("Calm water tonight. #speaker:Mira\nI left the lamp below.\nThe sun sets. #speaker:none\n", True),
        (BY_TURNS.format("{~A|B} #speaker:Bram\nI left the lamp below."), False),
        (BY_TURNS.format("{~A|B}\nI left the lamp below."), False),
        (BY_TURNS.format("* Why?\n- I left the lamp below."), False),
    ],
)
def test_a_line_without_a_tag_is_the_speakers_above_only_where_the_script_keeps_the_speaker(
    script: str, said: bool, tmp_path: Path
) -> None:
    conversion = converted(tmp_path, f"=== a ===\n{script}")
    assert ("I left the lamp below." in "\n".join(lines_of(conversion))) is said
    assert bool(account_of(conversion)["remarks"]) is said


@pytest.mark.parametrize(
    ("text", "is_ink"),
    [
        ("-> cellar\r\n=== cellar ===\r\nBram: Aye?\r\nMira: Below.\r\n-> END\r\n", True),
        ("== Cellar ==\nBram: Aye?\nMira: Below.\n-> to the tower\n", False),
        ("== Cellar ==\nBram: Aye?\nMira: Below.\n", False),
        ("== a ==\nBram: Aye?\n```\n-> a\n```\nMira: Below.\n", False),
        (f"== a{' ' * 5000}x\nBram: Aye? ->{' ' * 5000}x\nMira: Below.\n{'=' * 5000}\n", False),
    ],
)
def test_ink_under_another_name_goes_to_knots_that_it_has(text: str, is_ink: bool, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(text.encode())
    start = time.process_time()
    assert ink.recognises(open_raw(tmp_path / "a.txt"), ReadOptions()) is is_ink
    assert time.process_time() - start < 1


def test_compiled_ink_is_refused_for_its_source(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('\ufeff{"inkVersion":20,"root":[["^Bram: Aye.","\\n"]]}', encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"is compiled Ink.*give the \.ink"):
        convert([tmp_path / "a.json"], "Bram", ConversionOptions())


@pytest.mark.parametrize("mark", ["{", "}", "-", "->", "*", "#", "/*", "\\", "=", " ", "<>", "{a:", "(", "|", "-  "])
def test_repeated_marks_are_read_in_no_time(mark: str, tmp_path: Path) -> None:
    script = f"Mira: Up.\n{mark * 5000}x\nMira: {mark * 5000}\n=== b\nMira: Below.\n= b {mark * 5000}\n"
    start = time.process_time()
    converted(tmp_path, script)
    assert time.process_time() - start < 2


def test_what_another_says_after_a_line_with_two_peoples_lines_is_not_hers(tmp_path: Path) -> None:
    script = "=== quay ===\nBram: Take it. Mira: I will not.\nBram: Then I go alone.\nMira: Go, then.\n-> END\n"
    assert lines_of(converted(tmp_path, script)) == ["I will not.", "Go, then."]


@pytest.mark.parametrize(
    ("line", "name"), [('Mira: "Below," she said, "with the eels."', "Mira"), ("米拉：“水深。”布拉姆说。", "米拉")]
)
def test_a_line_below_a_name_that_quotes_and_tells_is_not_all_said(line: str, name: str, tmp_path: Path) -> None:
    script = f"=== quay ===\n{line}\n{name}: “Mind the third stair.”\n-> END\n"
    conversion = converted(tmp_path, script, name)
    assert lines_of(conversion) == ["Mind the third stair."]
    assert [*reasons(conversion).values()] == ["narration"]


def test_what_a_tagged_line_tells_around_a_quotation_is_not_said(tmp_path: Path) -> None:
    script = '=== quay ===\nShe stands up. "I am done," she says. # speaker: Mira\nGo, then. # speaker: Mira\n-> END\n'
    assert lines_of(converted(tmp_path, script)) == ["Go, then."]
