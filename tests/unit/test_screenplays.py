"""Screenplays: names alone above their lines, in Fountain, out of a PDF, in Final Draft."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

FOUNTAIN = """Title: The Ferry
Author: Somebody

FADE IN:

INT. FERRY - NIGHT

Rain on the glass. Mira coils a rope.

GUEST
Do you have a room?

MIRA
(not looking up)
We have forty. Thirty-nine of them
leak.

GUEST (O.S.)
And the fortieth?

She laughs.

MIRA (CONT'D)
That one is mine.

BANG!

CUT TO:

EXT. QUAY - DAWN

MIRA
Mind the ropes.
"""
FINAL_DRAFT = """<?xml version="1.0" encoding="UTF-8" standalone="no" ?>
<FinalDraft DocumentType="Script" Version="5"><Content>
<Paragraph Number="1" Type="Scene Heading"><Text>INT. FERRY - NIGHT</Text></Paragraph>
<Paragraph Type="Action"><Text>Rain on the glass.</Text></Paragraph>
<Paragraph Type="Character"><Text>GUEST</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>Do you have </Text><Text Style="Italic">a</Text><Text> room?</Text></Paragraph>
<Paragraph Type="Character"><Text>MIRA (V.O.)</Text></Paragraph>
<Paragraph Type="Parenthetical"><Text>(not looking up)</Text></Paragraph>
<Paragraph Type="Dialogue"><Text>We have forty.</Text></Paragraph>
</Content></FinalDraft>
"""
FROM_PDF = """                THE FERRY                              12.

12   INT. FERRY - NIGHT                                    12

                    GUEST
          Is there a problem?

                    MIRA
          None that you are not part
          of.
                    (MORE)

                                              (CONTINUED)
                                                       13.
12   CONTINUED:                                            12

                    MIRA (CONT'D)
          Good night.

                                          SMASH CUT TO:

*13  EXT. ROOF - LATER                                     13*

                    MIRA
          Thirty years.

"""


def converted(folder: Path, content: str, name: str, character: str = "Mira") -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


@pytest.mark.parametrize("name", ["pilot.fountain", "pilot.txt"])
def test_lines_below_a_name_in_capitals_are_said_and_what_stands_between_is_not(name: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, FOUNTAIN, name)
    assert [(record.prompt, record.text) for record in conversion.records] == [
        ("INT. FERRY - NIGHT", "We have forty. Thirty-nine of them leak."),
        ("INT. FERRY - NIGHT", "That one is mine."),
        ("EXT. QUAY - DAWN", "Mind the ropes."),
    ]
    assert conversion.records[0].context == (Turn("GUEST", "Do you have a room?"),)
    assert conversion.records[1].context[-1] == Turn("GUEST", "And the fortieth?")
    reasons = {reject.text: reject.reason for reject in conversion.rejects}
    assert reasons["She laughs."] == reasons["BANG!"] == "narration"
    assert reasons["(not looking up)"] == reasons["CUT TO:"] == "a stage direction"


def test_pages_of_a_pdf_part_no_line(tmp_path: Path) -> None:
    conversion = converted(tmp_path, FROM_PDF, "pdf.txt")
    assert [(record.prompt, record.text) for record in conversion.records] == [
        ("INT. FERRY - NIGHT", "None that you are not part of. Good night."),
        ("EXT. ROOF - LATER", "Thirty years."),
    ]


def test_a_final_draft_document_is_a_screenplay(tmp_path: Path) -> None:
    conversion = converted(tmp_path, FINAL_DRAFT, "ferry.fdx")
    (record,) = conversion.records
    assert (record.text, record.context) == ("We have forty.", (Turn("GUEST", "Do you have a room?"),))
    with pytest.raises(UnderstudyError, match="broken XML"):
        converted(tmp_path, FINAL_DRAFT.replace("</Content>", ""), "broken.fdx")
    with pytest.raises(UnderstudyError, match="entities"):
        converted(tmp_path, FINAL_DRAFT.replace("<Content>", '<!ENTITY a "b"><Content>'), "entities.fdx")


@pytest.mark.parametrize(
    ("character", "script", "line"),
    [
        (
            "Mira",
            "Guest\nDo you have a room?\n\nMira\nWe have forty.\n\nGuest\nGood.\n\nMira\nSign here.\n",
            "We have forty.",
        ),
        ("林渡", "阿圆\n今天的账呢？\n\n林渡\n都算好了。\n\n阿圆\n在哪儿？\n\n林渡\n柜台上放着。\n", "都算好了。"),
    ],
)
def test_names_alone_above_every_line_need_no_capitals(character: str, script: str, line: str, tmp_path: Path) -> None:
    assert converted(tmp_path, script, "a.txt", character).records[0].text == line


@pytest.mark.parametrize(
    ("character", "script", "lines"),
    [
        (
            "闻溪",
            "闻溪\n塔灯亮了吗？\n小满\n亮了！\n闻溪\n那就好。\n小满\n还有别的吗？\n",
            ["塔灯亮了吗？", "那就好。"],
        ),
        (
            "Mira",
            "Mira\nIs it lit?\nTam\nIt is!\nMira\nGood, then.\nLeave it.\nTam\nAnything else?\n",
            ["Is it lit?", "Good, then. Leave it."],
        ),
        # Whoever speaks once is no rest of her line.
        (
            "闻溪",
            "闻溪\n塔灯亮了吗？\n小满\n亮了！\n闻溪\n那就好。\n站长\n你们好。\n小满\n还有别的吗？\n",
            ["塔灯亮了吗？", "那就好。"],
        ),
        # What may be told is none of it: a second line where nearly everybody says one, or one that begins with a name.
        (
            "闻溪",
            "闻溪\n塔灯亮了吗？\n雨还在下。\n小满\n亮了！\n闻溪\n那就好。\n小满\n还有别的吗？\n闻溪\n没有了！\n小满\n走吧！\n",
            ["塔灯亮了吗？", "那就好。", "没有了！"],
        ),
        (
            "闻溪",
            "闻溪\n塔灯亮了吗？\n闻溪回过头。\n小满\n亮了！\n闻溪，走吧。\n闻溪\n那就好。\n小满，看。\n小满\n还有吗？\n哪儿？\n",
            ["塔灯亮了吗？", "那就好。小满，看。"],
        ),
        # Amid blank lines between scenes, and with her own name called.
        (
            "闻溪",
            "闻溪\n塔灯亮了吗？\n小满\n闻溪\n亮了！\n闻溪\n那就好。\n\n小满\n还有别的吗？\n闻溪\n没有了！\n",
            ["塔灯亮了吗？", "那就好。", "没有了！"],
        ),
    ],
)
def test_names_alone_above_lines_need_no_blank_lines_between(
    character: str, script: str, lines: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_text(script, encoding="utf-8")
    conversion = convert([tmp_path / "a.txt"], character, ConversionOptions(short_lines=99))
    assert [record.text for record in conversion.records] == lines
    assert conversion.records[1].context[-1].speaker in ("小满", "Tam")


@pytest.mark.parametrize(
    "text",
    [
        "闻溪\n守塔人\n小满\n写诗的人\n站长\n管码头的人\n",
        "闻溪\n雾港的守塔人，话不多。\n小满\n写诗的人，爱笑。\n闻溪\n后来搬到城里。\n小满\n丢了钥匙。\n",
        "早上\n我们去了码头。\n晚上\n我们回来了！\n早上\n我们又去了。\n晚上\n下雨了！\n",
    ],
)
def test_lists_of_names_and_of_days_are_no_script(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        convert([tmp_path / "a.txt"], "闻溪", ConversionOptions())


def test_a_name_that_is_a_weekday_too_speaks(tmp_path: Path) -> None:
    script = "FRIDAY\nWho is there?\n\nMIRA\nOnly me.\n\nFRIDAY\nCome in.\n\nMIRA\nThank you.\n"
    assert [record.text for record in converted(tmp_path, script, "a.txt", "Friday").records] == [
        "Who is there?",
        "Come in.",
    ]


@pytest.mark.parametrize(
    "page",
    [
        "BACKGROUND\nMira was born on a ferry.\n\nPERSONALITY\nShe is dry.\n\nLIKES\nRopes and rain.\n",
        "WARNING\nMira is dry.\n\nWARNING\nThe quay is wet.\n\nWARNING\nMind the ropes.\n",
        "MONDAY\nMira brought a rope.\n\nTUESDAY\nNo rain!\n\nMONDAY\nThe rope broke!\n\nTUESDAY\nWe slept.\n",
        "MIRA\nKeeper of the bell.\n\nTAM\nA clerk.\n\nMIRA\nMoves to town later.\n\nTAM\nLoses the keys.\n",
        "Mira\nKeeper of the bell.\n\nTam\nA clerk.\n\nMira\nMoves to town later.\n\nTam\nLoses the keys.\n",
        "Mira\n\nThe rain fell.\n\nTam\n\nHe waited.\n\nMira\n\nShe waited, too.\n",
    ],
)
def test_headings_above_prose_are_nobodys_names(page: str, tmp_path: Path) -> None:
    (tmp_path / "talk.txt").write_text("Tam: Well?\nMira: Mind the ropes.\nTam: Aye.\n", encoding="utf-8")
    (tmp_path / "a.txt").write_text(page, encoding="utf-8")
    conversion = convert([tmp_path], "Mira", ConversionOptions())
    assert "screenplay" not in [file.form for file in conversion.files]
    assert [record.text for record in conversion.records if record.kind == "dialogue"] == ["Mind the ropes."]
