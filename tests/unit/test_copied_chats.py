"""Chats as WeChat for PC copies them: a name and a colon, the text below, a blank line."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

FORM = "chat copied without times"


def converted(folder: Path, blocks: list[str], character: str = "林渡") -> Conversion:
    path = folder / "copied.txt"
    path.write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    return convert([path], character, ConversionOptions())


@pytest.mark.parametrize(
    ("character", "blocks"),
    [
        (
            "林渡",
            [
                "阿圆:\n今天的账呢？",
                "林渡:\n在柜上，自己去拿。\n别弄乱了。",
                "阿圆:\n少了三两。",
                "林渡:\n茶钱，不算多。",
            ],
        ),
        ("Mira", ["Bram:\nAre you up?", "Mira:\nCome up.\nMind the rope.", "Bram:\nWhich one?", "Mira:\nThe red one."]),
    ],
)
def test_a_copied_chats_messages_have_the_turns_before_them(character: str, blocks: list[str], tmp_path: Path) -> None:
    conversion = converted(tmp_path, blocks, character)
    said = [block.partition(":\n")[2] for block in blocks]
    assert [file.form for file in conversion.files] == [FORM]
    assert [record.text for record in conversion.records] == said[1::2]
    assert [turn.text for turn in conversion.records[-1].context] == said[:3]


def test_what_the_program_writes_and_players_say_is_set_aside_and_a_blank_line_is_part_of_a_message(
    tmp_path: Path,
) -> None:
    blocks = [
        "阿圆:\n「账本呢？」",
        "林渡:\n「在柜上，自己去拿。」（我去洗澡了）",
        "阿圆:\n[表情]",
        "林渡:\n皮下：我先睡了",
    ]
    conversion = converted(
        tmp_path, [*blocks, "阿圆:\n「少了三两。」", "林渡:\n「茶钱，不算多。」", "「来对账的人喝的。」"]
    )
    texts = ["「在柜上，自己去拿。」", "「茶钱，不算多。」\n「来对账的人喝的。」"]
    assert [record.text for record in conversion.records] == texts
    assert [one.reason for one in conversion.rejects if one.text.startswith("皮下")] == ["out of character"]


@pytest.mark.parametrize(
    "blocks",
    [
        [
            'Bram:\n"Are you up?"\nHe knocks.',
            'Mira:\n"Come up."\nShe waits.',
            'Bram:\n"Which?"\nHe looks.',
            'Mira:\n"Red."',
        ],
        ["Bram:\n(knocking)\nAre you up?", "Mira:\nCome up.", "Bram:\nWhich one?", "Mira:\nThe red one."],
        ["## The tower", "Bram:\nAre you up?", "Mira:\nCome up.", "Bram:\nWhich one?", "Mira:\nThe red one."],
    ],
)
def test_a_script_that_tells_besides_stays_a_script(blocks: list[str], tmp_path: Path) -> None:
    assert [file.form for file in converted(tmp_path, blocks, "Mira").files] != [FORM]
