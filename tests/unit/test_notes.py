"""Markdown notes, as Obsidian and its like have them: the character's labels and text, without the writer's own."""

from pathlib import Path

import pytest

from pipeline.augmentation.extraction import extract_facts
from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

NOTE = """---
age: 34
home: "Saltmere"
tags: [npc, quay]
---
# Mira Vale
#npc #secret/orm

- **Occupation:** bell ringer
- **Mother:** Ines
  - **Age:** 60
- [ ] find out who Orm is

Mira Vale mends [[Great Bells|bells]] on the quay. %% she is Orm %%
![[mira.png|200]]
She ~~was a smuggler~~ counts everything twice.

> [!warning] GM ONLY
> She is the smuggler Orm.

> [!info] On the quay
> Everybody there knows her well.

```dataview
LIST FROM #npc
```
"""


def converted(folder: Path, text: str, name: str = "note.md") -> Conversion:
    (folder / name).write_text(text, encoding="utf-8")
    return convert([folder / name], "Mira Vale", ConversionOptions())


def test_a_note_is_its_labels_and_its_text_without_what_is_the_writers_own(tmp_path: Path) -> None:
    conversion = converted(tmp_path, NOTE)
    assert [one.text for one in conversion.records] == [
        "age: 34\nhome: Saltmere\nOccupation: bell ringer\nMother: Ines (Age: 60)\n"
        "Mira Vale mends bells on the quay.\nShe counts everything twice.\nOn the quay\nEverybody there knows her well."
    ]
    reasons = {reject.reason for reject in conversion.rejects}
    assert reasons == {"a task", "a callout for the writer", "code"}


def test_the_age_below_her_mother_is_her_mothers(tmp_path: Path) -> None:
    text = "# Mira Vale\n- **Home:** Saltmere\n- **Mother:** Ines\n  - **Age:** 60\n- **Likes:** eel pie\n"
    record = converted(tmp_path, text).records[0]
    answers = [fact.answer for fact in extract_facts(record.text, "Mira Vale", "en", title=record.prompt)]
    assert answers == ["I live in Saltmere.", "I like eel pie."]


@pytest.mark.parametrize(
    "text",
    [
        "# Mira Vale\nAge: 34\n## Notes\nShe counts everything twice.\n",
        "# Mira Vale\nAGE ............ 34\nHOME ........... Saltmere\n",
    ],
)
def test_a_label_is_enough_for_a_passage(text: str, tmp_path: Path) -> None:
    assert "34" in converted(tmp_path, text).records[0].text


def test_a_section_of_drafts_is_not_taught(tmp_path: Path) -> None:
    text = "# Mira Vale\nShe mends bells.\n## Draft 1 (OLD, ignore)\nShe is a smuggler of nineteen years.\n"
    conversion = converted(tmp_path, text)
    assert [one.text for one in conversion.records] == ["She mends bells."]
    assert [reject.reason for reject in conversion.rejects] == ["a draft"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("todo.md", "## Mira Vale\n- [ ] fix her greeting\n- [x] draw her boat\n"),
        ("README.md", "# Mira Vale\nA tool for bells.\n```\nmira build\n```\n"),
        ("a.md", "# Mira Vale\nA tool for bells.\n```\nmira build\nmira ring\n```\n"),
    ],
)
def test_tasks_and_code_are_no_page_about_her(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        converted(tmp_path, text, name)


@pytest.mark.parametrize(
    ("line", "heading"), [("##Quay", True), ("#npc", False), ("#npc #quay", False), ("#a/b", False)]
)
def test_tags_are_no_heading(line: str, heading: bool, tmp_path: Path) -> None:
    record = converted(tmp_path, f"# Mira Vale\n{line}\nShe mends bells there.\n").records[0]
    assert record.prompt == ("Quay" if heading else "Mira Vale")


def test_a_title_that_speaks_of_ideas_is_no_reason_against_what_is_below(tmp_path: Path) -> None:
    text = "# Mira Vale, some ideas\nName: Mira Vale\n## Looks\nShe is tall and counts everything twice.\n"
    assert "counts" in "".join(one.text for one in converted(tmp_path, text).records)


def test_what_stands_below_a_discarded_heading_is_discarded_with_it(tmp_path: Path) -> None:
    text = "# Mira Vale\nShe mends bells.\n## Draft 1 (do not use)\n### Looks\nShe is short and bald.\n"
    text += "## Home\nShe lives on the quay.\n"
    conversion = converted(tmp_path, text)
    assert [one.text for one in conversion.records] == ["She mends bells.", "She lives on the quay."]
    assert [(one.reason, one.text) for one in conversion.rejects] == [("a draft", "She is short and bald.")]
