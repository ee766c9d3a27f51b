"""Tables as teams keep them: any of the usual names of columns, failed formulas, rows that are cut, sheets of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of
from pipeline.records.conversion import convert
from pipeline.records.readers.tables.no_lines import IS_ERROR, reason_of_no_line
from pipeline.records.result import Conversion
from tests.raw_files import sheet, workbook

Rows = Sequence[Sequence[str]]
Writer = Callable[..., Path]


def comma_separated(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.csv"
    path.write_text("".join(f"{','.join(row)}\n" for row in rows), encoding="utf-8")
    return path


def tabs(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.txt"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


def excel(folder: Path, rows: Rows, name: str = "a") -> Path:
    path = folder / f"{name}.xlsx"
    path.write_bytes(workbook(Sheet1=sheet(rows)))
    return path


def converted(path: Path, character: str = "苏晚晴") -> Conversion:
    return convert([path], character, ConversionOptions())


def texts(conversion: Conversion) -> list[str]:
    return [record.text for record in conversion.records]


either = pytest.mark.parametrize("write", [comma_separated, excel])


@pytest.mark.parametrize(
    "value",
    ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#SPILL!", "#####", "#¡REF!", "#WERT!", "Err:502"],
)
def test_what_a_failed_formula_leaves_is_no_line(value: str) -> None:
    assert reason_of_no_line(value, {}) == IS_ERROR


@pytest.mark.parametrize("text", ["#1 is mine!", "#never again!", "# N/A", "N/A!?", "#VALUE", "错误：药拿错了。"])
def test_what_only_resembles_a_failed_formula_may_be_a_line(text: str) -> None:
    assert not reason_of_no_line(text, {})


@either
@pytest.mark.parametrize(
    "header", [("场景", "角色", "台词"), ("时间", "发送人", "消息"), ("Scene", "Character", "Line")]
)
def test_a_failed_formula_is_neither_a_line_nor_context_nor_a_title(
    write: Writer, header: Sequence[str], tmp_path: Path
) -> None:
    said = [
        ("苏晚晴", "今天的药吃了没有？"),
        ("陆知远", "#N/A"),
        ("苏晚晴", "#REF!"),
        ("陆知远", "忘在船上了。"),
        ("#NAME?", "没有人听见。"),
        ("苏晚晴", "那就现在去拿。"),
    ]
    conversion = converted(write(tmp_path, [header, *(("#DIV/0!", *row) for row in said)]))
    assert texts(conversion) == ["今天的药吃了没有？", "那就现在去拿。"]
    before = conversion.records[1].context
    assert [turn.text for turn in before][:2] == ["今天的药吃了没有？", "忘在船上了。"]
    assert not any(turn.speaker.startswith("#") for turn in before)
    assert not any(record.prompt for record in conversion.records)
    assert account_of(conversion)["rejected"][IS_ERROR] == 2


@either
def test_a_failed_formula_is_nothing_that_a_profile_says(write: Writer, tmp_path: Path) -> None:
    rows = [("姓名", "年龄", "职业", "身高"), ("苏晚晴", "26", "医生", "#REF!"), ("陆知远", "31", "船长", "181")]
    assert texts(converted(write(tmp_path, rows))) == ["年龄：26\n职业：医生"]
