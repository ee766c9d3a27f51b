"""Files as people write them: wrapped lines, lists, names in capitals, questions and answers in any dress."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import make_persona
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import choose_probes
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.check import format_check
from pipeline.records.conversion import convert
from pipeline.records.names import near_names, spelling
from pipeline.records.record import Turn
from pipeline.records.result import Conversion


def converted(folder: Path, content: str, name: str = "a.txt", **options: object) -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], "Mira Vale", ConversionOptions(**options))  # type: ignore[arg-type]


def lines_of(folder: Path, content: str, **options: object) -> list[str]:
    return [record.text for record in converted(folder, content, **options).records]


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("Mira Vale: You can hold the mop,\nand nobody drowns.\n", "You can hold the mop, and nobody drowns."),
        ("Mira Vale: Diesel and forty years of\nsalt.\nBram: Aye.\n", "Diesel and forty years of salt."),
        ("Bram: Well?\nMira Vale:\nI never knew that.\n", "I never knew that."),
        ("Bram: Well?\nMira Vale:\n(sighs)\nI never knew that.\nBram: No?\n", "I never knew that."),
        ("Bram: 怎么？\nMira Vale：「你看，\n那边有人。」\n", "你看，那边有人。"),
        ("Mira Vale: “I said\nNo, and no again.”\n", "I said No, and no again."),
    ],
)
def test_a_line_that_goes_on_in_the_next_one_is_whole(script: str, line: str, tmp_path: Path) -> None:
    assert lines_of(tmp_path, script) == [line]


def test_what_follows_a_line_that_has_ended_is_told_and_by_nobody(tmp_path: Path) -> None:
    told = "He has one eye: the left.\n他笑着说：走吧。"
    script = f"Mira Vale: His name is Admiral.\n{told}\nBram: Aye.\nMira Vale: Aye, aye.\n"
    conversion = converted(tmp_path, script)
    assert [record.text for record in conversion.records] == ["His name is Admiral.", "Aye, aye."]
    assert conversion.records[1].context == (Turn("Mira Vale", "His name is Admiral."), Turn("Bram", "Aye."))
    assert {reject.speaker for reject in conversion.rejects} == {"?", "Bram"}


@pytest.mark.parametrize(
    "mark",
    [
        "'''{}:''' {}",
        ":'''{}''': {}",
        "<b>{}:</b> {}",
        "{}（CV：Ann）: {}",
        "- {}: {}",
        "> {}: {}",
        "2. {}: {}",
        "• {}: {}",
        "*{}:* {}",
        "*{}*: {}",
        "**{}:** {}",
    ],
)
def test_a_mark_before_a_name_is_not_part_of_it(mark: str, tmp_path: Path) -> None:
    script = "\n".join(mark.format(who, text) for who, text in [("Bram", "Who?"), ("Mira Vale", "*nods* Only me.")])
    (record,) = converted(tmp_path, script).records
    assert (record.text, record.context) == ("*nods* Only me.", (Turn("Bram", "Who?"),))


GAME_SCRIPTS = {
    "brackets": "【Mira Vale】Who is it?\n【Bram】Me.\n【Mira Vale】：Come up.\n",
    "a name above": "【Mira Vale】\nWho is it?\n【Bram】\nMe.\n【Mira Vale】\nCome up.\n【Bram】\nAye.\n",
    "a name above, by a hash": "#Mira\nWho is it?\n#Bram\nMe.\n#Mira\nCome up.\n#Bram\nAye.\n",
    "a name above, in brackets, with commands": (
        "@bg night\n[Mira]\n「Who is it?」\n[Bram]\n「Me.」[p]\n*scene02\n"
        "[Mira]\n「Come up.」[l]\n[Bram]\n「Aye.」\nThe door falls shut.\n"
    ),
    "a name above, with a colon": "Mira Vale:\nWho is it?\n\nBram:\nMe.\n\nMira Vale:\nCome up.\n",
    "corner brackets": "Mira「Who is it?」\nBram「Me.」\nMira「Come up.」\nThe rain stops.\n",
    "KAG": "[Mira]Who is it?[p]\n[Bram]「Me.」[l][r]\n[bg storage=a.jpg]\n[Mira]Come up.\n",
    "a column": "Mira Vale\tWho is it?\nBram\tMe.\nMira Vale\tCome up.\n",
    "a bar": "Mira Vale | Who is it?\nBram | Me.\nMira Vale | Come up.\n",
    "arrows, numbers and a mood": "→ Mira Vale: Who is it?\n[001]Bram: Me.\nMira Vale[smiling]: Come up.\n",
}


@pytest.mark.parametrize("form", GAME_SCRIPTS)
def test_a_script_is_read_in_the_forms_that_games_have(form: str, tmp_path: Path) -> None:
    assert lines_of(tmp_path, GAME_SCRIPTS[form], other_names=["Mira"]) == ["Who is it?", "Come up."]


def test_titles_in_brackets_are_titles_and_no_speakers(tmp_path: Path) -> None:
    script = (
        "【The tower】\nBram: Who is it?\nMira Vale: Me.\n【The quay】\nMira Vale: Come up.\n【The mill】\nBram: Aye.\n"
    )
    conversion = converted(tmp_path, script)
    assert [(record.prompt, record.text) for record in conversion.records] == [
        ("The tower", "Me."),
        ("The quay", "Come up."),
    ]


@pytest.mark.parametrize("name", ["若人们以「通古晓今」来形容她，她只会叹道", "I say", "She whispered", "他低声说"])
def test_a_sentence_before_a_colon_is_nobodys_name(name: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"Mira Vale: Who is it?\nBram: Me.\n{name}：Come up.\nMira Vale: Come.\n")
    assert name not in {reject.speaker for reject in conversion.rejects}


NAMES = [
    "MIRA VALE",
    "mira  vale",
    "Mira Vale (laughing)",
    "MIRA VALE (O.S.)",
    "Mira Vale OS",
    "Mira Vale 画外音",
    "Mira Vale（小声）",
    "Ｍｉｒａ Vale",
]


@pytest.mark.parametrize("name", NAMES)
def test_her_name_in_another_spelling_is_hers_and_said(name: str, tmp_path: Path) -> None:
    script = f"Mira Vale: Who is it?\nBram: Me.\n{name}: Come up.\nBram: Aye.\nMira Vale: And wipe your boots.\n"
    conversion = converted(tmp_path, script)
    assert [record.text for record in conversion.records] == ["Who is it?", "Come up.", "And wipe your boots."]
    assert {turn.speaker for record in conversion.records for turn in record.context} == {"Mira Vale", "Bram"}
    assert f"taken, too, under: {name} (1)" in format_account(account_of(conversion))


def test_another_name_of_hers_is_hers_where_the_recipe_says_so(tmp_path: Path) -> None:
    script = "Mira Vale: Who is it?\n\nMIRA: Come up.\n\nThe Ringer: Aye, aye.\n\nMiranda: No.\n"
    without = converted(tmp_path, script)
    assert [record.text for record in without.records] == ["Who is it?"]
    assert "not taken: MIRA (1)\n  (if they are Mira Vale: --other_names 'MIRA'" in format_account(account_of(without))
    assert lines_of(tmp_path, script, other_names=["Mira", "The Ringer"]) == ["Who is it?", "Come up.", "Aye, aye."]


@given(st.text(min_size=1, max_size=20))
def test_a_names_spelling_is_its_own_and_that_of_its_spaces(name: str) -> None:
    assert spelling(spelling(name)) == spelling(name)
    assert spelling(f" {name} ") == spelling(name)


def test_whose_name_has_a_bracket_of_its_own_is_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "士兵（甲）：站住，别动。\n士兵（乙）：你是谁？\n士兵：口令是什么？\n士兵（甲）：是我回来了。\n",
        encoding="utf-8",
    )
    records = convert([tmp_path], "士兵（甲）", ConversionOptions()).records
    assert [record.text for record in records] == ["站住，别动。", "是我回来了。"]


QUESTIONS = [
    ("Where do you live?", "Above the chandler's."),
    ("How old are you?", "Forty-one."),
    ("Your cat?", "Admiral."),
]
DRESSES = {
    "a list.json": json.dumps([{"question": q, "answer": a} for q, a in QUESTIONS]),
    "capitals.json": json.dumps([{"Question": q, "Answer ": a} for q, a in QUESTIONS]),
    "chinese.json": json.dumps([{"问题": q, "回答": a} for q, a in QUESTIONS]),
    "lines.jsonl": "\n".join(json.dumps({"q": q, "a": a}) for q, a in QUESTIONS),
    "under a key.json": json.dumps({"name": "Mira", "qa": [{"question": q, "answer": a} for q, a in QUESTIONS]}),
    "a dictionary.json": json.dumps(dict(QUESTIONS)),
    "of the form of settings.json": json.dumps([{"input": q, "text": a} for q, a in QUESTIONS]),
    "named.json": json.dumps([{"question": q, "answer": a, "speaker": "Mira Vale"} for q, a in QUESTIONS]),
    "a table.csv": "Question,Answer\n" + "".join(f'"{q}","{a}"\n' for q, a in QUESTIONS),
    "a table in a text.txt": "Question;Answer\n" + "".join(f"{q};{a}\n" for q, a in QUESTIONS),
    "a Chinese table.csv": "问题,回答\n" + "".join(f'"{q}","{a}"\n' for q, a in QUESTIONS),
    "plain.txt": "".join(f"Q: {q}\nA: {a}\n\n" for q, a in QUESTIONS),
    "numbered.md": "".join(f"**Q{n}:** {q}\n**A{n}:** {a}\n" for n, (q, a) in enumerate(QUESTIONS, 1)),
    "in Chinese.txt": "".join(f"问：{q}\n答：{a}\n" for q, a in QUESTIONS),
}


@pytest.mark.parametrize("name", DRESSES)
def test_questions_and_answers_are_settings_in_any_dress(name: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, DRESSES[name], name)
    assert [(record.kind, record.prompt, record.text) for record in conversion.records] == [
        ("setting_qa", question, answer) for question, answer in QUESTIONS
    ]
    assert {record.speaker for record in conversion.records} == {"Mira Vale"}


@pytest.mark.parametrize(
    "heading", ["Speaker,Text", "speaker , TEXT", "Character,Dialogue", "角色,台词", "说话人,内容"]
)
def test_a_tables_columns_are_known_by_what_people_call_them(heading: str, tmp_path: Path) -> None:
    (record,) = converted(tmp_path, f"{heading}\nBram,Who?\nMira Vale,Only me up here.\n", "a.csv").records
    assert record.text == "Only me up here."


def test_a_column_that_the_table_has_not_is_named_with_those_that_it_has(tmp_path: Path) -> None:
    with pytest.raises(
        UnderstudyError, match=r"a\.csv:2: has no 'What they sya', which `columns` names; it has 'Wer',"
    ):
        converted(
            tmp_path, "Wer,What they say\nMira Vale,Aye.\n", "a.csv", columns=["speaker=Wer", "text=What they sya"]
        )


def test_lines_under_a_key_are_not_taken_apart_since_they_may_be_a_scene(tmp_path: Path) -> None:
    scene = {"scene": [{"who": "Bram", "line": "Who is up there?"}, {"who": "Mira Vale", "line": "Only me."}]}
    with pytest.raises(UnderstudyError, match=r"(?s)has scene, which is no known form.*files: a\.json"):
        converted(tmp_path, json.dumps(scene), "a.json")


@pytest.mark.parametrize(
    "profile", ["Age: 41\nBorn: Port Sorrel\nPet: Admiral\n", "年龄：十七\n生日：三月\n武器：短剑\n"]
)
def test_a_profile_is_no_conversation(profile: str, tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text(profile, encoding="utf-8")
    (tmp_path / "a.txt").write_text("Bram: Who?\nMira Vale: Only me.\n", encoding="utf-8")
    conversion = convert([tmp_path], "Mira Vale", ConversionOptions())
    assert {record.text for record in conversion.records} == {"Only me."}
    assert "Age" not in {reject.speaker for reject in conversion.rejects}


WIKI = """# Mira Vale

| Age | 41 |
|-----|----|
| Born | Port Sorrel |

**Mira Vale** rings the [[bells]] of [Saltmere](http://example.com). She is afraid of *eels*.[1]

## History
Mira was born in Port Sorrel.
She came to Saltmere at nine.

## Quotes
- "Mind the third stair."
- “I eat nothing but eel.”
"""


def test_a_page_about_her_is_passages_without_its_markup_and_lines_under_quotes(tmp_path: Path) -> None:
    records = converted(tmp_path, WIKI, "wiki.md").records
    passage = "Age: 41\nBorn: Port Sorrel\nMira Vale rings the bells of Saltmere. She is afraid of eels."
    assert [(record.kind, record.prompt, record.text) for record in records] == [
        ("background", "Mira Vale", passage),
        ("background", "History", "Mira was born in Port Sorrel.\nShe came to Saltmere at nine."),
        ("dialogue", "", "Mind the third stair."),
        ("dialogue", "", "I eat nothing but eel."),
    ]


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("mira-vale.txt", "She rings the bells and is afraid of eels."),
        ("a.txt", "Mira Vale rings the bells and is afraid of eels."),
        ("a.txt", "Name: Mira Vale\nAge: 41\nFears: eels"),
        (
            "cast.md",
            "# The cast\n## Bram\nHe is forty.\n## Mira Vale\nAge: 41\n### Fears\nShe is afraid of eels.\n## Tam\nNo.",
        ),
        ("cast.md", "# Mira Vale\nAge: 41, and afraid of eels.\n# Bram\nHe is forty."),
        ("a.txt", "【Mira Vale】\nName: Mira Vale\nFears: eels\n【Bram】\nName: Bram\nFears: nothing"),
    ],
)
def test_of_a_text_what_is_about_her_is_her_background(name: str, page: str, tmp_path: Path) -> None:
    records = converted(tmp_path, page, name).records
    assert {record.kind for record in records} == {"background"}
    said = " ".join(record.text for record in records)
    assert "eels" in said
    assert "forty" not in said
    assert "nothing" not in said


@pytest.mark.parametrize(
    "page",
    [
        "Bram is a friend of Mira Vale, and Mira Vale knows him well.",
        "# Bram\nMira Vale knows him well.",
        "You are Mira Vale, who rings the bells. Stay in character.",
        "<html>Mira Vale</html>",
        "{\\rtf1 Mira Vale rings the bells.}",
    ],
)
def test_a_text_that_only_names_her_is_no_page_about_her(page: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=r"holds no raw file|is a web page, and neither about the character"):
        converted(tmp_path, page)


def test_a_long_section_is_several_passages_and_loses_nothing(tmp_path: Path) -> None:
    paragraphs = [
        f"Mira Vale rang bell number {number}, and it was out of tune again, as ever." for number in range(90)
    ]
    records = converted(tmp_path, "\n\n".join(paragraphs)).records
    assert len(records) > 3
    assert "\n".join(record.text for record in records).splitlines() == paragraphs
    assert max(len(record.text) for record in records) < 1400


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.txt", b"", "is empty"),
        ("a.json", b" \n", "is empty"),
        ("a.odt", b"PK\3\4", r"is \.odt.*save its text as \.txt"),
        ("a.rtf", b"{\\rtf1\\ansi Mira Vale: Aye.\\par Bram: No.}", r"is \.rtf.*save its text as \.txt"),
        ("a.md", b"Some prose about bells, which says nothing to anybody.", "no known form"),
        ("a.html", b"<!DOCTYPE html><html><body><p>Who rings?</p></body></html>", r"is a web page, and neither about"),
        ("a.txt", b'"Who?" It rained. "Me." Nobody came. "Then go."', "seems to be prose"),
        ("a.po", b'msgid "Who?"\nmsgstr ""\nmsgid "Me."\nmsgstr ""\n', "no known form"),
    ],
)
def test_why_a_file_is_not_read_is_said_of_it_alone_and_in_a_folder(
    name: str, content: bytes, why: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnderstudyError, match=rf"{name}.*{why}"):
        convert([tmp_path / name], "Mira Vale", ConversionOptions())
    with pytest.raises(UnderstudyError, match=rf"{name}.*{why}"):
        convert([tmp_path], "Mira Vale", ConversionOptions())
    (tmp_path / "b.txt").write_text("Bram: Who?\nMira Vale: Only me.\n", encoding="utf-8")
    said = format_account(account_of(convert([tmp_path], "Mira Vale", ConversionOptions())))
    assert re.search(rf"passed over: .*{name} \({why}", said)


def test_of_a_folder_that_gives_nothing_each_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Beat,Page\nIt rains,4\n", encoding="utf-8")
    (tmp_path / "b.html").write_text("<html><body>Rain.</body></html>", encoding="utf-8")
    for number in range(9):
        (tmp_path / f"c{number}.txt").write_text("It rains.", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"a\.csv:2: has Beat, Page.*b\.html \(is a web page.* and 4 more"):
        convert([tmp_path], "Mira Vale", ConversionOptions())


@pytest.mark.parametrize(
    ("script", "fix"),
    [
        ("Mira: Who is it?\nBram: Me.\nMira: Come up.\n", "--other_names 'Mira'"),
        ("Role: keeper\nBram: No.\nRole: ringer\nBram: Aye.\n", "Role: if these are no people"),
        ("Bram: Me.\nTam: And I.\nBram: Aye.\n", "write the name exactly as the files do"),
    ],
)
def test_where_nothing_is_hers_the_next_thing_to_do_is_said(script: str, fix: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=re.escape(fix)):
        converted(tmp_path, script, "script.txt")


def test_two_answers_to_one_question_are_said(tmp_path: Path) -> None:
    rows = [{"question": "How old are you?", "answer": one} for one in ("Forty-one.", "Forty-two.", "forty-one")]
    said = format_check(converted(tmp_path, json.dumps(rows), "a.json"))
    told = "several answers are taught to a question, 1 times, as to 'How old are you?': 'Forty-one.' and 'Forty-two.'"
    assert told in said


@pytest.mark.parametrize(("one", "other"), [("苏晚晴", "苏婉晴"), ("苏晚晴", "蘇晚晴"), ("苏晚晴", "苏晚睛")])
def test_a_chinese_name_with_one_character_otherwise_is_near(one: str, other: str) -> None:
    assert near_names(one, {other: 3, "陆知远": 2}) == {other: 3}


def test_probes_of_another_character_are_an_error_and_not_a_bad_figure(tmp_path: Path) -> None:
    records = converted(tmp_path, json.dumps([{"question": q, "answer": a} for q, a in QUESTIONS]), "a.json").records
    probe = {"fact_id": "1", "type": "sample", "question_seen": "Who are you?", "questions_unseen": ["And you?"]}
    probes = tmp_path / "probes.jsonl"
    probes.write_text(json.dumps(probe | {"answer": "A baker.", "aliases": ["cat"]}), encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"probes\.jsonl: asks for nothing that the 3 records say"):
        choose_probes(str(probes), records, make_persona("Mira Vale", "en", {}))
    probes.write_text(json.dumps(probe | {"answer": "Forty-one.", "aliases": []}), encoding="utf-8")
    assert choose_probes(str(probes), records, make_persona("Mira Vale", "en", {})) == []  # one answer is no choice


def test_a_probe_has_the_answer_that_is_taught_or_is_refused(tmp_path: Path) -> None:
    """Another answer could never be said word for word, and would count as not known."""
    asked = {"What is your trade?": "I mend nets, mostly.", "Who taught you?": "My aunt Ro."}
    rows = [{"question": question, "answer": answer} for question, answer in asked.items()]
    records = converted(tmp_path, json.dumps(rows), "a.json").records
    persona, file = make_persona("Mira Vale", "en", {}), tmp_path / "probes.jsonl"

    def write(trade: str) -> None:
        lines = zip(asked, [trade, "My aunt Ro."], ["What do you do all day?", "Whose pupil were you?"], strict=True)
        file.write_text(
            "\n".join(
                json.dumps({"fact_id": seen, "question_seen": seen, "answer": answer, "questions_unseen": [unseen]})
                for seen, answer, unseen in lines
            ),
            encoding="utf-8",
        )

    write("I mend nets - mostly")
    assert {probe.answer for probe in choose_probes(str(file), records, persona)} == set(asked.values())
    write("Net mender.")
    with pytest.raises(UnderstudyError, match=r"the records answer 'I mend nets, mostly\.'.*not .Net mender"):
        choose_probes(str(file), records, persona)


def word(*parts: str | list[tuple[str, str]]) -> bytes:
    """A Word document of paragraphs, headings (`# ...`) and tables."""
    document, made = pytest.importorskip("docx").Document(), io.BytesIO()
    for part in parts:
        if isinstance(part, str) and part.startswith("# "):
            document.add_heading(part[2:], 1)
        elif isinstance(part, str):
            document.add_paragraph(part)
        else:
            table = document.add_table(rows=0, cols=2)
            for cells in part:
                row = table.add_row().cells
                row[0].text, row[1].text = cells
    document.save(made)
    return made.getvalue()


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        (("Bram: Who?", "Mira Vale: Only me,\nand the wind."), [("dialogue", "", "Only me, and the wind.")]),
        (("# Mira Vale", [("Age", "41"), ("Fears", "eels")]), [("background", "Mira Vale", "Age: 41\nFears: eels")]),
        (([("Bram", "Who is it?"), ("Mira Vale", "Only me.")],), [("dialogue", "", "Only me.")]),
        (
            ("Q: Your age?", "A: Forty-one.", "Q: Your cat?", "A: Admiral."),
            [("setting_qa", "Your age?", "Forty-one."), ("setting_qa", "Your cat?", "Admiral.")],
        ),
    ],
)
def test_a_word_document_is_read_as_its_text(
    parts: tuple[str | list[tuple[str, str]], ...], kept: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    (tmp_path / "a.docx").write_bytes(word(*parts))
    records = convert([tmp_path], "Mira Vale", ConversionOptions()).records
    assert [(record.kind, record.prompt, record.text) for record in records] == kept


def test_a_document_that_is_none_or_is_about_nobody_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content, what in [
        (b"PK\3\4", "is no sound document"),
        (word("Some prose."), "is a Word document, and neither"),
    ]:
        (tmp_path / "a.docx").write_bytes(content)
        with pytest.raises(UnderstudyError, match=rf"a\.docx: {what}"):
            convert([tmp_path / "a.docx"], "Mira Vale", ConversionOptions())
    monkeypatch.setitem(sys.modules, "docx", None)
    with pytest.raises(UnderstudyError, match=r"is not installed\. To fix it: run `pip install python-docx`"):
        convert([tmp_path / "a.docx"], "Mira Vale", ConversionOptions())


NOVEL = "Orla walked along the quay.\n" + "“Sit,” said Tam, “and tell me of the sea.”\nNothing moved.\n" * 30
OTHERS: list[tuple[str, str, str]] = [
    ("A", "data.txt", "Apache License\nVersion 2.0, January 2004\nA licence is granted to each of you."),
    ("Will", "a.txt", "Will you come to the party? Bring a friend."),
    ("Will", "goodwill.txt", "Willow trees grow by the river, and nobody cuts them."),
    ("May", "maybe_later.txt", "Maybe we should call them tomorrow."),
    ("Kai", "kaiser_history.txt", "Kaitlyn owes me three books and a lamp."),
    ("安", "a.txt", "安装说明：先下载，再运行。"),
    ("我", "a.txt", "我们公司成立于二〇〇一年。"),
    ("Orla", "orla_license.txt", "MIT License. Orla may be copied by anybody."),
    ("Orla", "about_tam.txt", "Tam is a smith, and Orla likes him."),
    ("Orla", "novel.txt", NOVEL),
    ("Orla", "README.md", "# Orla\nA tool for bells.\n## Installation\n```bash\ncargo install orla\n```"),
    ("Orla", "todo.md", "## Orla\n- [ ] fix her greeting\n- [x] draw her boat"),
    ("Orla", "once.txt", "Orla: Sit.\nTam: No.\nJo: Yes.\nAnn: Well.\nEd: Aye."),
    (
        "Orla",
        "half.txt",
        "Orla: Sit down, Tam.\nThe sea roars.\nA gull cries.\nOrla: Well?\nNobody answers.\nIt is dark.",
    ),
    ("Orla", "faq.txt", "Q: How is the program installed?\nA: By pip.\nQ: Which licence is it under?\nA: MIT.\n"),
    ("Orla", "exam.txt", "Q: Which is red?\nA: Apple\nB: Sea\nC: Sky\nQ: Which do you eat?\nA: Apple\nB: Sea\n"),
    ("Orla", "prices.txt", "item\tprice\nOrla\t20\nTam\t30\nOrla\t15\n"),
    ("orla", "stat.txt", " orla | 3 ++-\n tam | 12 +++++\n orla | 1 +\n"),
    ("Orla", "Makefile", "orla: build\n\tcc orla.c\ntam: orla\n\tcc tam.c\norla: all\n"),
    ("Orla", "log.json", '[{"who": "Orla", "content": "GET /index 200"}, {"who": "Tam", "content": "GET /"}]'),
    ("阿棠", "a.csv", "角色,内容\n阿棠,灯塔看守人，三十四岁，独居。\n"),
]


@pytest.mark.parametrize(("character", "name", "content"), OTHERS)
def test_what_is_not_the_characters_is_not_taken_for_it(
    character: str, name: str, content: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(UnderstudyError):
        convert([tmp_path], character, ConversionOptions())


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("# Orla\nShe often says that you are what you do.", True),
        ("# Orla\n别人问她“你是谁”，她只笑一笑。", True),
        ("You are Orla. Stay in character.", False),
        ("写一个故事。\n扮演Orla。", False),
    ],
)
def test_an_instruction_for_a_model_is_known_by_its_beginning(page: str, kept: bool, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(page, encoding="utf-8")
    if kept:
        assert convert([tmp_path], "Orla", ConversionOptions()).records
    else:
        with pytest.raises(UnderstudyError, match="holds no raw file"):
            convert([tmp_path], "Orla", ConversionOptions())


def test_under_quotes_each_line_is_whose_it_says_and_other_headings_end_in_lines_too(tmp_path: Path) -> None:
    quotes = "- “The sea keeps what it takes.” — Orla\n- Tam: Why do you ask?\n— to Tam, chapter 3\n"
    rest = "## Deadlines\nSend the figures by Friday, please.\n## Quotes about Orla\nShe is mad, he says."
    (tmp_path / "a.md").write_text(f"# Orla\nShe keeps a light.\n## Quotes\n{quotes}{rest}", encoding="utf-8")
    conversion = convert([tmp_path], "Orla", ConversionOptions())
    assert [one.text for one in conversion.records if one.kind == "dialogue"] == ["The sea keeps what it takes."]
    assert "Tam" in {reject.speaker for reject in conversion.rejects}


@pytest.mark.parametrize(
    ("script", "lines"),
    [
        ("Orla: Yes, it is so.\nexit Orla\nTam: Well.\n", ["Yes, it is so."]),
        (
            "Orla: Wait.\nTam: Why?\nOrla: Look over there,\nINT. LIGHTHOUSE - NIGHT\nTam: Oh.\n",
            ["Wait.", "Look over there,"],
        ),
        ("阿棠：“你好啊，老谭。“\n天黑了，海上起了风。\n老谭：嗯，是的。\n", ["你好啊，老谭。"]),
        ("阿棠：我在想这件事，\n第二幕\n老谭：嗯，是的。\n", ["我在想这件事，"]),
        ("阿棠：没什么要紧的，\n阿棠转身离开。\n老谭：嗯，是的。\n", ["没什么要紧的，"]),
        (
            "Orla: Hm, so.\n[laughs] I know you.\nTam: Aye.\n门上写着「禁止入内」\nOrla: The price was 20.\n",
            ["Hm, so.", "The price was 20."],
        ),
    ],
)
def test_what_is_not_said_is_not_joined_to_what_is(script: str, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(script, encoding="utf-8")
    name = "Orla" if "Orla:" in script else "阿棠"
    records = convert([tmp_path], name, ConversionOptions()).records
    assert [record.text for record in records] == lines
    assert {turn.speaker for record in records for turn in record.context} <= {"Orla", "Tam", "阿棠", "老谭"}


def test_people_called_q_and_a_talk_to_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(
        "Q: Mon capitaine!\nA: What do you want?\nQ: Your company.\nA: No.\n", encoding="utf-8"
    )
    records = convert([tmp_path], "Q", ConversionOptions()).records
    assert [record.text for record in records] == ["Mon capitaine!", "Your company."]


@pytest.mark.parametrize(
    "line",
    [
        "-" * 5000 + " Background " + "-" * 5000,
        " " * 5000 + "a | b",
        "a |" + " " * 5000 + "|x|",
        "<!--" * 5000,
        "*a " * 5000,
    ],
    ids=["dashes", "spaces before a row", "spaces in a row", "open comments", "open asterisks"],
)
def test_a_page_of_odd_lines_is_read_in_no_time(line: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(f"# Orla\nShe keeps a light on the quay.\n{line}\nAnd a boat.", encoding="utf-8")
    assert convert([tmp_path], "Orla", ConversionOptions()).records


def test_lines_that_end_as_on_an_old_mac_are_lines(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Orla: Sit down.\rTam: I will not.\rOrla: Please do.\r")
    records = convert([tmp_path], "Orla", ConversionOptions()).records
    assert [record.text for record in records] == ["Sit down.", "Please do."]
