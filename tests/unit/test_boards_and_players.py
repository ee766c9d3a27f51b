"""Posts with their readers' comments, and subtitles as web players have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.ptt import ABOVE, BELOW
from pipeline.records.readers.video_subtitles import NO_SPEAKER
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
