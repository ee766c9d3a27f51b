"""What a chat program writes is nobody's line; what somebody says of calls, files and recalled messages is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.conversion import convert
from pipeline.records.program_texts import (
    CALL_NOTICE,
    DELETED_NOTICE,
    MEDIA_NOTICE,
    NOTICE,
    reason_of_program,
    sender_name,
    without_marks,
    without_quotation,
)
from pipeline.records.result import Conversion

PEOPLE = frozenset({"苏晚晴", "陆知远", "Bram", "Mira"})


def table(texts: str) -> list[str]:
    """The texts between the bars."""
    return [text.strip() for text in texts.split("|")]


WRITTEN = {
    MEDIA_NOTICE: table("""
[转账] 100元 | [红包]恭喜发财，大吉大利 | [文件] 病历.docx | [文件：病历.docx(请在附件中查看)] | [位置]雾港诊所 |
[语音] 12" | [语音]12秒 | [图片] | 【图片】 | [图片] 2023.jpg | [图片] https://example.org/a | [表情] [捂脸] |
[动画表情] 开心 | [视频] 00:15 | [链接] 雾港地图\nhttps://example.org | [小程序]挂号 | [Photo] | [File] a.docx |
[Weixin Red Packet] Best wishes! | 사진 3장 | <Media omitted> | <attached: 00012-PHOTO.jpg> | image omitted |
IMG-1.jpg (file attached) | [影片] | [檔案] 病歷.docx | [貼圖] | [記事本] 採買清單 | [照片] | [位置資訊] | [相簿] 旅行 |
[轉帳] 100元 | 【公告】 | [公告] 診所休息 | 【音樂】 | [語音訊息] | 影片已略過
"""),
    DELETED_NOTICE: table("""
对方撤回了一条消息 | 你撤回了一条消息 | 你撤回了一条消息并重新编辑 | "苏晚晴" 撤回了一条消息 |
“小王”撤回了一条消息 | 苏晚晴撤回了一条消息 | 苏晚晴 撤回了一条消息 | 此消息已被撤回 | This message was deleted |
You deleted this message. | This message was deleted by admin Bram | Bram unsent a message |
已收回訊息 | 您已收回訊息 | 苏晚晴已收回訊息 | 對方已收回訊息
"""),
    CALL_NOTICE: table("""
通话时长 03:21 | 聊天时长 1:03:21 | 已取消 | 对方已取消 | 对方已拒绝 | 对方无应答 | 忙线未接听 |
[语音通话] 通话时长 03:21 | [视频通话] | 语音通话已结束 | Missed voice call | Missed video call at 10:01 |
Voice call, 3 min | Video call, No answer | Call declined | Duration: 03:21 | ☎ Call time 1:23 |
☎ 未接來電 | ☎ 您已取消通話 | ☎ 通話時間 2:31 | ☎ 無回應 | 視訊通話已結束 | 通話時長 03:21
"""),
    NOTICE: table("""
我通过了你的朋友验证请求，现在我们可以开始聊天了 | 你已添加了陆知远，现在可以开始聊天了。 | 以上是打招呼的内容 |
"苏晚晴" 拍了拍 "陆知远" 的肩膀 | 我拍了拍"小王" | 苏晚晴拍了拍我 | 陆知远拍了拍苏晚晴 | 你拍了拍自己 |
"小王"加入了群聊 | 小王加入了群聊 | 你邀请小王加入了群聊 | "小王"邀请"小李"、"小赵"加入了群聊 |
"小王"通过扫描"小李"分享的二维码加入群聊 | 你修改群名为“雾港诊所” | 苏晚晴修改群名为雾港 | 你将"小王"移出了群聊 |
+44 20 7946 0000 joined using this group's invite link | Bram changed the subject to "Dinner: Friday" |
Bram pinned a message | You pinned a message | Mira turned on disappearing messages. |
Messages and calls are end-to-end encrypted. No one outside of this chat can read them. Tap to learn more. |
Nachrichten und Anrufe sind Ende-zu-Ende-verschlüsselt. | 消息和通话已进行端到端加密。 | 阿棠邀請阿燈加入群組 |
阿棠已退出群組。 | 苏晚晴將陆知远加入群組
"""),
}
SAID = table("""
我拍了拍他的肩膀。 | 我拍了拍桌子 | 他拍了拍手 | 苏晚晴拍了拍手上的灰 | 你拍了拍我 | 他撤回了一条消息 |
你怎么撤回了一条消息 | 她说对方撤回了一条消息，我没看见 | 订单已取消 | 明天的手术已取消，改天吧 |
通话时长 03:21 也太短了 | 我把[文件]发你了 | 你看[图片]里那个人 | 我明天就加入了群聊 | 她邀请我加入了群聊 |
我将他移出了群聊 | 谁加入了群聊？ | 你修改群名为什么不告诉我 | 我通过了你的考验 | 红包我收到了 | [捂脸]我也是 |
[红色的门]开了 | 我们语音通话吧 | He pinned a message | The priest pinned a message to the door |
I joined using this group's invite link | He changed the subject to "boats" |
She changed the subject to boats and tides. | I missed a voice call | A voice call, please. | Bram left |
Messages and calls are what I live for | Deleted, this message was. |
我已收回訊息給你的那句話 | 我加入群組了嗎 | 影片我看了 |
歡迎加入群組 | 欢迎加入群聊 | 歡迎各位加入社群。 | 請加入聊天室 | 快加入社群 | 一起加入群組 | 阿燈快加入群聊 |
【公告】診所明天休息。 | 【禮物】清單在門邊。 | 【優惠券】還沒用完嗎 | 【記事本】放在櫃台了 | 【音樂】是海浪聲
""")


@pytest.mark.parametrize(("reason", "text"), [(reason, text) for reason, texts in WRITTEN.items() for text in texts])
def test_what_the_program_writes_is_set_aside_by_what_it_is(reason: str, text: str) -> None:
    assert reason_of_program(text, PEOPLE) == reason


@pytest.mark.parametrize("text", SAID)
def test_what_somebody_says_with_the_same_words_stays(text: str) -> None:
    assert reason_of_program(text, PEOPLE) == ""
    assert without_marks(text) == without_quotation(text) == text


@given(st.sampled_from([text for texts in WRITTEN.values() for text in texts]), st.sampled_from("我他她"))
def test_the_programs_words_amid_a_sentence_are_said(text: str, who: str) -> None:
    assert reason_of_program(f"{who}刚才说，{text}，对吧？", PEOPLE) == ""


def test_a_name_that_nothing_marks_as_one_has_to_be_one_of_the_chats_people() -> None:
    for text in ("老板撤回了一条消息", "老板拍了拍我", "The keeper pinned a message"):
        assert reason_of_program(text, PEOPLE) == ""
        assert reason_of_program(text, PEOPLE | {"老板", "The keeper"}) in (NOTICE, DELETED_NOTICE)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("[回复 陆知远： 在吗] 在的", "在的"),
        ("[回复@陆知远: 在吗[捂脸]]在的", "在的"),
        ("[引用：在吗] 在的\n请进", "在的\n请进"),
        ("「陆知远：在吗」\n- - - - - - -\n在", "在"),
        ("“陆知远：在吗？\n医生”\n———————\n在", "在"),
        ("在的\n引用：陆知远：在吗", "在的"),
        ("[回复 陆知远： 在吗]", ""),
        ("「陆知远：在吗」他这样问我。", "「陆知远：在吗」他这样问我。"),
        ("[回复得真快] 哈哈", "[回复得真快] 哈哈"),
    ],
)
def test_of_a_reply_that_quotes_only_the_reply_is_said(text: str, reply: str) -> None:
    assert without_quotation(text) == reply


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[图片] 看我家猫", "看我家猫"),
        ("[表情]好的，我马上到", "好的，我马上到"),
        ("这是我的片子\n[图片]", "这是我的片子"),
        ('[语音] 12" 我到了', "我到了"),
        ("[图片] 3点见", "3点见"),
        ("The view <attached: 0001.jpg>", "The view"),
        ("IMG-1.jpg (file attached)\nThe view", "The view"),
    ],
)
def test_what_is_said_beside_a_picture_stays_without_its_mark(text: str, said: str) -> None:
    assert reason_of_program(text) == ""
    assert without_marks(text) == said


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("【管理员】陆知远(12345678)", "陆知远"),
        ("【群主】陆知远", "陆知远"),
        ("【活跃】陆知远<mail@qq.com>", "陆知远"),
        ("陆知远（12345678）", "陆知远"),
        ("【雾港】陆知远", "【雾港】陆知远"),
        ("Orla (they)", "Orla (they)"),
        ("+44 20 7946 0000", "+44 20 7946 0000"),
    ],
)
def test_a_senders_title_and_account_are_no_part_of_the_name(written: str, name: str) -> None:
    assert sender_name(written) == name


QQ = """2023-06-13 10:01:00 【管理员】陆知远(12345678)
在吗，医生

2023-06-13 10:01:10 系统消息(10000)
苏晚晴加入本群。

2023-06-13 10:01:20 【群主】苏晚晴(87654321)
[回复 陆知远： 在吗，医生] 在的，进来坐吧。

2023-06-13 10:03:00 【活跃】陆知远<lu@qq.com>
[图片]
这是我的片子

2023-06-13 10:04:00 【群主】苏晚晴(87654321)
[文件] 病历.docx

2023-06-13 10:05:00 苏晚晴(87654321)
看过了，没有大碍。
"""
WECHAT = """苏晚晴 2023年6月13日 10:01
我通过了你的朋友验证请求，现在我们可以开始聊天了
陆知远 2023年6月13日 10:02
医生，今天还开门吗
"陆知远" 撤回了一条消息
苏晚晴 2023年6月13日 10:03
开的，雾散了就来吧。
"陆知远" 拍了拍 "苏晚晴" 的肩膀
陆知远 2023年6月13日 10:04
对方已取消
"""


def converted(folder: Path, name: str, content: str, character: str = "苏晚晴") -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


def turns(conversion: Conversion) -> list[tuple[str, list[tuple[str, str]]]]:
    return [(one.text, [(turn.speaker, turn.text) for turn in one.context]) for one in conversion.records]


def test_in_qqs_log_one_person_is_one_whatever_their_title_and_the_system_is_nobody(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "qq.txt", QQ)
    asked = ("陆知远", "在吗，医生")
    assert turns(conversion) == [
        ("在的，进来坐吧。", [asked]),
        ("看过了，没有大碍。", [asked, ("苏晚晴", "在的，进来坐吧。"), ("陆知远", "这是我的片子")]),
    ]
    reasons = account_of(conversion)["rejected"]
    assert reasons == {"another speaker": 2, NOTICE: 1, MEDIA_NOTICE: 1}
    told = format_account(account_of(conversion))
    assert "1 quotations before replies left out" in told
    assert "1 marks of pictures beside a text left out" in told


def test_wechats_notices_between_messages_are_nobodys_line_and_are_counted(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "wechat.txt", WECHAT)
    assert turns(conversion) == [("开的，雾散了就来吧。", [("陆知远", "医生，今天还开门吗")])]
    assert account_of(conversion)["rejected"] == {NOTICE: 3, "another speaker": 1, CALL_NOTICE: 1}


def test_a_name_with_its_account_before_a_colon_is_the_name(tmp_path: Path) -> None:
    lines = "10:01 陆知远<lu@qq.com>: 在吗？\n10:02 苏晚晴(87654321): 在的，请进。\n"
    lines += "10:03 陆知远(12345678): 谢谢\n10:04 苏晚晴: 坐吧，喝点热茶。\n"
    first, second = turns(converted(tmp_path, "colon.txt", lines))
    assert first == ("在的，请进。", [("陆知远", "在吗？")])
    assert [speaker for speaker, _ in second[1]] == ["陆知远", "苏晚晴", "陆知远"]


def test_a_chat_in_a_table_and_telegrams_have_them_set_aside_too(tmp_path: Path) -> None:
    said = [
        ("陆知远", "在吗？"),
        ("系统消息", "有人加入"),
        ("苏晚晴", "[红包]恭喜发财"),
        ("苏晚晴", "苏晚晴拍了拍陆知远"),
    ]
    said += [("陆知远", "对方已取消"), ("苏晚晴", "路上小心，雾很大。")]
    rows = "\n".join(f"{who},{text},r,2023-06-13 10:00:00" for who, text in said)
    table = converted(tmp_path, "a.csv", f"talker,msg,room_name,CreateTime\n{rows}\n")
    assert turns(table) == [("路上小心，雾很大。", [("陆知远", "在吗？")])]
    assert account_of(table)["rejected"] == {NOTICE: 2, "another speaker": 1, CALL_NOTICE: 1, MEDIA_NOTICE: 1}
    messages = [
        {"id": n, "type": "message", "date": f"2023-06-13T10:0{n}:00", "from": who, "text": text}
        for n, (who, text) in enumerate(said)
    ]
    telegram = converted(tmp_path, "a.json", json.dumps({"name": "r", "messages": messages}))
    assert turns(telegram) == turns(table)


def test_whatsapps_notices_under_somebodys_name_and_with_a_colon_are_notices(tmp_path: Path) -> None:
    chat = """[13.06.23, 19:35:01] Mira: \u200eMessages and calls are end-to-end encrypted. Tap to learn more.
[13.06.23, 19:35:02] Bram: Are you up there?
[13.06.23, 19:35:03] \u200eBram changed the subject to “Dinner: Friday”
[13.06.23, 19:35:04] Mira: \u200eMissed voice call
[13.06.23, 19:35:05] Mira: \u200eBram joined using this group's invite link
[13.06.23, 19:38:44] Mira: I come down at 8:30.
"""
    conversion = converted(tmp_path, "chat.txt", chat, "Mira")
    assert turns(conversion) == [("I come down at 8:30.", [("Bram", "Are you up there?")])]
    assert account_of(conversion)["rejected"] == {NOTICE: 3, "another speaker": 1, CALL_NOTICE: 1}
