"""General conversations are taken as they are, or refused with their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.conversations.render import assistant, user
from pipeline.conversations.replay import read_replay
from pipeline.errors import UnderstudyError

ASKED, REPLIED = user("2 + 2?"), assistant("4.")


def write(path: Path, *entries: Any) -> list[str]:
    path.write_text("".join(json.dumps(entry) + "\n\n" for entry in entries), encoding="utf-8")
    return [str(path)]


def test_both_of_trls_forms_are_read_and_the_last_reply_is_learnt(tmp_path: Path) -> None:
    turns = [{"role": "system", "content": "Be brief."}, ASKED, REPLIED, user("And 3?"), assistant("5.")]
    one, other = read_replay(
        write(tmp_path / "a.jsonl", {"messages": turns}, {"prompt": [ASKED], "completion": [REPLIED]})
    )
    assert (one.prompt, one.completion) == (tuple(turns[:-1]), assistant("5."))
    assert (other.prompt, other.completion, other.kind) == ((ASKED,), REPLIED, "replay")


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"messages": [ASKED]}, "is no conversation that alternates and ends with a reply: user"),
        ({"messages": [ASKED, ASKED, REPLIED]}, "user user assistant"),
        ({"text": "Once upon a time"}, "ends with a reply: nothing"),
        ({"messages": [ASKED, {"role": "assistant", "content": None}]}, "nothing"),
        ({"messages": [ASKED, assistant(" ")]}, "ends with an empty reply"),
        ([ASKED, REPLIED], "nothing"),
    ],
)
def test_what_is_no_conversation_is_named_with_its_line(tmp_path: Path, entry: Any, complaint: str) -> None:
    paths = write(tmp_path / "a.jsonl", {"messages": [ASKED, REPLIED]}, entry)
    with pytest.raises(UnderstudyError, match=rf"a\.jsonl:3: .*{complaint}.*To fix it"):
        read_replay(paths)


def test_broken_json_and_an_empty_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("{", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"a\.jsonl:1: is broken JSON"):
        read_replay([str(tmp_path / "a.jsonl")])
    with pytest.raises(UnderstudyError, match="holds no conversation"):
        read_replay(write(tmp_path / "b.jsonl"))


def test_a_line_separator_inside_a_text_parts_no_line(tmp_path: Path) -> None:
    line = json.dumps({"messages": [user("a\u2028b?"), REPLIED]}, ensure_ascii=False)
    (tmp_path / "a.jsonl").write_text(line + "\n", encoding="utf-8")
    assert read_replay([str(tmp_path / "a.jsonl")])[0].prompt == (user("a\u2028b?"),)
