"""What becomes of the files as a whole: reviews, joined transcripts, near-duplicates, many characters, the report."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions, safe_folder_name
from pipeline.records.account import account_of, format_account
from pipeline.records.characters import choose_characters, convert_characters
from pipeline.records.classify import doubt
from pipeline.records.conversion import convert, ensure_converted, write_conversion
from pipeline.records.options import assembly_options
from pipeline.records.pieces import split_glued
from pipeline.records.record import Turn, read_records
from pipeline.records.result import Conversion
from tests.conftest import ROOT


def line(text: str, speaker: str = "Mira", **fields: str) -> dict[str, str]:
    return {"speaker": speaker, "text": text, **fields}


def written(path: Path, entries: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(entries, ensure_ascii=False), encoding="utf-8")
    return path


def converted(path: Path, character: str = "Mira", **options: Any) -> Conversion:
    return convert([path], character, ConversionOptions(**options))


def test_equal_records_are_merged_and_all_their_places_noted(tmp_path: Path) -> None:
    written(tmp_path / "a.json", [line("Mind the third stair."), line("……")])
    written(tmp_path / "b.json", [line("Mind the third stair."), line("……"), line("Mind  the third stair.")])
    conversion = converted(tmp_path)
    (record,) = conversion.records
    assert (record.source, record.also) == (f"{tmp_path}/a.json#0", (f"{tmp_path}/b.json#0", f"{tmp_path}/b.json#2"))
    assert [(reject.source, reject.also) for reject in conversion.rejects] == [
        (f"{tmp_path}/a.json#1", (f"{tmp_path}/b.json#1",))
    ]
    account = account_of(conversion)
    assert (account["read"], account["kept"], account["duplicates"]) == (5, 1, 3)
    assert account["problems"][0] == {"name": "exact duplicates", "found": 2, "treatment": "merge, sources listed"}
    assert account["repeated"] == [{"text": "Mind the third stair.", "times": 3}]


def test_a_line_of_several_is_split_and_the_pieces_are_counted(tmp_path: Path) -> None:
    written(
        tmp_path / "a.json",
        [line("走吧，钟要响了。/再等一等……"), line("我在听着。老鲟：那就走吧。"), line("早些走。", "老鲟")],
    )
    account = account_of(converted(tmp_path))
    assert (account["entries"], account["split"], account["read"]) == (3, 2, 5)
    assert (account["kept"], account["rejected"]) == (3, {"another speaker": 2})


SHORT = [line("好。"), line("走！"), line("（她听见了钟声。）"), line("我在塔上等你。")]


def test_a_control_token_in_a_text_is_said_with_its_place_and_only_that_record_rejected(tmp_path: Path) -> None:
    entries = [line("Good night.<|endoftext|>"), line("The bells are out of tune."), line("Ready?<|im_end|>", "Bram")]
    conversion = converted(written(tmp_path / "a.json", entries))
    assert [record.text for record in conversion.records] == ["The bells are out of tune."]
    assert [reject.reason for reject in conversion.assembled.rejects] == ["a control token in its text"]
    said = format_account(account_of(conversion))
    assert "a.json#0: left out, it holds the control token <|endoftext|>" in said


def test_short_lines_and_thoughts_are_kept_as_the_recipe_says(tmp_path: Path) -> None:
    written(tmp_path / "a.json", SHORT)
    assert [record.text for record in converted(tmp_path).records] == ["我在塔上等你。"]
    kept = converted(tmp_path, short_lines=1, inner_thoughts=True).records
    assert [record.text for record in kept] == ["好。", "（她听见了钟声。）", "我在塔上等你。"]
    assert kept[1].tags == ("line", "an inner thought")


NEAR = ["The bells of Saltmere ring nine times tonight.", "The bells of Saltmere ring nine times tonight!"]


def test_near_duplicates_are_reported_and_merged_if_the_recipe_says_so(tmp_path: Path) -> None:
    written(tmp_path / "a.json", [line(text) for text in NEAR] + [line(text, input=f"{text}?") for text in NEAR])
    kept = converted(tmp_path)
    assert len(kept.records) == 4
    assert [(one.text, other.text) for one, other, _ in kept.near] == [tuple(NEAR)]
    merged = account_of(converted(tmp_path, near_duplicates="merge"))
    assert (merged["kept"], merged["rejected"]) == (3, {"nearly a duplicate": 1})
    assert merged["read"] == merged["kept"] + merged["duplicates"] + sum(merged["rejected"].values())


@pytest.mark.parametrize(
    ("kind", "text", "proposed"),
    [
        ("setting_qa", "Mira has rung the bells of Saltmere for thirty years, as nobody else does.", "background"),
        ("setting_qa", "I have rung the bells for thirty years, and they call me Mira for all of it.", None),
        ("background", "I was born in Saltmere.", "setting_qa"),
        ("background", "Mira was born in Saltmere.", None),
        ("dialogue", "The bells ring.", None),
    ],
)  # fmt: skip
def test_the_wording_may_only_propose_a_kind(kind: Any, text: str, proposed: str | None) -> None:
    said = doubt(kind, "", text, "Mira")
    assert (said.proposed if said else None) == proposed


def test_a_review_is_written_edited_and_fed_back(tmp_path: Path) -> None:
    raw, out = tmp_path / "raw", tmp_path / "out"
    story = "Mira has rung the bells of Saltmere for thirty years, and nobody rings them as she does."
    written(raw / "a.json", [line(story, input="Your work?"), line(f"{story} Nobody!", input="=SUM(A1)"), line("Aye.")])
    account = ensure_converted([raw], "Mira", out, ConversionOptions(), review=True)
    assert account["doubts"]["count"] == 2
    with (out / "review.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["kind"], row["proposed"]) for row in rows] == [("setting_qa", "background")] * 2
    assert rows[1]["prompt"] == "'=SUM(A1)"
    rows[0]["kind"], rows[1]["kind"] = "background", "reject"
    reviewed = tmp_path / "reviewed.csv"
    with reviewed.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    account = ensure_converted([raw], "Mira", out, ConversionOptions(reviewed=str(reviewed)))
    assert account["kinds"] == {"background": 1, "setting_qa": 0, "dialogue": 1}
    assert account["rejected"] == {"left out by review": 1}
    assert account["doubts"]["count"] == 0
    assert read_records(out / "records.jsonl")[0].why == "decided in the review"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("record_id,kind\na,lore\n", r"reviewed\.csv:2: has the kind 'lore'.*write one of background"),
        ("kind\nbackground\n", r"reviewed\.csv:2: has no 'record_id'"),
        (None, "is not there"),
    ],
)
def test_a_broken_review_is_an_error(tmp_path: Path, content: str | None, complaint: str) -> None:
    written(tmp_path / "raw" / "a.json", [line("Aye.")])
    if content:
        (tmp_path / "reviewed.csv").write_text(content, encoding="utf-8")
    with pytest.raises(UnderstudyError, match=complaint):
        converted(tmp_path / "raw", reviewed=str(tmp_path / "reviewed.csv"))


SCENES = """## Dusk
Bram: Who rings the bells tonight?
Mira: I ring the bells of Saltmere, as always!
Mira: And nobody else.
Bram: You look tired.
Mira: Mind the third stair.

Tobin: May I come up?
Mira: Mind the third stair.
"""


def test_single_lines_find_the_turns_before_them_in_a_transcript(tmp_path: Path) -> None:
    lines = ["I ring the bells of Saltmere, as always.", "Mind the third stair.", "The eels are smoked."]
    written(tmp_path / "raw" / "a.json", [line(text) for text in lines])
    (tmp_path / "scenes.txt").write_text(SCENES, encoding="utf-8")
    conversion = converted(tmp_path / "raw", join=[str(tmp_path / "scenes.txt")])
    first, ambiguous, missing = conversion.records
    assert first.context == (Turn("Bram", "Who rings the bells tonight?"),)
    assert re.fullmatch(r"joined 0\.\d\d", first.tags[-1])
    assert first.text == lines[0]
    assert ambiguous.context == missing.context == ()
    joined = account_of(conversion)["joined"]
    assert (joined["found"], joined["ambiguous"], joined["missing"]) == (1, 1, 1)
    assert joined["samples"][0][1] == "Bram: Who rings the bells tonight?"


CAST = [
    line("走吧，钟要响了。", "阿钟"),
    line("……", "阿钟"),
    line("我在听着。阿钟：那就上来吧。", "老鲟"),
    line("夜里风大得很。", "老鲟"),
    line("《渡口指南》第一页", "攻略"),
    line("我只是路过的人。", "路人"),
]


def characters_of(tmp_path: Path, **options: Any) -> dict[str, Any]:
    for name in ("阿钟", "老鲟"):
        entries = [entry for entry in CAST if entry["speaker"] == name]
        written(tmp_path / "raw" / name / "a.json", entries)
    written(tmp_path / "raw" / "other" / "a.json", CAST[4:])
    return convert_characters([tmp_path / "raw"], tmp_path / "out", ConversionOptions(), **options)


def test_many_characters_are_converted_each_into_a_folder_of_its_own(tmp_path: Path) -> None:
    summary = characters_of(tmp_path)
    assert (summary["entries"], summary["split"], summary["read"]) == (6, 1, 7)
    assert summary["read"] == summary["kept"] + summary["duplicates"] + sum(summary["rejected"].values())
    assert summary["rejected"] == {"no content": 1, "a meta speaker": 1, "a speaker who is not converted": 1}
    assert {one["name"]: one["kept"] for one in summary["characters"]} == {"阿钟": 2, "老鲟": 2}
    texts = [record.text for record in read_records(tmp_path / "out" / "阿钟" / "records.jsonl")]
    assert texts == ["走吧，钟要响了。", "那就上来吧。"]
    places = [
        json.loads(text) for text in (tmp_path / "out" / "rejects.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert [place["speaker"] for place in places] == ["攻略", "路人"]
    assert "路人" in (tmp_path / "out" / "cast.json").read_text(encoding="utf-8")


def test_each_raw_record_of_many_characters_is_split_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []

    def counted(speaker: str, text: str, names: Collection[str]) -> list[tuple[str, str]]:
        texts.append(text)
        return split_glued(speaker, text, names)

    monkeypatch.setattr("pipeline.records.pieces.split_glued", counted)
    characters_of(tmp_path)
    assert sorted(texts) == sorted(entry["text"] for entry in CAST)


def test_processes_change_nothing(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    one, two = characters_of(tmp_path / "one"), characters_of(tmp_path / "two", num_proc=2)
    for summary in (one, two):
        del summary["passed_over"]
    assert one == two
    names = sorted(file.relative_to(tmp_path / "one") for file in (tmp_path / "one" / "out").rglob("records.jsonl"))
    for name in names:
        texts = [(tmp_path / which / name).read_text(encoding="utf-8") for which in ("one", "two")]
        assert texts[0].replace("/one/", "/two/") == texts[1]


def test_an_error_in_another_process_says_the_same(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.json").write_text("[", encoding="utf-8")
    with pytest.raises(UnderstudyError, match=r"a\.json:1:2: is broken JSON.*To fix it: repair"):
        convert([tmp_path], "Mira", ConversionOptions(), num_proc=2)


def test_without_folders_of_their_own_those_with_enough_lines_are_chosen() -> None:
    options = assembly_options(ConversionOptions())
    counts = {"Mira": 40, "Bram": 20, "Tobin": 19, "PS": 90, "{{char}}": 80, "": 70, "?": 60}
    assert choose_characters(counts, {"raw"}, options) == ["Mira", "Bram"]
    assert choose_characters(counts, {"raw", "Tobin"}, options) == ["Tobin"]


@given(names=st.lists(st.text(max_size=80), max_size=8, unique=True))
def test_no_name_leads_out_of_the_folder_and_no_two_to_one(names: list[str]) -> None:
    taken: set[str] = set()
    folders = [safe_folder_name(name, taken) for name in names]
    assert len({folder.casefold() for folder in folders}) == len(names)
    for folder in folders:
        assert Path(folder).name == folder
        assert folder not in ("", ".", "..")
        assert not set(folder) & set('<>:"/\\|?*\0\n')
        assert len(folder.encode(errors="replace")) <= 255


def test_names_meant_to_lead_astray_are_tamed(tmp_path: Path) -> None:
    taken: set[str] = set()
    assert safe_folder_name("Mira", taken) == "Mira"
    for name in ("../../etc", "/etc/passwd", "..", "con", "cast.json", "mira", "空/荧", ""):
        folder = safe_folder_name(name, taken)
        assert (tmp_path / folder).resolve().parent == tmp_path.resolve()
        assert re.search(r"-[0-9a-f]{8}$", folder)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.links += [value or "" for name, value in attributes if name in ("href", "src")]
        if tag not in ("meta", "br", "link", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page_of(path: Path) -> tuple[str, _Page]:
    text, page = path.read_text(encoding="utf-8"), _Page()
    page.feed(text)
    assert page.open == []
    return text, page


def test_the_report_shows_what_became_of_everything(tmp_path: Path) -> None:
    story = "Mira has rung the bells of Saltmere for thirty years, and nobody rings them as she does."
    lines = [*(line(text) for text in NEAR), line("这是真的吗?"), line("……"), line(NEAR[0])]
    others = [line("<script>x</script>", "Bram"), line(story, input="Who are you?")]
    written(tmp_path / "raw" / "a.json", [*lines, *others])
    (tmp_path / "raw" / "notes.md").write_text("Nothing to read here.", encoding="utf-8")
    (tmp_path / "scenes.txt").write_text(SCENES, encoding="utf-8")
    conversion = converted(tmp_path / "raw", join=[str(tmp_path / "scenes.txt")])
    account = write_conversion(conversion, tmp_path / "out", fingerprint="x")
    assert json.loads((tmp_path / "out" / "conversion.json").read_text(encoding="utf-8")) == account
    text, page = page_of(tmp_path / "out" / "conversion.html")
    assert page.links == []
    assert "<script>" not in text
    for shown in (
        "4 kept",
        "another speaker",
        "no content",
        "half-width punctuation",
        "这是真的吗？",
        "notes.md",
        "utf-8",
        "Nearly the same",
        "2×",
        "perhaps passages",
        "1 other speakers",
        "Lines joined",
    ):
        assert shown in text, shown


def test_the_report_of_many_characters_links_to_each_ones_own(tmp_path: Path) -> None:
    characters_of(tmp_path)
    text, page = page_of(tmp_path / "out" / "cast.html")
    assert len(page.links) == 2
    for link in page.links:
        assert (tmp_path / "out" / unquote(link)).is_file()
        page_of(tmp_path / "out" / unquote(link))
    assert "2 characters" in text


@pytest.mark.parametrize(("folder", "name", "read"), [("wren", "Wren Halloway", 729), ("aheng", "阿蘅", 416)])
def test_the_sample_characters_lose_nothing_to_cleaning(folder: str, name: str, read: int) -> None:
    account = account_of(converted(ROOT / "data" / folder / "raw", name))
    assert account["read"] == read
    assert set(account["rejected"]) == {"another speaker", "no content"}
    assert account["rejected"]["no content"] == 2
    assert account["split"] == account["near"]["pairs"] == account["doubts"]["count"] == 0
