"""Each step of cleaning mends one thing, and nothing else."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records.clean import (
    STEPS,
    CleaningRules,
    clean,
    content_characters,
    has_placeholder,
    is_short,
    is_thought,
    normalise_unicode,
    resolve_placeholders,
    strip_leading_hash,
    strip_markup,
    strip_option_tags,
    unify_ellipses,
    widen_punctuation,
)
from pipeline.records.marks import balance_marks
from pipeline.records.pieces import split_alternatives, split_glued

RULES = CleaningRules()
messy = st.text("钟声渐远我你他她哥妹，。！？,!?;:…⋯·.「」『』（）()[]“”《》/／#{}MF \n\u200babcXYZ12~—", max_size=40)


@given(text=messy)
def test_what_is_clean_stays_as_it_is(text: str) -> None:
    once = clean(text, RULES, "Mira")
    assert clean(once, RULES, "Mira") == once


@given(text=st.text(max_size=60))
def test_any_text_can_be_cleaned(text: str) -> None:
    cleaned = clean(text, RULES, "Mira")
    assert len(cleaned) <= 2 * len(text) + 20


@given(text=st.text("钟声渐远abc，。！？；：「」『』（）《》——……、１２ＡＢ", max_size=40))
def test_full_width_characters_are_never_flattened(text: str) -> None:
    assert normalise_unicode(text) == text.strip()


@given(text=messy)
def test_a_step_says_that_it_found_what_it_changes(text: str) -> None:
    for step in STEPS:
        if step.apply(text, RULES, "Mira") != text:
            assert step.found(text) or step.name in ("placeholders", "option tags")  # these two strip white space too


def test_content_is_what_unicode_calls_a_letter_or_a_number() -> None:
    for char in map(chr, range(0x20000)):  # every script has its place before that, but for rare ideographs
        assert content_characters(char) == (unicodedata.category(char)[0] in "LN"), hex(ord(char))


@given(text=messy)
def test_balanced_marks_are_balanced(text: str) -> None:
    mended = balance_marks(text)
    for opening, closing in ("「」", "『』", "（）", "“”", "《》", "【】"):
        assert mended.count(opening) == mended.count(closing)


@given(text=messy, names=st.sets(st.sampled_from(["渐远", "哥妹", "abc"]), max_size=3))
def test_splitting_drops_only_the_names_and_the_slashes(text: str, names: set[str]) -> None:
    parts = [option for who, part in split_glued("Mira", text, names) for option in split_alternatives(part, RULES)]
    kept = content_characters("".join(parts))
    assert kept <= content_characters(text)
    if not names:
        assert kept == content_characters(text)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("好吧⋯⋯", "好吧……"),
        ("好吧······", "好吧……"),
        ("好吧...", "好吧……"),
        ("Well... yes.", "Well... yes."),
        ("......", "……"),
    ],
)
def test_ellipses_are_unified_where_the_script_is_not_latin(before: str, after: str) -> None:
    assert unify_ellipses(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("真的吗?好!!", "真的吗？好！！"),
        ("十二点:三十", "十二点：三十"),
        ("在 12:30 见", "在 12:30 见"),
        ("Really?", "Really?"),
        ("（好）,走", "（好），走"),
    ],
)
def test_half_width_punctuation_is_widened_beside_chinese_only(before: str, after: str) -> None:
    assert widen_punctuation(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("他是「船工]吧？", "他是「船工」吧？"),
        ("那是[船工」的钟。", "那是「船工」的钟。"),
        ("（我听见了。)", "（我听见了。）"),
        ("「风很大。", "「风很大。」"),
        ("风很大。」", "风很大。"),
        ("去「钟楼，快走。", "去钟楼，快走。"),
        ("a [bracket) and :)", "a [bracket) and :)"),
    ],
)
def test_marks_without_a_partner_are_restored_or_mended(before: str, after: str) -> None:
    assert balance_marks(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Mind{w=0.5} the {b}third{/b} stair.{nw}", "Mind the third stair."),
        ("Mind the<sprite=2> third stair.", "Mind the third stair."),
        ("[[MIRA_LAUGH]]Mind the third stair.", "Mind the third stair."),
        ('NSLOCTEXT("DT", "Row_1", "Mind the \\"third\\" stair.")', 'Mind the "third" stair.'),
        ('INVTEXT("Mind it.")', "Mind it."),
        ("Mind it.\\nNow.", "Mind it.\nNow."),
        ("{a} and [[Page]]", "{a} and [[Page]]"),
    ],
)
def test_an_engines_tags_are_no_words(before: str, after: str) -> None:
    assert clean(before, RULES, "Mira") == after


# Whoever plays, as those who write games put it.
PLAYERS = (
    *("{玩家名}", "{PLAYER_NAME}", "<player>", "<玩家>", "【玩家】", "【主角名】", "#玩家#", "${player}"),
    *("{$玩家昵称}", "{玩家暱稱}", "[玩家名字]", "[玩家]", "#玩家名#", "%player%", "{user}", "<主人公>"),
)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{NICKNAME}，走吧", "朋友，走吧"),
        ("Hold on, {{user}}. {{char}} will.", "Hold on, friend. Mira will."),
        ("{M#他}{F#她}来了", "他来了"),
        ("{F她们}{M他们}来了", "他们来了"),
        ("{RUBY#[S]x}钟{LINK#3}楼{/LINK}", "钟楼"),
        ("{{random:salt,fog}} again {{// unseen }}", "salt again"),
        *((f"{mark}，把伞收好。", "朋友，把伞收好。") for mark in PLAYERS),
        *(
            (f"Well, {one}!", "Well, friend!")
            for one in ("{player}", "<PlayerName>", "$player", "%USERNAME%", "[user]")
        ),
        ("我等的人是【玩家】。", "我等的人是朋友。"),
    ],
)
def test_placeholders_become_what_they_stand_for(before: str, after: str) -> None:
    assert resolve_placeholders(before, RULES, "Mira") == after
    assert not has_placeholder(after)


@pytest.mark.parametrize(
    "text",
    [
        *("%s，把伞收好。", "{0}，收好。", "#name#，收好。", "${who}，收好。", "Mind, <name>.", "Well, [your name]."),
        *(
            "【玩家】收好了吗",
            "获得{1}个贝壳",
            "{1} shells for you.",
            "Take these %d, quick.",
            "Give {1} shells to {2} of them.",
            "%1$s and %2$s",
            "{name}，收好。",
            "Mind $hero_name.",
        ),
    ],
)
def test_a_placeholder_of_which_nobody_can_say_what_it_stands_for_is_left_whole(text: str) -> None:
    after = clean(text, RULES, "Mira")
    assert after == text
    assert has_placeholder(after)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "100%",
            "打八折是80%的价。",
            "It is 50%solid.",
            "#1 in town",
            "[laughs] Fine.",
            "【晚安】灯关了。",
            "<3 for $5",
        ),
        *(
            "[主角]把伞收好。",
            "阿棠[主角]是灯塔看守",
            "[主角]，把伞收好。",
            "我拿了【玩家】最爱灯塔奖",
            "老[玩家]都知道",
        ),
        *(
            "昨天#主角#登台了",
            "#Heroine#的票卖完了",
            "Sing for #MyHeroName# tonight",
            "#玩家#专场很热闹",
            "#nick# again",
        ),
        *("She left [name] on the label.", "Whoever prints %d gets a number.", "Only {2} of them came."),
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert not has_placeholder(text)
    assert clean(text, RULES, "Mira") == text


@pytest.mark.parametrize("mark", [*"{<[【#$%", "{1} ", "[name] ", "%d ", "#a", "[玩家] "])
def test_five_thousand_marks_take_no_time(mark: str) -> None:
    for text in (mark * 5000, f"{mark}name " * 1000, f"{mark}player" * 1000, f"{mark}{'name' * 1200}"):
        clean(text, RULES, "Mira")


def test_the_recipe_decides_who_the_user_is_and_which_alternative_is_taken() -> None:
    rules = CleaningRules(user_name="旅人", alternatives="second")
    assert clean("{NICKNAME}，{M#他}{F#她}和哥哥/妹妹在等", rules, "Mira") == "旅人，她和妹妹在等"
    assert split_alternatives("走吧。/再等等。", rules) == ["再等等。"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("走吧。/再等等…/好", ["走吧。", "再等等…", "好"]),
        ("他/她会来的。", ["他/她会来的。"]),
        ("「潮水认得旧木桩。/船不认得。」", ["「潮水认得旧木桩。/船不认得。」"]),
        ("Yes./No.", ["Yes.", "No."]),
        ("and/or", ["and/or"]),
        ("第2/9声", ["第2/9声"]),
        ("Sit. // too harsh?", ["Sit. // too harsh?"]),
        ("Sit.</if>>Stay.", ["Sit.</if>>Stay."]),
    ],
)
def test_only_whole_sentences_are_options(text: str, parts: list[str]) -> None:
    assert split_alternatives(text, RULES) == parts


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("我在听。老鲟：那就走。", [("Mira", "我在听。"), ("老鲟", "那就走。")]),
        ("老鲟：那就走。", [("老鲟", "那就走。")]),
        ("只有一句话：快走。", [("Mira", "只有一句话：快走。")]),
        ("Late again. Bram: They are many.", [("Mira", "Late again."), ("Bram", "They are many.")]),
    ],
)
def test_a_line_glued_to_another_speakers_is_split(text: str, parts: list[tuple[str, str]]) -> None:
    assert split_glued("Mira", text, {"老鲟", "Bram"}) == parts


def test_small_things() -> None:
    assert strip_leading_hash("#走吧") == "走吧"
    assert [strip_leading_hash(text) for text in ("#1 in Saltmere", "# title", "#")] == [
        "#1 in Saltmere",
        "# title",
        "#",
    ]
    assert strip_option_tags("走吧。（选项一触发）") == "走吧。"
    assert strip_markup("<color=#FF00FFFF>钟</color>声<br>远") == "钟声\n远"
    assert [is_short(text) for text in ("好。", "好的呀。", "Aye.", "……")] == [True, True, False, False]
    assert [is_thought(text) for text in ("（走吧。）", "（走）吧（好）", "(softly)", "（笑）走吧")] == [
        True,
        False,
        True,
        False,
    ]
