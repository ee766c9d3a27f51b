"""What stands on a saved page and is not the character's: others' lines and facts, what readers wrote, namesakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.result import Conversion

INTRO = {"Mira Vale": "<p>Mira Vale rings the bells of Saltmere.</p>", "陆沉舟": "<p>陆沉舟是雾港诊所的医生。</p>"}
OWN = "<ul><li>“The rope does not lie, you know.”</li></ul>"
OWN_LINE = "The rope does not lie, you know."


def page(title: str, article: str) -> str:
    head = f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{title} | Wiki</title></head><body>"
    return f'{head}<h1 id="firstHeading">{title}</h1><div class="mw-parser-output">{article}</div></body></html>'


def converted(folder: Path, article: str, who: str = "Mira Vale", title: str = "") -> Conversion:
    (folder / "page.html").write_text(page(title or who, INTRO[who] + article), encoding="utf-8")
    return convert([folder / "page.html"], who, ConversionOptions())


def texts(conversion: Conversion, kind: str = "dialogue") -> list[str]:
    return [record.text for record in conversion.records if record.kind == kind]


def reasons(conversion: Conversion) -> dict[str, str]:
    return {reject.text: reject.reason for reject in conversion.rejects}


@pytest.mark.parametrize(
    ("heading", "why"),
    [
        ("Quotes about Mira", "lines about the character"),
        ("Voice-Overs About Vale", "lines about the character"),
        ("What others say", "lines about the character"),
        ("Bram's quotes", "below a heading for somebody else's lines"),
        ("Quotes from Bram", "below a heading for somebody else's lines"),
        ("老鲟的台词", "below a heading for somebody else's lines"),
        ("Voice actor", "below a heading for something else"),
        ("作者简介", "below a heading for something else"),
        ("Other Languages", "below a heading for something else"),
        ("3 thoughts on Mira Vale", "what readers wrote below the page"),
        ("网友评论（12）", "what readers wrote below the page"),
        ("Leave a Reply", "what readers wrote below the page"),
    ],
)
def test_what_stands_below_a_heading_for_others_is_set_aside(heading: str, why: str, tmp_path: Path) -> None:
    others = f"<h2>{heading}</h2><ul><li>“I was a nurse for ten years.”</li></ul>"
    conversion = converted(tmp_path, f"<h2>Quotes</h2>{OWN}{others}")
    assert texts(conversion) == [OWN_LINE]
    assert texts(conversion, "background") == ["Mira Vale rings the bells of Saltmere."]
    assert reasons(conversion) == {"“I was a nurse for ten years.”": why}


@pytest.mark.parametrize("heading", ["Quotes", "Mira's quotes", "To Bram", "From Chapter 3", "About Bram"])
def test_headings_below_quotes_that_name_nobody_else_as_their_speaker_are_hers(heading: str, tmp_path: Path) -> None:
    assert texts(converted(tmp_path, f"<h2>Quotes</h2><h3>{heading}</h3>{OWN}")) == [OWN_LINE]


@pytest.mark.parametrize("heading", ["From Bram", "By Nell Holt", "来自老鲟"])
def test_a_heading_below_quotes_may_say_whose_they_are(heading: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"<h2>Quotes</h2>{OWN}<h3>{heading}</h3><ul><li>“You ring, I mill.”</li></ul>")
    assert texts(conversion) == [OWN_LINE]


def test_where_lines_stand_below_peoples_names_each_ones_are_its_own(tmp_path: Path) -> None:
    lines = {"老鲟": "我来晚了一步。", "陆沉舟": "外面风大，先进来。", "阿棠": "药还没有熬好。"}
    article = "".join(f"<h3>{name}</h3><ul><li>{line}</li></ul>" for name, line in lines.items())
    assert texts(converted(tmp_path, f"<h2>台词</h2>{article}", "陆沉舟")) == [lines["陆沉舟"]]


def test_a_column_of_a_table_of_quotes_says_whose_they_are(tmp_path: Path) -> None:
    rows = {"At night": ("Bram", "I heard the bell."), "At dawn": ("Mira", "So did I, as I rang it.")}
    cells = "".join(f"<tr><td>{when}</td><td>{who}</td><td>{line}</td></tr>" for when, (who, line) in rows.items())
    table = f"<table><tr><th>When</th><th>Who</th><th>Quote</th></tr>{cells}</table>"
    assert texts(converted(tmp_path, f"<h2>Quotes</h2>{table}")) == ["So did I, as I rang it."]


@pytest.mark.parametrize(
    "quotation",
    [
        "<blockquote><p>I will never forgive her.</p><footer>Bram Holt</footer></blockquote>",
        "<blockquote><p>I will never forgive her.</p><p><cite>Bram Holt</cite></p></blockquote>",
        '<div class="quote"><p>I will never forgive her.</p><p class="author">Bram Holt</p></div>',
        "<ul><li>I will never forgive her.<ul><li>Bram Holt</li></ul></li></ul>",
        "<ul><li>“I will never forgive her.” (Bram Holt)</li></ul>",
        "<ul><li>“I will never forgive her,” said Bram.</li></ul>",
        "<ul><li>“I will never forgive her.” ~ Bram Holt</li></ul>",
        "<ul><li>Bram Holt, “I will never forgive her.”</li></ul>",
        "<ul><li>“我不会原谅她。”（老鲟）</li></ul>",
        "<ul><li>“我不会原谅她。”老鲟说。</li></ul>",
    ],
)
def test_a_quotation_that_somebody_else_signs_in_any_way_is_not_hers(quotation: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"<h2>Quotes</h2>{OWN}{quotation}")
    assert texts(conversion) == [OWN_LINE]
    assert len(conversion.rejects) == 1


@pytest.mark.parametrize(
    "quotation",
    [
        "<blockquote><p>I know what I did.</p><footer>— <cite>Mira Vale</cite></footer></blockquote>",
        "<ul><li>I know what I did.<ul><li>Chapter 3</li><li>To Bram, in the tower</li></ul></li></ul>",
        "<ul><li>In the tower<ul><li>I know what I did.</li></ul></li></ul>",
        "<ul><li>“I know what I did.” (Chapter 3)</li></ul>",
        "<ul><li>“I know what I did.” (laughing)</li></ul>",
        "<ul><li>“I know what I did.” to Bram</li></ul>",
    ],
)
def test_where_and_to_whom_she_said_it_is_no_line(quotation: str, tmp_path: Path) -> None:
    assert texts(converted(tmp_path, f"<h2>Quotes</h2>{OWN}{quotation}")) == [OWN_LINE, "I know what I did."]


def test_what_two_people_say_beside_quotations_leaves_the_page_one_about_her(tmp_path: Path) -> None:
    article = (
        "<h2>经典台词</h2><p>老鲟：你不怕风浪？</p><p>陆沉舟：怕什么风浪。</p><ul><li>“外面风大，先进来。”</li></ul>"
    )
    conversion = converted(tmp_path, article, "陆沉舟")
    assert texts(conversion) == ["怕什么风浪。", "外面风大，先进来。"]
    assert texts(conversion, "background") == ["陆沉舟是雾港诊所的医生。"]


def test_you_are_in_a_quotation_near_the_top_is_no_instruction_to_a_model(tmp_path: Path) -> None:
    conversion = converted(tmp_path, "<h2>Quotes</h2><ul><li>You are late for the tide.</li></ul>")
    assert texts(conversion) == ["You are late for the tide."]


@pytest.mark.parametrize(
    "box",
    [
        '<table class="infobox"><tr><th>Age</th><td>41</td></tr><tr><th colspan="2">Voiced by</th></tr>'
        "<tr><th>English</th><td>Jane Roe</td></tr></table>",
        '<aside class="portable-infobox"><div class="pi-data"><h3 class="pi-data-label">Age</h3>'
        '<div class="pi-data-value">41</div></div><section class="pi-group"><h2 class="pi-header">Voiced by</h2>'
        '<div class="pi-data"><h3 class="pi-data-label">English</h3><div class="pi-data-value">Jane Roe</div></div>'
        "</section></aside>",
    ],
)
def test_who_plays_a_part_is_no_fact_of_the_character(box: str, tmp_path: Path) -> None:
    (told,) = texts(converted(tmp_path, box), "background")
    assert "Age: 41" in told
    assert "Jane Roe" not in told


@pytest.mark.parametrize("kind", ["comments-area", "commentThread", "respond"])
def test_comments_below_a_page_are_left_out(kind: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f'<div class="{kind}"><p>I was a nurse for ten years.</p></div>')
    assert texts(conversion, "background") == ["Mira Vale rings the bells of Saltmere."]


@pytest.mark.parametrize(
    ("who", "first"), [("Mira Vale", "<p><b>Mira Vale</b> may refer to:</p>"), ("陆沉舟", "<p>陆沉舟可以指：</p>")]
)
def test_a_page_that_lists_namesakes_is_refused_with_a_word_on_it(who: str, first: str, tmp_path: Path) -> None:
    listed = f"<ul><li>{who}, a song of 1988</li><li>{who}, a village in Kent</li></ul>"
    (tmp_path / "page.html").write_text(page(who, first + listed), encoding="utf-8")
    with pytest.raises(UnderstudyError, match="lists what else is called"):
        convert([tmp_path / "page.html"], who, ConversionOptions())


def test_an_article_that_says_what_something_refers_to_is_none_of_these(tmp_path: Path) -> None:
    assert texts(converted(tmp_path, "<p>Mira Vale may refer to the tide as her brother.</p>"), "background")


def test_a_page_about_a_thing_of_the_name_is_not_about_her(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="neither about the character"):
        converted(tmp_path, f"<h2>Quotes</h2>{OWN}", title="Mira Vale (episode)")


def test_the_script_of_an_episode_of_her_name_is_read_as_one(tmp_path: Path) -> None:
    lines = "<p>Bram: Who is up there?</p><p>Mira Vale: Only me.</p><p>Bram: Well.</p><p>Mira Vale: Come up, then.</p>"
    conversion = converted(tmp_path, lines, title="Mira Vale (episode)")
    assert texts(conversion) == ["Only me.", "Come up, then."]
    assert texts(conversion, "background") == []


@pytest.mark.parametrize(
    "tabs",
    [
        '<div><article class="tabber__panel" title="Bram"><ul><li>I mill the flour.</li></ul></article>'
        '<article class="tabber__panel" data-mw-tabber-title="Mira"><ul><li>I ring the bells.</li></ul></article>'
        "</div>",
        '<div class="tabber wds-tabber"><div class="wds-tabs__wrapper more"><ul><li class="wds-tabs__tab">Mira</li>'
        '<li class="wds-tabs__tab">Bram</li></ul></div><div class="wds-tab__content"><ul><li>I ring the bells.</li>'
        '</ul></div><div class="wds-tab__content"><ul><li>I mill the flour.</li></ul></div></div>',
    ],
)
def test_lines_in_a_tab_with_another_persons_name_are_that_ones(tabs: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"<h2>Quotes</h2>{tabs}<ul><li>Mind the third stair.</li></ul>")
    assert texts(conversion) == ["I ring the bells.", "Mind the third stair."]
    assert reasons(conversion) == {"I mill the flour.": "below a heading for somebody else's lines"}


def test_tabs_without_peoples_names_are_hers(tmp_path: Path) -> None:
    tabs = '<div class="tabbertab" title="Spring"><ul><li>I ring the bells.</li></ul></div>'
    assert texts(converted(tmp_path, f"<h2>Quotes</h2>{tabs}")) == ["I ring the bells."]


def test_a_table_of_lines_in_languages_is_read_in_that_of_the_name(tmp_path: Path) -> None:
    head = "<tr><th>陆沉舟</th><th>中文</th><th>日文</th></tr>"
    row = "<tr><td>登录</td><td>外面风大，先进来。</td><td>お入りなさい。</td></tr>"
    assert texts(converted(tmp_path, f"<h2>台词</h2><table>{head}{row}</table>", "陆沉舟")) == ["外面风大，先进来。"]


def test_a_further_infobox_with_another_title_is_not_about_her(tmp_path: Path) -> None:
    def box(name: str, label: str, value: str) -> str:
        pair = f'<h3 class="pi-data-label">{label}</h3><div class="pi-data-value">{value}</div>'
        title = f'<h2 class="pi-title">{name}</h2>'
        return f'<aside class="portable-infobox">{title}<div class="pi-data">{pair}</div></aside>'

    conversion = converted(tmp_path, f"{box('Mira', 'Age', '41')}<h2>Family</h2>{box('Nell', 'Work', 'Baker')}")
    assert not any("Baker" in text for text in texts(conversion, "background"))
    assert reasons(conversion) == {"Work: Baker": "labels of somebody or something else"}


@pytest.mark.parametrize(
    "table",
    [
        "<table><tr><th colspan=2>老鲟的语音</th></tr><tr><td>相遇</td><td>当然还是我呀。</td></tr></table>",
        "<table><caption>老鲟的语音</caption><tr><th>场合</th><th>台词</th></tr>"
        "<tr><td>相遇</td><td>当然还是我呀。</td></tr></table>",
        "<table><tr><th>陆沉舟</th><th>老鲟</th></tr><tr><td>外面风大，先进来。</td><td>当然还是我呀。</td></tr></table>",
        "<dl><dt>老鲟</dt><dd>当然还是我呀。</dd><dt>沉舟</dt><dd>先进来再说。</dd></dl>",
        "<p><b>老鲟</b></p><ul><li>当然还是我呀。</li></ul><p><b>陆沉舟</b></p><ul><li>外面风大，先进来。</li></ul>",
    ],
)
def test_lines_below_another_persons_name_in_whatever_form_are_not_hers(table: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, f"<h2>语音</h2><ul><li>“外面风大，先进来。”</li></ul>{table}", "陆沉舟")
    assert {*texts(conversion)} == {"外面风大，先进来。"}
