"""Lists of what somebody says, as people collect it: numbers, sources, comments, headings of what is not to be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

CHINESE = "“钟慢了，人不能慢。”\n“先上楼，再说话。”\n“不急，慢慢来。”\n"
ENGLISH = '"The tide is late."\n"Mind the ropes."\n"No bells tonight."\n'


def converted(folder: Path, text: str, character: str, name: str) -> Conversion:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return convert([path], character, ConversionOptions(short_lines=99))


def lines_of(conversion: Conversion) -> list[str]:
    assert {record.kind for record in conversion.records} <= {"dialogue"}
    return [record.text for record in conversion.records]


@pytest.mark.parametrize(
    ("text", "character", "name"),
    [
        (CHINESE, "闻溪", "闻溪语录.txt"),
        (CHINESE, "闻溪", "闻溪 经典台词.md"),
        (CHINESE, "闻溪", "闻溪/语录.txt"),
        (f"## 语录\n{CHINESE}", "闻溪", "闻溪/语录.md"),
        (f"闻溪语录（从笔记里摘的）\n{CHINESE}", "闻溪", "摘抄.txt"),
        (ENGLISH, "Mira Vale", "mira-vale-quotes.txt"),
        (ENGLISH, "Mira Vale", "Mira Vale/quotes.txt"),
        (f"Mira Vale quotes (from my notes)\n{ENGLISH}", "Mira Vale", "notes.txt"),
    ],
)
def test_a_list_of_quotations_in_a_file_called_after_her_is_her_lines(
    text: str, character: str, name: str, tmp_path: Path
) -> None:
    said = [line.strip('“”"') for line in text.splitlines() if line.startswith(("“", '"'))]
    assert lines_of(converted(tmp_path, text, character, name)) == said


@pytest.mark.parametrize("name", ["语录.txt", "顾安/语录.txt", "闻溪亭语录.txt"])
def test_a_list_that_nothing_says_is_hers_is_not_taken(name: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        converted(tmp_path, CHINESE, "闻溪", name)


def test_what_is_not_quoted_in_such_a_file_is_none_of_her_lines(tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"整理：小鹿\n持续更新，欢迎补充\n{CHINESE}", "闻溪", "闻溪语录.txt")
    assert len(lines_of(conversion)) == 3
    assert [(reject.speaker, reject.text) for reject in conversion.rejects if reject.speaker != "闻溪"] == [
        ("整理", "小鹿")
    ]
    assert {reject.reason for reject in conversion.rejects if reject.speaker == "闻溪"} == {
        "in no quotation marks, in a list that has them"
    }


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1、“钟慢了。”——第一章", "钟慢了。"),
        ("2. “钟慢了。” ——第一章，对小满", "钟慢了。"),
        ("（3）“钟慢了。”——闻溪，第二章", "钟慢了。"),
        ("④“钟慢了。”（对小满说的）", "钟慢了。"),
        ("5、“钟慢了。”（闻溪说的）", "钟慢了。"),
        ("6、“钟慢了。”（笑着说的）", "钟慢了。"),
        ("7、“钟慢了。”（这句其实是她爸说的）", None),
        ("8、“鐘慢了。”（別人說的）", None),
        ("9、“钟慢了。”（闻溪她爸说的）", None),
        ("10、“钟慢了。”——小满，第二章", None),
        ("11、小满：“钟慢了。”", None),
        ('12. "No bells." - chapter 3', "No bells."),
        ('13. "No bells." (said by her father)', None),
        ('14. "No bells." (actually her father)', None),
        ('15. "No bells." - Bram, chapter 2', None),
    ],
)
def test_of_a_numbered_line_its_words_are_taught_where_nothing_says_that_they_are_anothers(
    line: str, said: str | None, tmp_path: Path
) -> None:
    conversion = converted(tmp_path, f"# 闻溪\n## 语录\n{CHINESE}{line}\n", "闻溪", "a.md")
    assert lines_of(conversion)[3:] == ([said] if said else [])


def test_numbers_that_are_said_stay(tmp_path: Path) -> None:
    text = "# 闻溪\n## 语录\n3、2、1，开船！\n钟慢了，人不能慢。\n"
    assert lines_of(converted(tmp_path, text, "闻溪", "a.md"))[0] == "3、2、1，开船！"


@pytest.mark.parametrize("heading", ["### 废稿（不要用）", "### 廢稿", "### 已弃用", "### Draft 1 (do not use)"])
def test_what_stands_under_a_heading_for_drafts_is_not_taught(heading: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"# 闻溪\n## 语录\n{CHINESE}{heading}\n“我爱过他。”\n", "闻溪", "a.md")
    assert len(lines_of(conversion)) == 3
    assert [(reject.reason, reject.text) for reject in conversion.rejects] == [("a draft", "“我爱过他。”")]


def test_scenes_under_a_heading_for_drafts_are_not_taught(tmp_path: Path) -> None:
    script = (
        "## 相遇\n闻溪：你写诗？\n小满：写得不好。\n## 废稿（不要用）\n闻溪：我爱过他。\n---\n闻溪：他走了。\n"
        "### 第二版\n闻溪：他没走。\n## 废弃工厂\n小满：到了。\n闻溪：就在这里。\n"
    )
    conversion = converted(tmp_path, script, "闻溪", "a.md")
    assert [(one.prompt, one.text) for one in conversion.records] == [("相遇", "你写诗？"), ("废弃工厂", "就在这里。")]
    assert sorted(one.text for one in conversion.rejects if one.reason == "a draft") == [
        "他没走。",
        "他走了。",
        "我爱过他。",
    ]


def test_lines_below_a_heading_of_their_list_are_hers_unless_it_may_be_a_name(tmp_path: Path) -> None:
    text = f"# 闻溪\n## 语录\n{CHINESE}### 日常\n“不急，我来。”\n### 小满\n“我不来。”\n"
    conversion = converted(tmp_path, text, "闻溪", "a.md")
    assert lines_of(conversion)[3:] == ["不急，我来。"]
    assert [reject.reason for reject in conversion.rejects] == ["quotations below a heading that may be another's name"]


@pytest.mark.parametrize("char", ["1、", "（", "“", "是", "说的", "——", " ", "#", "(", "a", "1", "摘"])
def test_a_list_of_odd_lines_is_read_in_no_time(char: str, tmp_path: Path) -> None:
    odd = char * 5000
    headings = f"### {odd}\n### a{odd}b\n### 语录 ({odd}\n"
    text = f"# 闻溪\n## 语录\n{CHINESE}{odd}\n“{odd}”（{odd}）\n{headings}"
    assert lines_of(converted(tmp_path, text, "闻溪", "a.md"))
