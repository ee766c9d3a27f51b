"""Chats whose people rename themselves: the number of an account says who speaks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

OWN, OTHERS = 20_230_613, 40_404_040


def chat(messages: Sequence[tuple[str, int, str]]) -> str:
    return "\n".join(
        f"2023-06-13 20:{number:02}:11 {who}({account})\n{text}\n"
        for number, (who, account, text) in enumerate(messages)
    )


def table(messages: Sequence[tuple[str, int, str]]) -> str:
    rows = (f"2023-06-13 20:{n:02}:11,{who}({account}),{text}\n" for n, (who, account, text) in enumerate(messages))
    return f"时间,发送人,内容\n{''.join(rows)}"


def archive(messages: Sequence[tuple[str, int, str]]) -> str:
    rows = "".join(
        f"<tr><td><div><div>{who}({account})</div>19:04:{n:02}</div><div>{text}</div></td></tr>"
        for n, (who, account, text) in enumerate(messages)
    )
    head = (
        'From: <Save by Tencent MsgMgr>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary="--x"\n\n----x\n'
    )
    page = f"<html><body><table><tr><td>日期: 2023-06-13</td></tr>{rows}</table></body></html>"
    return f"{head}Content-Type: text/html; charset=utf-8\n\n{page}\n----x--\n"


def converted(folder: Path, messages: Sequence[tuple[str, int, str]], form: str = "txt") -> Conversion:
    path = folder / f"log.{form}"
    path.write_text({"txt": chat, "csv": table, "mht": archive}[form](messages), encoding="utf-8")
    return convert([path], "林渡", ConversionOptions(other_names=["小渡"]))


def lines(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


@pytest.mark.parametrize("form", ["txt", "csv", "mht"])
def test_an_account_with_the_characters_name_speaks_as_the_character_under_its_other_names(
    form: str, tmp_path: Path
) -> None:
    said = [
        ("阿圆", OTHERS, "今天的账呢？"),
        ("林渡", OWN, "在柜上，自己去拿。"),
        ("阿圆", OTHERS, "少了三两。"),
        ("林渡｜盘货中", OWN, "茶钱，不算多。"),
        ("阿圆", OTHERS, "谁喝的？"),
        ("又要下雨了", OWN, "来对账的人喝的。"),
        ("阿圆", OTHERS, "@又要下雨了 好吧。"),
    ]
    conversion = converted(tmp_path, said, form)
    assert lines(conversion) == ["在柜上，自己去拿。", "茶钱，不算多。", "来对账的人喝的。"]
    assert {turn.speaker for record in conversion.records for turn in record.context} == {"林渡", "阿圆"}
    assert conversion.files[0].remarks == {
        "messages of 林渡's account under other names, taken: 林渡｜盘货中, 又要下雨了": 2
    }
    assert not conversion.near_names


@pytest.mark.parametrize(
    "others",
    [
        [("阿圆", OWN, "掌柜的，加一壶茶。"), ("老周", OTHERS, "阿圆，你小声些。")],  # spoken of
        [("阿圆", OWN, "掌柜的，加一壶茶。"), ("阿圆", OTHERS, "我才是真的。")],  # another account's
        [("阿圆", OWN, "掌柜的，加一壶茶。"), ("林渡", OWN, "没有茶了。"), ("阿圆", OWN, "那我走。")],  # by turns
    ],
)
def test_another_characters_name_on_the_same_account_stays_another_character(
    others: list[tuple[str, int, str]], tmp_path: Path
) -> None:
    said = [
        ("老周", OTHERS, "今天的账呢？"),
        ("林渡", OWN, "在柜上，自己去拿。"),
        *others,
        ("老周", OTHERS, "散了吧。"),
    ]
    conversion = converted(tmp_path, said)
    assert "在柜上，自己去拿。" in lines(conversion)
    assert not {text for who, _, text in others if who == "阿圆"} & {*lines(conversion)}
    assert [key for key in conversion.files[0].remarks if key.endswith("not taken: 阿圆")]


def test_an_account_that_never_had_the_characters_name_is_somebody_else(tmp_path: Path) -> None:
    said = [("老周", OTHERS, "今天的账呢？"), ("小渡", OWN, "在柜上，自己去拿。"), ("周扒皮", OTHERS, "少了三两。")]
    conversion = converted(tmp_path, [*said, ("周扒皮", OTHERS, "算了。")])
    assert lines(conversion) == ["在柜上，自己去拿。"]
    assert not conversion.files[0].remarks
