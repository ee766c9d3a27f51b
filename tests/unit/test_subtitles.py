"""Subtitles as they are: several people in one, names in brackets, signs, sounds, and lines without a name."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

HEAD = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
HEAD += "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"


def srt(*cues: str) -> str:
    times = "00:00:{:02},000 --> 00:00:{:02},900"
    return "\n".join(f"{n}\n{times.format(n, n)}\n{cue}\n" for n, cue in enumerate(cues, 1))


def ass(*events: tuple[str, str, str]) -> str:
    line = "Dialogue: 0,0:00:{:02}.00,0:00:{:02}.90,{},{},0,0,0,,{}"
    return HEAD + "\n".join(line.format(n, n, style, name, text) for n, (style, name, text) in enumerate(events, 1))


def converted(folder: Path, content: str, character: str, name: str = "a.srt") -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions())


@pytest.mark.parametrize("cue", ["Mira: Which chart?\nTam: The old one.", "- Mira: Which chart?\n- Tam: The old one."])
def test_a_subtitle_of_two_people_is_two_turns(cue: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, srt("Mira: Nobody told me.", cue, "Mira: I am sitting on it."), "Mira")
    assert [record.text for record in conversion.records] == ["Nobody told me.\nWhich chart?", "I am sitting on it."]
    assert conversion.records[1].context[-1] == Turn("Tam", "The old one.")


def test_a_name_that_comes_once_begins_a_turn_amid_a_subtitle(tmp_path: Path) -> None:
    conversion = converted(tmp_path, srt("林渡：你可算回来了。\n阿圆：路上堵住了。", "林渡：先吃饭吧。"), "林渡")
    assert [record.text for record in conversion.records] == ["你可算回来了。", "先吃饭吧。"]


def test_each_line_of_a_speaker_stays_with_the_speaker_where_others_answer_in_the_subtitle(tmp_path: Path) -> None:
    cues = srt("林渡：谁在那里？\n阿圆：是我，别怕。", "林渡：我知道是你。", "阿圆：怕黑了吗？\n林渡：才没有怕黑。")
    assert [record.text for record in converted(tmp_path, cues, "阿圆").records] == ["是我，别怕。", "怕黑了吗？"]


@pytest.mark.parametrize("line", ["第一：活着回来。", "Note: nobody waits."])
def test_what_is_numbered_or_labelled_amid_a_subtitle_is_the_speakers_still(line: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, srt(f"林渡：我只有一件事。\n{line}", "阿圆：知道了。"), "林渡")
    assert [record.text for record in conversion.records] == [f"我只有一件事。\n{line}"]


@pytest.mark.parametrize("brackets", ["【{}】{}", "[{}] {}", "【{}】\n{}"])
def test_names_in_brackets_are_read(brackets: str, tmp_path: Path) -> None:
    said = [("林渡", "这座塔亮了一百年。"), ("阿圆", "今晚也会亮吗？"), ("林渡", "当然会亮的。")]
    conversion = converted(tmp_path, srt(*(brackets.format(*one) for one in said)), "林渡")
    assert [record.text for record in conversion.records] == ["这座塔亮了一百年。", "当然会亮的。"]


def test_a_line_without_a_name_goes_on_only_with_one_that_has_not_ended(tmp_path: Path) -> None:
    cues = srt("Mira: Then we had better both", "learn to cook.", "Tam: Aye.", "Mira: Hand me the tape.", "And pray.")
    conversion = converted(tmp_path, cues, "Mira")
    assert [record.text for record in conversion.records] == [
        "Then we had better both\nlearn to cook.", "Hand me the tape."
    ]  # fmt: skip
    assert [(one.speaker, one.reason) for one in conversion.rejects if one.text == "And pray."] == [("?", "no speaker")]


def test_where_nothing_ends_with_a_full_stop_a_line_without_a_name_goes_on_with_nothing(tmp_path: Path) -> None:
    conversion = converted(tmp_path, srt("林渡：这座塔亮了一百年", "真的吗", "林渡：我在这里"), "林渡")
    assert [record.text for record in conversion.records] == ["这座塔亮了一百年", "我在这里"]


def test_of_two_dashes_the_first_is_the_named_ones_and_a_sign_or_a_sound_is_nobodys(tmp_path: Path) -> None:
    subtitles = ass(
        ("Default", "Tam", "You have me."),
        ("Default", "Mira", "- I have a crew of one.\\N- One and a half."),
        ("Sign", "Mira", "{\\an8\\pos(320,40)}DOCKING BAY 9"),
        ("Default", "", "{\\pos(20,40)}NO ENTRY"),
        ("Default", "Mira", "[sighs]"),
        ("Default", "Mira", "Nobody counts the cat."),
    )
    conversion = converted(tmp_path, subtitles, "Mira", "a.ass")
    assert [record.text for record in conversion.records] == ["I have a crew of one.", "Nobody counts the cat."]
    assert conversion.records[1].context[-1] == Turn("?", "One and a half.")
    reasons = [reject.reason for reject in conversion.rejects]
    assert (reasons.count("a sign"), reasons.count("a sound")) == (2, 1)


def test_a_line_that_begins_anew_is_no_rest_of_anybodys(tmp_path: Path) -> None:
    cues = ["Mira: Then let me tell you", "Get away from her!", "Tam: Too late.", "Mira: It is."]
    assert [record.text for record in converted(tmp_path, srt(*cues), "Mira").records] == [
        "Then let me tell you",
        "It is.",
    ]


def test_a_warning_that_is_quoted_is_nobody(tmp_path: Path) -> None:
    conversion = converted(tmp_path, srt("林渡：我只说一遍\n记住：千万别回头", "阿圆：知道了", "林渡：走"), "林渡")
    assert conversion.records[0].text == "我只说一遍\n记住：千万别回头"


def test_who_is_placed_on_the_screen_and_named_speaks(tmp_path: Path) -> None:
    events = [("Default", "", r"{\pos(320,50)}Mira: I am up here."), ("Default", "Tam", "Come down.")]
    assert [record.text for record in converted(tmp_path, ass(*events), "Mira", "a.ass").records] == ["I am up here."]
