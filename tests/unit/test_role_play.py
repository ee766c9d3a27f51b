"""Chats and scripts of role-play: what players say as themselves is nobody's line, and stands in no prompt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.raw import RawTurn
from pipeline.records.result import Conversion
from pipeline.records.role_play import play_of, without_players

CHINESE = ("「账本呢？」", "「在柜上，自己去拿。」", "「少了三两。」", "「茶钱，不算多。」")
ENGLISH = ('"Where is the ledger?"', '*shrugs* "On the counter."', '"Three coins are gone."', '"Tea, mostly."')
TOLD = ("她推开门。“账本呢？”", "“在柜上，自己去拿。”他头也不抬。", '"Gone," she said.', 'He pours. "Tea, mostly."')
OUT = "out of character"


def said(turns: Sequence[tuple[str, str]], *, in_quotes: bool = True) -> list[str]:
    """What stays of each message of a chat; an empty text is set aside."""
    raw = [RawTurn(f"chat:{number}", who, text) for number, (who, text) in enumerate(turns, 1)]
    return ["" if turn.unusable else turn.text for turn in without_players(raw, play_of(raw, in_quotes=in_quotes))]


def alternately(texts: Sequence[str]) -> list[tuple[str, str]]:
    return [(("阿圆", "林渡")[number % 2], text) for number, text in enumerate(texts)]


def chat(messages: Sequence[tuple[str, str]]) -> str:
    return "\n".join(
        f"2023-06-13 20:{number:02}:11 {who}({10_000_000 + ord(who[0])})\n{text}\n"
        for number, (who, text) in enumerate(messages)
    )


def converted(folder: Path, name: str, content: str, character: str = "林渡") -> Conversion:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return convert([path], character, ConversionOptions())


# In whatever chat: it says itself what it is.
MARKED = [
    "ooc：周末还对戏吗",
    "皮下：我明天要值班",
    "（皮下）来了来了",
    "（ooc这段写得真好）",
    "【皮下】等一下再回",
    "[ooc]我先吃个饭",
    "〔戏外：今天到这儿〕",
    "{ooc: one moment}",
    "/皮下/ 先去睡了",
    "皮下 我先去睡了",
    "*皮下 我先去睡了",
    "————闭皮————",
    "OOC: back in ten",
    "(OOC: my cat is on the keyboard)",
    "[OOC] gotta run",
    "out of character: loved that post",
    "--- OOC ---",
]
# Where people play.
PLAYERS = [
    "((我去收个衣服",
    "（（我去收个衣服））",
    "（等我五分钟 下楼拿个东西",
    "//周末再接吧",
    "{这里人太多了}",
    "pp：我先撤了",
    "下皮了，各位好梦",
    "（我论文写完了哈哈哈哈）",
    "【你们先走剧情】",
    "hhhhh 这段绝了",
    "皮了皮了",
    "@全体成员 周末开新剧情",
    "【人设卡】\n姓名：林渡\n年龄：31\n皮下：大二，周末在",
    "((brb, someone at the door",
    "// my turn to post?",
    "(sorry, typing on my phone)",
    "[I'm back, sorry guys]",
    "lol that went well",
]


@pytest.mark.parametrize("remark", [*MARKED, *PLAYERS])
@pytest.mark.parametrize("scene", [CHINESE, ENGLISH, TOLD])
def test_what_players_say_is_nobodys_line(remark: str, scene: tuple[str, ...]) -> None:
    turns = alternately(scene)
    assert said([*turns, ("林渡", remark), ("阿圆", remark)]) == [*scene, "", ""]


@pytest.mark.parametrize("remark", MARKED)
def test_what_says_that_it_is_out_of_character_goes_from_any_chat(remark: str) -> None:
    friends = alternately(["在吗", "在呢", "吃了没", "刚吃完"] * 20)
    assert said([*friends, ("林渡", remark)])[-1] == ""


@pytest.mark.parametrize(
    ("message", "rest"),
    [
        ("「都算好了。」（打字好慢抱歉）", "「都算好了。」"),
        ("「都算好了。」（我去洗个碗", "「都算好了。」"),
        ("「都算好了。」 //这样接可以吗", "「都算好了。」"),
        ("「都算好了。」//这样接可以吗", "「都算好了。」"),
        ("「都算好了。」((先去吃饭", "「都算好了。」"),
        ("「都算好了。」（（先去吃饭））", "「都算好了。」"),
        ("「都算好了。」（皮下：笑死）", "「都算好了。」"),
        ("——开皮——\n「都算好了。」", "「都算好了。」"),
        ("「都算好了。」\n——闭皮——\n我去睡了", "「都算好了。」"),
        ("（ooc：久等）\n*合上账本*\n「都算好了。」", "*合上账本*\n「都算好了。」"),
        ("皮下：久等\n「都算好了。」", "「都算好了。」"),
        ("（打字慢抱歉）「都算好了。」", "「都算好了。」"),
        ('"All counted." ((brb))', '"All counted."'),
        ('"All counted." // is that ok?', '"All counted."'),
        ('"All counted." (sorry, had to get the door)', '"All counted."'),
        ('OOC: sorry for the wait\n"All counted."', '"All counted."'),
    ],
)
def test_a_remark_beside_what_is_said_goes_alone(message: str, rest: str) -> None:
    scene = ENGLISH if message.isascii() else CHINESE
    assert said([*alternately(scene), ("林渡", message)])[-1] == rest


@pytest.mark.parametrize(
    "message",
    [
        "（合上账本）「都算好了。」",
        "「都算好了。」（把算盘推过去）",
        "*合上账本*「都算好了。」",
        "她合上账本。「都算好了。」",
        "「哈哈哈，打字机坏了。」",
        "「走私的线人说：『今晚上线。』」",
        "@阿圆 「都算好了。」",
        "人群里有人推开小窗，青筋在皮下跳动。",
        "走到楼上，敲了敲打字机，先下了山。",
        "他哈哈哈地笑了233声。",
        "*typing at her desk, the wifi light blinking*",
    ],
)
def test_what_is_done_and_said_in_character_stays(message: str) -> None:
    assert said([*alternately(CHINESE), ("林渡", message)])[-1] == message


def test_brackets_that_hold_actions_are_not_taken_for_remarks() -> None:
    texts = ("（推门进来）「账本呢？」", "「在柜上。」（我指了指身后）", "「少了三两。」")
    turns = alternately([*texts, "「茶钱，不算多。」（打字慢）"])
    assert said(turns) == [*texts, "「茶钱，不算多。」"]


def test_brackets_are_remarks_where_all_that_can_be_told_are() -> None:
    turns = [*alternately(CHINESE), ("阿圆", "（我去洗澡了）"), ("林渡", "（好的好的）")]
    assert said(turns) == [*CHINESE, "", ""]


def test_who_has_stopped_playing_goes_on_by_a_mark_or_a_quotation() -> None:
    turns = [
        *alternately(CHINESE),
        *(("林渡", text) for text in ("——闭皮——", "刚才那段不错", "——开皮——", "合上账本，走到窗边。")),
        *(("林渡", text) for text in ("下皮了", "周末见", "「回来了？」", "抬头看了一眼。")),
        ("阿圆", "推门进来，抖了抖伞。"),
    ]
    kept = [text for text in said(turns) if text]
    assert kept == [*CHINESE, "合上账本，走到窗边。", "「回来了？」", "抬头看了一眼。", "推门进来，抖了抖伞。"]


MANY = [*CHINESE, "*推开窗*「又下雨了。」", "「关上。」//快递到了"]


def test_where_all_that_is_in_character_stands_in_marks_nothing_else_does() -> None:
    turns = [*alternately(MANY), ("林渡", "*合上账本*"), ("林渡", "各位明天见"), ("阿圆", "这段刀死我了")]
    assert said(turns) == [*MANY[:5], "「关上。」", "*合上账本*", "", ""]


@pytest.mark.parametrize("line", ["合上账本，走到窗边。", "「第一句没完，\n第二句完了。」"])
def test_where_players_tell_outside_quotations_what_is_told_stays(line: str) -> None:
    assert said([*alternately([*MANY[:5], "他推开窗。「又下雨了。」"]), ("林渡", line)])[-1] == line


def test_a_line_that_ends_the_play_may_be_for_all_and_each_goes_on_by_a_quotation() -> None:
    turns = [*alternately(CHINESE), ("阿圆", "——闭皮——"), ("林渡", "辛苦大家，早点睡"), ("林渡", "「再算一遍。」")]
    assert said(turns) == [*CHINESE, "", "", "「再算一遍。」"]


def test_in_a_script_who_has_stopped_playing_is_nobody_until_a_mark(tmp_path: Path) -> None:
    script = (
        "阿圆：账呢？\n林渡：在柜上，自己去拿。\n林渡：——闭皮——\n林渡：早点睡啊大家\n林渡：——开皮——\n林渡：少了三两。\n"
    )
    conversion = converted(tmp_path, "script.txt", script)
    assert [record.text for record in conversion.records] == ["在柜上，自己去拿。\n少了三两。"]


FRIENDS = [
    "（等我五分钟",
    "（狗头）",
    "我到了（在二楼）",
    "好的（其实我还没出门",
    "hhhh笑死",
    "// 这是什么意思",
    "{变量名}",
    "((((",
    "下皮了没？皮肤都晒红了",
    "@所有人 明天几点集合",
    "“稳定发挥” 你说的",
    "ooc了吧这人",
    "皮下组织挫伤，医生说的",
    "姓名：周远\n电话：见群\n地址：老地方",
    "(gotta run, sorry guys)",
    "lol my wifi died again",
    "ok. // jk",
    "[no idea]",
    "OOC, that line of his",
    "ooc 是什么意思",
    "((什么))",
    "我下皮了个土豆",
    "（小声bb",
]


@pytest.mark.parametrize("message", FRIENDS)
def test_friends_who_play_nobody_lose_no_word(message: str) -> None:
    friends = alternately(["在吗", "在呢", "吃了没", "刚吃完", "出来玩", "走"] * 4)
    assert said([*friends, ("林渡", message), *friends])[len(friends)] == message


def test_friends_who_write_all_of_it_play_nobody_either() -> None:
    assert said(alternately(FRIENDS)) == FRIENDS


def test_one_remark_in_a_long_chat_of_friends_makes_it_no_role_play() -> None:
    friends = alternately(["在吗", "在呢（刚醒", "吃了没", "刚吃完 // 真的", "出来玩", "“走”"] * 10)
    turns = [*friends, ("林渡", "ooc：这是另一个群的"), *friends]
    assert said(turns) == [*(text for _, text in friends), "", *(text for _, text in friends)]


@pytest.mark.parametrize("remark", [one for one in (*MARKED, *PLAYERS) if "\n" not in one])
def test_a_script_of_a_role_play_is_read_by_the_same_rules(remark: str, tmp_path: Path) -> None:
    remarks = [("林渡", "（皮下）等等"), ("阿圆", remark), ("林渡", remark)]
    turns = [*alternately(CHINESE), *remarks, ("林渡", "「走吧。」")]
    conversion = converted(tmp_path, "script.txt", "".join(f"{who}：{text}\n" for who, text in turns))
    assert [record.text for record in conversion.records] == ["在柜上，自己去拿。", "茶钱，不算多。\n走吧。"]
    assert all(remark not in turn.text for record in conversion.records for turn in record.context)


def test_in_a_chats_file_remarks_are_set_aside_with_the_reason_and_stand_in_no_prompt(tmp_path: Path) -> None:
    turns = [*alternately(CHINESE), ("阿圆", "（皮下）笑死我了"), ("林渡", "（我先去洗澡"), ("阿圆", "「走？」")]
    conversion = converted(tmp_path, "log.txt", chat([*turns, ("林渡", "「带上账本。」（等我打字）")]))
    assert [record.text for record in conversion.records] == [CHINESE[1], CHINESE[3], "「带上账本。」"]
    assert [turn.text for turn in conversion.records[-1].context] == [*CHINESE, "「走？」"]
    assert [one.reason for one in conversion.rejects if "洗澡" in one.text or "笑死" in one.text] == [OUT, OUT]
    assert conversion.files[0].remarks == {"messages without what their players say beside it": 1}


def test_a_table_of_messages_is_read_by_the_same_rules_room_by_room(tmp_path: Path) -> None:
    rooms = {
        "戏群": [*alternately(CHINESE), ("林渡", "（我先去洗澡")],
        "饭友": [("阿圆", "走不走"), ("林渡", "（马上到 等我")],
    }
    rows = "".join(f"{room},{who},{text}\n" for room, turns in rooms.items() for who, text in turns)
    conversion = converted(tmp_path, "chat.csv", f"群名,发送人,内容\n{rows}")
    texts = [record.text for record in conversion.records]
    assert texts[:2] == ["「在柜上，自己去拿。」", "「茶钱，不算多。」"]
    assert {one.text: one.reason for one in conversion.rejects if one.speaker == "林渡"} == {
        "（我先去洗澡": OUT,
        "（马上到 等我": "an inner thought",
    }


def test_a_list_that_a_group_signs_is_the_programs(tmp_path: Path) -> None:
    turns = [
        ("阿圆", "周末聚吗？"),
        ("林渡", "#接龙\n周末聚餐\n1. 阿圆\n2. 林渡"),
        ("阿圆", "好。"),
        ("林渡", "那就这么定了。"),
    ]
    conversion = converted(tmp_path, "log.txt", chat(turns))
    assert [record.text for record in conversion.records] == ["那就这么定了。"]


@pytest.mark.parametrize("char", [*'（(「"“*—-/.@#{[【皮 。'])
def test_a_long_line_of_one_character_takes_no_time(char: str) -> None:
    start = time.perf_counter()
    for text in (char * 5_000, f"「好。」{char * 5_000}", f"{char} " * 2_500, f"「{char * 5_000}"):
        said([*alternately(CHINESE), ("林渡", text)])
    assert time.perf_counter() - start < 1
