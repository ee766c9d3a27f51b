"""Posts, web players' subtitles, tabletop games, sheets of a studio: whose words are whose, and which are none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.cards.foundry import ELSEWHERE, plain_text
from pipeline.records.readers.chats.dice import DICE, are_of_dice
from pipeline.records.readers.chats.ptt import ABOVE, BELOW, COMMENT
from pipeline.records.readers.scripts.video_subtitles import NO_SPEAKER
from pipeline.records.readers.tables.no_lines import IS_CUT, NOT_WRITTEN, OF_OTHERS, reason_of_no_line
from pipeline.records.result import Conversion

POST = """作者  lamp (阿燈)                           看板  Novel
標題  [創作] 燈塔
時間  Sat Aug 15 21:03:11 2020
───────────────────────────────────────

阿棠：「今晚起霧了，船還沒回來。」
老周：「再等等。」
阿棠：「那我去把燈再擦一遍。」

--
※ 發信站: 批踢踢實業坊(ptt.cc), 來自: 192.0.2.1 (臺灣)
※ 文章網址: https://www.ptt.cc/bbs/Novel/M.1.A.ABC.html
推 reader1: 好看                                        08/15 21:10
→ reader1: 阿棠：「我也是」                              08/15 21:10
噓 reader2: 又是燈塔                                    08/15 21:15
推 阿棠: 我來推一下                                      08/15 21:33
"""


def converted(folder: Path, name: str, content: str, character: str = "阿棠") -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def test_what_readers_wrote_below_a_post_is_nobodys_line(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "ptt.txt", POST)
    assert [record.text for record in conversion.records] == ["今晚起霧了，船還沒回來。", "那我去把燈再擦一遍。"]
    assert conversion.records[0].source.endswith("ptt.txt:6")
    assert account_of(conversion)["rejected"] == {BELOW: 6, ABOVE: 3, "another speaker": 1}


def test_comments_alone_say_that_it_is_a_post(tmp_path: Path) -> None:
    body = POST.partition("※ 發信站")[0] + "".join(line for line in POST.splitlines(True) if line[0] in "推→噓")
    assert len(converted(tmp_path, "ptt.txt", body).records) == 2


def test_a_post_of_no_known_form_says_what_to_do(tmp_path: Path) -> None:
    post = f"今天天氣很好。\n{POST[POST.index('--') :]}"
    with pytest.raises(UnderstudyError, match=r"is a post of PTT.*save what you need of it"):
        converted(tmp_path, "ptt.txt", post)


BILIBILI: Any = {
    "font_size": 0.4,
    "body": [
        {"from": 1.0, "to": 3.2, "content": "老周：灯怎么灭了？"},
        {"from": 3.4, "to": 6.0, "content": "阿棠：是风，我再点一次。"},
        {"from": 6.1, "to": 7.0, "content": "（笑）"},
        {"from": 40, "to": 42, "content": "阿棠：好了，亮了。"},
    ],
}
YOUTUBE: Any = {
    "wireMagic": "pb3",
    "events": [
        {"tStartMs": 0, "dDurationMs": 99000, "id": 1},
        *(
            {
                "tStartMs": 1000 * one["from"],
                "dDurationMs": 1000 * (one["to"] - one["from"]),
                "segs": [{"utf8": one["content"][:3]}, {"utf8": one["content"][3:]}, {"utf8": "\n"}],
            }
            for one in BILIBILI["body"]
        ),
    ],
}


@pytest.mark.parametrize("document", [BILIBILI, YOUTUBE], ids=["Bilibili", "YouTube"])
def test_subtitles_of_a_web_player_are_read_as_others_are(document: Any, tmp_path: Path) -> None:
    conversion = converted(tmp_path, "a.json", json.dumps(document, ensure_ascii=False))
    assert [file.form for file in conversion.files] == ["subtitles of a web player"]
    found = [(record.text, [turn.text for turn in record.context]) for record in conversion.records]
    assert found == [("是风，我再点一次。", ["灯怎么灭了？"]), ("好了，亮了。", [])]
    assert account_of(conversion)["rejected"] == {"another speaker": 1, NO_SPEAKER: 1}


TABLETOP = """January 21, 2024 7:42PM
Mira (GM):"Sit. Not there."
Pip:is that the chair
Garrow:rolling 1d20+5
(1)+5
=6
Mira (GM):"It was the chair."
Lume:Insight: 17
Mira (GM):rolling 1d8+3 fire
(6)+3
=9
"""


def test_what_dice_did_is_said_by_nobody_and_ends_no_scene(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "chat.txt", TABLETOP, "Mira")
    assert [record.text for record in conversion.records] == ['"Sit. Not there."', '"It was the chair."']
    second = conversion.records[1]
    assert [turn.text for turn in second.context] == ['"Sit. Not there."', "is that the chair"]
    assert second.source.endswith("chat.txt:7")
    assert account_of(conversion)["rejected"] == {DICE: 8, "another speaker": 1}


def test_a_number_after_a_name_is_an_answer_unless_a_skill_or_a_roll_says_what_it_is() -> None:
    lines = ["Pip: How many steps are there?", "Mira: 212", "Mira: Steps: 212", "Mira: I count them.", "Stealth: 9"]
    assert are_of_dice(lines) == [False, False, False, False, True]
    rolled = [
        "Pip: rolling 1d20",
        "(9)",
        "=9",
        "Climbing: 9",
        "Climbing: 9",
        "Pip: rolling 1d6",
        "Mira: 3",
        "Mira: No.",
    ]
    assert are_of_dice(rolled) == [True, True, True, True, True, True, False, False]
    assert are_of_dice(["Pip: rolling 1d6", "(6)", "Pip: Oh.", "Climbing: 9"]) == [True, True, False, False]


ACTOR: Any = {
    "name": "Mira",
    "type": "npc",
    "img": "tokens/mira.webp",
    "system": {
        "attributes": {"hp": {"value": 58}},
        "details": {
            "biography": {"value": "<p>Mira keeps <b>the lamp</b> of @UUID[a.b]{Saltmere}.</p><p>Since&nbsp;May.</p>"}
        },
    },
    "_stats": {"systemId": "dnd5e"},
}
JOURNAL: Any = {
    "name": "People of Saltmere",
    "pages": [
        {"name": "Mira", "type": "text", "text": {"content": "<p>Mira keeps the lamp of Saltmere.</p>"}},
        {"name": "Bram", "type": "text", "text": {"content": "<p>Bram ferries, and Mira pays him.</p>"}},
    ],
    "flags": {},
}


def test_an_actors_biography_is_a_passage_and_a_journals_page_of_its_name(tmp_path: Path) -> None:
    (record,) = converted(tmp_path, "actor.json", json.dumps(ACTOR), "Mira").records
    assert (record.kind, record.prompt) == ("background", "Biography")
    assert record.text == "Mira keeps the lamp of Saltmere.\nSince May."
    conversion = converted(tmp_path, "journal.json", json.dumps(JOURNAL), "Mira")
    assert [record.text for record in conversion.records] == ["Mira keeps the lamp of Saltmere."]
    assert account_of(conversion)["rejected"] == {ELSEWHERE: 1}


@pytest.mark.parametrize(
    "log",
    [
        "[2024-05-01 20:01:1{n} UTC] {who}: {text}\n",
        "[00:0{n}.000 --> 00:0{n}.900]  {who}: {text}\n",
    ],
)
def test_a_zones_name_or_an_end_may_follow_the_time(log: str, tmp_path: Path) -> None:
    said = [("Bram", "Why a bog?"), ("Mira", "Rents are low."), ("Bram", "And the toad?"), ("Mira", "It came with it.")]
    content = "".join(log.format(n=n, who=who, text=text) for n, (who, text) in enumerate(said))
    records = converted(tmp_path, "a.txt", content, "Mira").records
    assert [record.text for record in records] == ["Rents are low.", "It came with it."]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("TBD", "", ""), NOT_WRITTEN),
        (("N/A", "", ""), NOT_WRITTEN),
        (("[no dialogue]", "", ""), NOT_WRITTEN),
        (("（待补充）", "", ""), NOT_WRITTEN),
        (("TODO: something angry", "", ""), NOT_WRITTEN),
        (("Lorem ipsum dolor sit amet", "", ""), NOT_WRITTEN),
        (("[CUT] I never liked you.", "", ""), IS_CUT),
        (("【已删除】我从来不喜欢你。", "", ""), IS_CUT),
        (("I never liked you.", "cut", ""), IS_CUT),
        (("我从来不喜欢你。", "废弃", ""), IS_CUT),
        (("I never liked you.", "", "CUT from the script of 3/4"), IS_CUT),
        (("I never liked you.", "", "REMOVED by the editor"), IS_CUT),
        (("I never liked you.", "", "DELETED - too long"), IS_CUT),
        (("I never liked you.", "", "CUT"), IS_CUT),
        (("[cut]", "", ""), IS_CUT),
        (("TODO", "", ""), NOT_WRITTEN),
        (("[TODO an angry line]", "", ""), NOT_WRITTEN),
        (("RT @bram: I never liked you.", "", ""), OF_OTHERS),
        (("I cut it; no, a cut of meat.", "recorded", "cut the pause"), ""),
        (("Todo está bien.", "ok", ""), ""),
        (("To do that, I need a lamp.", "", ""), ""),
        (("TODO ESTO ES MIO.", "", ""), ""),
        (("TODO notes? I burn them.", "", ""), ""),
        (("[Cut] the mooring line!", "", ""), ""),
        (("(cut) the mooring line and jump!", "", ""), ""),
        (("(Deleted) she writes. As if I were ink.", "", ""), ""),
        (("Open the hatch.", "", "CUT TO: the quay"), ""),
        (("Open the hatch.", "", "CUT 2 秒停顿"), ""),
        (("Open the hatch.", "", "DELETED the full stop"), ""),
        (("雾散了，走吧。", "不用", ""), IS_CUT),
        (("雾散了，走吧。", "停用", ""), IS_CUT),
        (("雾散了，走吧。", "", "不用停顿"), ""),
    ],
)
def test_a_row_that_is_not_written_yet_or_cut_is_no_line(
    row: tuple[str, str, str], reason: str, tmp_path: Path
) -> None:
    text, status, note = row
    table = f'speaker,text,Status,Notes\nMira,"{text}",{status},{note}\nMira,"It is late, Bram.",,\n'
    conversion = converted(tmp_path, "a.csv", table, "Mira")
    assert account_of(conversion)["rejected"] == ({reason: 1} if reason else {})


@pytest.mark.parametrize("key", ["配音状态", "翻译状态", "录音状态", "Dub status", "Audio State", "Translation Status"])
def test_the_state_of_a_recording_or_a_translation_is_none_of_the_line(key: str) -> None:
    assert reason_of_no_line("The fog lifts.", {key: "removed"}) == ""
    assert reason_of_no_line("The fog lifts.", {"Line status": "removed", key: "done"}) == IS_CUT


@pytest.mark.parametrize("mark", [" ", "(", "1", "推 ", ":", "rolling ", "=", "※", "@UUID[", "<"])
def test_five_thousand_marks_take_no_time(mark: str) -> None:
    text = mark * (5000 // len(mark))
    are_of_dice([text])
    are_of_dice([mark] * 5000)
    COMMENT.fullmatch(text)
    reason_of_no_line(text, {"status": text, "notes": text})
    plain_text(text)
