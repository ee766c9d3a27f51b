"""HTML as people hand it over: chats that programs export as pages, and pages of wikis that a browser saved."""

from __future__ import annotations

import contextlib
import email.message
import html
import sys
import time
from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.account import account_of, format_account
from pipeline.records.conversion import convert
from pipeline.records.readers.web.page_content import subject_of
from pipeline.records.record import Turn
from pipeline.records.result import Conversion
from tests.raw_files import FORMS

HEAD = "<!DOCTYPE html><html><head><meta charset='utf-8'><title>{}</title></head><body>{}</body></html>"


def converted(folder: Path, page: str | bytes, name: str = "page.html", who: str = "Mira Vale") -> Conversion:
    (folder / name).write_bytes(page.encode() if isinstance(page, str) else page)
    return convert([folder / name], who, ConversionOptions())


def wiki(title: str, article: str, before: str = "") -> str:
    body = f'<nav>Menu</nav>{before}<h1 id="firstHeading">{title}</h1><div id="mw-content-text">'
    return HEAD.format(
        f"{title} | Wiki", f'{body}<div class="mw-parser-output">{article}</div></div><footer>Us</footer>'
    )


def said(conversion: Conversion) -> list[tuple[str, str]]:
    return [(record.prompt, record.text) for record in conversion.records if record.kind == "dialogue"]


def told(conversion: Conversion) -> dict[str, str]:
    return {record.prompt: record.text for record in conversion.records if record.kind == "background"}


def reasons(conversion: Conversion) -> dict[str, str]:
    return {reject.text: reject.reason for reject in conversion.rejects}


def telegram(*messages: str) -> str:
    return HEAD.format("Exported Data", f'<div class="page_wrap"><div class="history">{"".join(messages)}</div></div>')


def message(name: str, inside: str, at: str = "13.06.2023 19:04:05 UTC+03:00") -> str:
    named = f'<div class="from_name">\n{name} \n</div>' if name else ""
    date = f'<div class="pull_right date details" title="{at}">19:04</div>'
    joined = "" if name else " joined"
    return (
        f'<div class="message default clearfix{joined}" id="message1">'
        f'<div class="body">{date}{named}{inside}</div></div>'
    )


def text(content: str) -> str:
    return f'<div class="text">\n{content}\n       </div>'


TELEGRAM = telegram(
    '<div class="message service" id="message-1"><div class="body details">13 June 2023</div></div>',
    message("Bram", text("Who is <strong>up</strong> there?<br>Say it.")),
    message(
        "Mira Vale via @gif", '<div class="reply_to details">In reply to this message</div>' + text("Me &amp; mine.")
    ),
    message(
        "",
        text('Come <span class="spoiler"><span aria-hidden="true">up</span></span>.')
        + '<span class="reactions">9</span>',
    ),
    message("", '<div class="media_wrap clearfix"><a class="photo_wrap">Photo</a></div>'),
    message("", '<div class="media_wrap clearfix"></div>' + text("My eel, smoked.")),
    message("Mira Vale", f'<div class="forwarded body"><div class="from_name">Tam</div>{text("I stole it.")}</div>'),
    message("Mira Vale", text("Another day."), "14.06.2023 19:04:05 UTC+03:00"),
)


def test_a_message_without_a_name_is_of_the_one_above_and_what_is_forwarded_is_nobodys_speech(tmp_path: Path) -> None:
    conversion = converted(tmp_path, TELEGRAM, "messages2.html")
    asked = Turn("Bram", "Who is up there?\nSay it.")
    assert [(record.text, record.context) for record in conversion.records] == [
        ("Me & mine.", (asked,)),
        ("Come up.", (asked,)),
        ("My eel, smoked.", (asked,)),
        ("Another day.", ()),
    ]
    assert reasons(conversion)["Tam\nI stole it."] == "a forwarded message"
    assert reasons(conversion)["Photo"] == "a picture or another file"
    assert reasons(conversion)["13 June 2023"] == "a notice of the program"


def test_a_joined_message_below_a_notice_or_at_the_beginning_is_nobodys(tmp_path: Path) -> None:
    page = telegram(
        message("", text("Who speaks?")),
        message("Mira Vale", text("I ring the bells.")),
        '<div class="message service"><div class="body details">Bram joined Telegram</div></div>',
        message("", text("And I?")),
    )
    assert said(converted(tmp_path, page)) == [("", "I ring the bells.")]


def test_what_a_message_of_telegrams_quotes_is_not_its_senders(tmp_path: Path) -> None:
    page = telegram(
        message("Mira Vale", text("<blockquote>Come down now.</blockquote>Not before the tide.")),
        message("Mira Vale", text("<blockquote>The eels are mine.</blockquote>")),
    )
    conversion = converted(tmp_path, page)
    assert said(conversion) == [("", "Not before the tide.")]
    assert reasons(conversion) == {"The eels are mine.": "a quotation alone"}


@pytest.mark.parametrize("gap", [6.0, 0.0])
def test_telegrams_clock_is_read_with_its_zone(gap: float, tmp_path: Path) -> None:
    page = telegram(
        message("Bram", text("Well?"), "13.06.2023 23:00:00 UTC+03:00"),
        message("Mira Vale", text("Not yet."), "13.06.2023 21:30:00 UTC+00:00"),
        message("Bram", text("Now?"), "14.06.2023 08:00:00 UTC+00:00"),
        message("Mira Vale", text("Now it is."), "no time"),
    )
    (tmp_path / "a.html").write_text(page, encoding="utf-8")
    records = convert([tmp_path], "Mira Vale", ConversionOptions(scene_gap=gap)).records
    assert [len(record.context) for record in records] == [1, 1 if gap else 3]


def test_a_chat_that_qq_exported_as_a_web_archive_has_its_days_and_its_notices(tmp_path: Path) -> None:
    def row(who: str, at: str, shown: str) -> str:
        head = f"<div style=color:#006EFE;><div style=float:left;margin-right:6px;>{who}</div>{at}</div>"
        return f"<tr><td>{head}<div style=padding-left:20px;><font color='000000'>{shown}</font></div></td></tr>"

    rows = (
        "<tr><td><div><b>消息记录</b></div></td></tr><tr><td><div>消息对象:雾港诊所</div></td></tr>"
        "<tr><td style=font-weight:bold;>日期: 2023-06-13</td></tr>"
        + row("顾里(12345678)", "9:04:05", "你在诊所吗？<br>外面下雨了。")
        + row("【群主】陆沉舟(87654321)", "9:05:05", "在，你上来吧。&nbsp;")
        + row("陆沉舟(87654321)", "9:06:05", "<IMG src={A}.dat>")
        + row("陆沉舟(87654321)", "9:06:06", "顾里 8:01:07<br>药我放在门口了。")
        + row("系统消息(10000)", "9:07:05", "你撤回了一条消息")
        + "<tr><td style=font-weight:bold;>日期: 2023-06-14</td></tr>"
        + row("陆沉舟(87654321)", "9:05:05", "今天晴了，出去走走。")
    )
    head = 'MIME-Version: 1.0\nContent-Type:multipart/related;\n\tboundary="x"\n\n--x\nContent-Type: text/html\n\n'
    page = f"{head}<html><body><table>{rows}</table></body></html>\n--x--\n"
    conversion = converted(tmp_path, page, "a.mht", who="陆沉舟")
    assert [(record.text, record.context) for record in conversion.records] == [
        ("在，你上来吧。", (Turn("顾里", "你在诊所吗？\n外面下雨了。"),)),
        ("今天晴了，出去走走。", ()),
    ]
    assert {"a picture or another file", "a notice of the program"} <= {*reasons(conversion).values()}


def new_message(inside: str, number: int) -> str:
    return (
        f'<div class="chatlog__message-container" data-message-id="{number}"><div class="chatlog__message">'
        f'<div class="chatlog__message-aside"><img class="chatlog__avatar" alt="Avatar"></div>'
        f'<div class="chatlog__message-primary">{inside}</div></div></div>'
    )


def new_content(shown: str) -> str:
    content = f'<span class="chatlog__markdown-preserve"><!--wmm:ignore-->{shown}<!--/wmm:ignore--></span>'
    return (
        f'<div class="chatlog__content chatlog__markdown">{content}'
        '<span class="chatlog__edited-timestamp">(edited)</span></div>'
    )


FIRST, A_DAY = 1118226 * 10**12, 86_400_000 << 22
REPLY = (
    '<div class="chatlog__reply"><div class="chatlog__reply-author">Tam</div>'
    '<div class="chatlog__reply-content">Eh?</div></div>'
)
QUOTE = '<div class="chatlog__markdown-quote"><div class="chatlog__markdown-quote-content">Who dares?</div></div>'
NEW_DISCORD = HEAD.format(
    "Saltmere",
    '<div class="chatlog"><div class="chatlog__message-group">'
    + new_message('<span class="chatlog__author">Bram</span>' + new_content("Who is up there?\nSay it."), FIRST)
    + '</div><div class="chatlog__message-group">'
    + new_message(
        REPLY
        + '<span class="chatlog__author" title="mira">Mira Vale</span>'
        + new_content('Only me <img class="chatlog__emoji" alt="bell"> <img class="chatlog__emoji" alt="🔔">'),
        FIRST + 1,
    )
    + new_message(new_content(f"{QUOTE}Come up."), FIRST + 2)
    + new_message('<div class="chatlog__attachment"><img></div>', FIRST + 3)
    + new_message('<div class="chatlog__forwarded"><div>I stole it.</div></div>', FIRST + 4)
    + new_message(
        '<span class="chatlog__system-notification-author">Mira Vale</span> '
        '<span class="chatlog__system-notification-content">pinned a message to this channel.</span>',
        FIRST + 5,
    )
    + new_message(new_content("Another day."), FIRST + A_DAY)
    + "</div></div>",
)
OLD_DISCORD = HEAD.format(
    "Saltmere",
    '<div class="chatlog"><div class="chatlog__message-group"><div class="chatlog__messages">'
    f'<span class="chatlog__author-name">Bram</span><div class="chatlog__message" data-message-id="{FIRST}">'
    '<div class="chatlog__content"><div class="markdown">'
    '<span class="preserve-whitespace">Who is up there?\nSay it.</span>'
    '</div></div></div></div></div><div class="chatlog__message-group"><div class="chatlog__messages">'
    '<span class="chatlog__author-name">Mira Vale</span><span class="chatlog__timestamp">13-Jun-23 07:04 PM</span>'
    f'<div class="chatlog__message" data-message-id="{FIRST + 1}"><div class="chatlog__content"><div class="markdown">'
    '<span class="preserve-whitespace">Only me <img class="emoji" alt=":bell:"> <img class="emoji" alt="🔔"></span>'
    '<span class="chatlog__edited-timestamp">(edited)</span></div></div></div>'
    f'<div class="chatlog__message" data-message-id="{FIRST + 2}"><div class="chatlog__content"><div class="markdown">'
    '<span class="preserve-whitespace"><div class="quote">Who dares?</div>Come up.</span></div></div></div>'
    f'<div class="chatlog__message" data-message-id="{FIRST + 5}"><div class="chatlog__content"><div class="markdown">'
    '<span class="preserve-whitespace">Pinned a message.</span></div></div></div>'
    f'<div class="chatlog__message" data-message-id="{FIRST + A_DAY}"><div class="chatlog__content">'
    '<div class="markdown"><span class="preserve-whitespace">Another day.</span></div></div></div></div></div></div>',
)


@pytest.mark.parametrize("page", [NEW_DISCORD, OLD_DISCORD], ids=["new", "old"])
def test_an_exported_channel_is_read_in_its_new_and_its_old_dress(page: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, page)
    asked = Turn("Bram", "Who is up there?\nSay it.")
    assert [(record.text, record.context) for record in conversion.records] == [
        ("Only me :bell: 🔔", (asked,)),
        ("Come up.", (asked,)),
        ("Another day.", ()),
    ]
    assert "quotations before replies left out" in format_account(account_of(conversion))
    assert "a notice of the program" in reasons(conversion).values()


def test_what_another_wrote_is_not_learnt_from_who_forwards_it(tmp_path: Path) -> None:
    assert reasons(converted(tmp_path, NEW_DISCORD))["I stole it."] == "a forwarded message"


FANDOM = wiki(
    "Mira Vale",
    '<aside role="region" class="portable-infobox"><h2 class="pi-item pi-title">Mira</h2>'
    '<figure class="pi-image"><figcaption>In rain</figcaption></figure>'
    '<div class="pi-item pi-data"><h3 class="pi-data-label">Age</h3>'
    '<div class="pi-data-value">41<sup class="reference">[1]</sup></div></div>'
    '<div class="pi-item pi-data"><h3 class="pi-data-label">Work</h3>'
    '<div class="pi-data-value"><ul><li>Ringer</li><li>Chandler</li></ul></div></div>'
    '<section class="pi-item pi-smart-group"><section class="pi-smart-group-head">'
    '<h3 class="pi-smart-data-label">Height</h3>'
    '<h3 class="pi-smart-data-label">Weight</h3></section><section class="pi-smart-group-body">'
    '<div class="pi-smart-data-value">170 cm</div><div class="pi-smart-data-value">60 kg'
    "</div></section></section></aside>"
    '<p><b>Mira Vale</b> rings the nine bells of Saltmere<sup class="reference">[1]</sup>, as ever<!-- x -->.</p>'
    '<div id="toc" class="toc"><h2>Contents</h2><ul><li>1 Looks</li></ul></div>'
    '<h2><span class="mw-headline">Looks</span><span class="mw-editsection">[edit]</span></h2>'
    "<p>She is tall, and wears her father's coat in any weather.</p>"
    '<div class="thumb">A picture of her.</div><script>var a = "b";</script>'
    '<h2>Friends</h2><table class="wikitable"><tr><th>Who</th><th>Bond</th><th>Since</th>'
    "</tr><tr><td>Bram</td><td>friend</td><td>1999</td></tr></table>"
    '<h2>Quotes</h2><ul><li>"I never knew that."</li><li>"Late again." – Bram</li></ul>'
    '<h3>Combat</h3><ul><li>"Down the stairs with you!"</li></ul>'
    '<h2>Quotes about Mira Vale</h2><ul><li>"She is as patient as the tide."</li></ul>'
    '<h2>References</h2><ol class="references"><li>Book 1, p. 3</li></ol>'
    '<table class="navbox"><tr><td>Characters</td></tr></table>',
)


def test_a_wikis_page_is_labels_passages_and_lines_without_what_surrounds_them(tmp_path: Path) -> None:
    conversion = converted(tmp_path, FANDOM)
    first = (
        "Age: 41\nWork: Ringer; Chandler\nHeight: 170 cm\nWeight: 60 kg\nMira Vale rings the"
        " nine bells of Saltmere, as ever."
    )
    assert told(conversion) == {
        "Mira Vale": first,
        "Looks": "She is tall, and wears her father's coat in any weather.",
    }
    assert said(conversion) == [("", "I never knew that."), ("", "Down the stairs with you!")]
    assert reasons(conversion) == {
        "Late again.": "another speaker",
        "Who | Bond | Since\nBram | friend | 1999": "a table of the page",
        '"She is as patient as the tide."': "lines about the character",
    }


VOICE = {
    "Fandom": (
        "Mira Vale/Voice-Overs",
        "<p>Voice-overs of Mira Vale.</p><h2>Story</h2><table><tr><th>Title</th><th>Details</th>"
        "</tr><tr><th>Hello<br><small>Level 1</small>"
        '</th><td><span class="audio-button">Media:a.ogg</span> I am Mira, and those are bells.</td></tr></table>'
        "<h2>Combat</h2><table><tr><th>Fallen</th><td>Not the stairs...</td></tr><tr><th>Low HP"
        "</th><td>Ring it for me.</td></tr></table>",
    ),
    "BWIKI": (
        "Mira Vale",
        "<p>Mira rings the bells of Saltmere every day.</p><h2>角色语音</h2><table><tr><th>Hello"
        "</th><td>I am Mira, and those are bells.</td></tr>"
        "<tr><th>Fallen</th><td>Not the stairs...</td></tr><tr><th>Low HP</th><td>Ring it for me.</td></tr></table>",
    ),
    "萌娘百科": (
        "Saltmere:Mira Vale",
        "<p>Mira rings the bells of Saltmere every day.</p><h2>语音</h2><table><tr><th>场合</th>"
        "<th>台词</th><th>语音</th></tr><tr><td>Hello</td>"
        "<td>I am Mira, and those are bells.</td><td>播放</td></tr></table><h3>战斗</h3><dl>"
        "<dt>Fallen</dt><dd>Not the stairs...</dd>"
        "<dt>Low HP</dt><dd>Ring it for me.</dd></dl>",
    ),
}


@pytest.mark.parametrize("site", VOICE)
def test_voice_lines_stand_under_their_titles(site: str, tmp_path: Path) -> None:
    assert said(converted(tmp_path, wiki(*VOICE[site]))) == [
        ("Hello", "I am Mira, and those are bells."),
        ("Fallen", "Not the stairs..."),
        ("Low HP", "Ring it for me."),
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "<h2>Other characters' lines</h2><table><tr><th>Character</th><th>Line</th></tr><tr>"
        "<td>Bram</td><td>She is dry.</td></tr></table>",
        "<h2>Quotes</h2><h3>About Mira Vale</h3><dl><dt>Bram</dt><dd>She is dry.</dd></dl>",
        "<h2>语音</h2><h3>其他角色的评价</h3><ul><li>She is dry.</li></ul>",
        "<h2>Quotes</h2><table><tr><th>Character</th><th>Quote</th></tr><tr><td>Bram</td>"
        "<td>She is dry.</td></tr></table>",
        "<h2>Quotes</h2><table><tr><th>When</th><th>Who</th><th>Where</th></tr><tr><td>1</td>"
        "<td>2</td><td>She is dry.</td></tr></table>",
        "<h2>Quotes</h2><p><b>She is dry.</b></p><p>I ring the bells.</p>",
        '<h2>Lines</h2><dl><dd>"She is dry."<dl><dd>―Bram</dd></dl></dd></dl><ul><li>I ring the bells.</li></ul>',
        "<h2>Quotes</h2><blockquote><p>She is dry.</p><p>— Bram</p></blockquote><p>“I ring.”</p>",
        "<h2>Quotes</h2><ul><li>She is dry.<br>— Bram</li><li>I ring the bells.</li></ul>",
        "<h2>Quotes</h2><p>“She is dry.”</p><p>— Bram</p><p>“I ring the bells.”</p>",
        "<h2>Quotes</h2><p>Here she is dry.</p><ul><li>I ring the bells.</li></ul>",
        "<h2>Quotes</h2><p>Here she is dry.</p><p>“I ring the bells.”</p>",
    ],
)
def test_what_is_not_surely_hers_is_set_aside_and_no_line_of_hers(lines: str, tmp_path: Path) -> None:
    conversion = converted(tmp_path, wiki("Mira Vale", f"<p>Mira rings the bells of Saltmere every day.</p>{lines}"))
    assert not [line for _, line in said(conversion) if "dry" in line]
    assert not [line for line in told(conversion).values() if "dry" in line]
    assert [line for line in reasons(conversion) if "dry" in line]


def test_the_titles_of_anothers_lines_are_no_speakers(tmp_path: Path) -> None:
    rows = {"Bram": "Late again, as ever.", "Tam": "He is ten, and quick.", "Low HP": "Ring it for me."}
    table = "".join(f"<tr><th>{title}</th><td>{line}</td></tr>" for title, line in rows.items())
    page = wiki(
        "Mira Vale/Voice-Overs", f"<h2>About others</h2><table>{table}</table><dl><dt>Bram</dt><dd>Dry.</dd></dl>"
    )
    with pytest.raises(UnderstudyError, match="neither about the character, nor a script"):
        converted(tmp_path, page, who="Bram")


BAIKE = {
    "of old": '<div class="main-content"><dl class="lemmaWgt-lemmaTitle">'
    '<dd class="lemmaWgt-lemmaTitle-title"><h1>陆沉舟</h1>'
    '<h2>（小说中的角色）</h2><a class="edit-lemma">编辑</a></dd></dl>'
    '<div class="lemma-summary"><div class="para">陆沉舟是雾港诊所的医生。'
    '<sup class="sup--normal">[1]</sup></div></div><div class="basic-info">'
    '<dl class="basicInfo-block basicInfo-left">'
    '<dt class="basicInfo-item name">年&nbsp;&nbsp;&nbsp;&nbsp;龄</dt>'
    '<dd class="basicInfo-item value">三十二岁</dd></dl>'
    '<dl class="basicInfo-block"><dt class="basicInfo-item name">职业</dt>'
    '<dd class="basicInfo-item value">医生<br>船医</dd></dl></div>'
    '<div class="lemma-catalog"><h2>目录</h2></div><div class="para-title level-2"><h2>'
    '<span class="title-prefix">陆沉舟</span>角色形象</h2>'
    '<a class="edit-icon">编辑</a></div><div class="para">他总是穿着一件旧风衣，话不多。</div>'
    '<dl class="lemma-reference"><dt>参考资料</dt><dd>雾港官网</dd></dl></div>'
    '<div class="side-content">词条统计</div>',
    "of today": '<div class="mainContent_Zj6Ps"><h1 class="lemmaTitle_qmNnR J-lemma-title">陆沉舟</h1>'
    '<div class="lemmaSummary_M04mg">'
    '<div class="para_YYuCh"><span>陆沉舟是雾港诊所的医生。</span><sup class="supWrap_LtD19">[1]</sup></div></div>'
    '<div class="basicInfo_AbKQ6 J-basic-info"><dl class="basicInfoBlock_qvhZH"><div class="itemWrapper_eC3dP">'
    '<dt class="basicInfoItem_vbiBk">年龄</dt><dd class="basicInfoItem_vbiBk"><span>三十二岁</span></dd></div>'
    '<div class="itemWrapper_eC3dP"><dt>职业</dt><dd>医生<br>船医</dd></div></dl></div>'
    '<div class="paraTitle_zdTPK level-1_dAZGc"><h2>角色形象</h2><div class="action_b">'
    '<span class="editBtn_x">编辑</span></div></div>'
    '<div class="para_YYuCh">他总是穿着一件旧风衣，话不多。</div></div>'
    '<div class="sideContent_SJlxJ">浏览次数</div>',
}


@pytest.mark.parametrize("age", BAIKE)
def test_a_page_of_baike_is_its_labels_and_paragraphs(age: str, tmp_path: Path) -> None:
    page = HEAD.format("陆沉舟（小说中的角色）_百度百科", BAIKE[age])
    assert told(converted(tmp_path, page, who="陆沉舟")) == {
        "陆沉舟": "陆沉舟是雾港诊所的医生。\n年龄：三十二岁\n职业：医生；船医",
        "角色形象": "他总是穿着一件旧风衣，话不多。",
    }


def test_stories_in_a_table_are_passages_under_their_titles(tmp_path: Path) -> None:
    long = "陆沉舟来到雾港的那一年，码头刚刚起了一场大火。他在灰烬里支起了第一张病床，从此没有离开过这里。"
    article = (
        f"<h2>角色故事</h2><table><tr><th>角色详细</th><td>{long}</td></tr><tr><th>角色故事1</th><td>又，{long}"
        "</td></tr></table><p>下略，再无他话。</p>"
    )
    assert told(converted(tmp_path, wiki("陆沉舟", article), who="陆沉舟")) == {
        "角色详细": long,
        "角色故事1": f"又，{long}",
        "角色故事": "下略，再无他话。",
    }


def test_a_quotation_has_its_source_behind_it_and_a_conversation_its_speakers(tmp_path: Path) -> None:
    article = (
        '<blockquote class="pull-quote"><div class="pull-quote__text">Mind the third stair.</div>'
        '<div class="pull-quote__source"><cite>Mira Vale</cite></div></blockquote>'
        '<table class="cquote"><tr><td>“</td><td>Late again, as ever.</td><td>”</td></tr><tr>'
        "<td>— Bram, to her</td></tr></table>"
        '<div class="quote"><p>Bram: Well?</p><p>Mira Vale: Aye, aye.</p></div>'
        "<ul><li>Salt. And eels.</li></ul>"
    )
    conversion = converted(tmp_path, wiki("Mira Vale", f"<h2>Quotes</h2>{article}"))
    assert said(conversion) == [("", "Mind the third stair."), ("", "Aye, aye."), ("", "Salt. And eels.")]
    assert reasons(conversion) == {"Late again, as ever.": "another speaker", "Well?": "another speaker"}


def test_a_script_and_prose_on_a_page_are_read_as_such(tmp_path: Path) -> None:
    dialogue = (
        "<dl><dd><b>Bram:</b> Who is it?</dd><dd><b>Mira Vale:</b> Only me.</dd><dd><b>Bram:</b> Come up.</dd></dl>"
    )
    (record,) = converted(tmp_path, wiki("Mira Vale/Dialogue", f"<h2>The tower</h2>{dialogue}")).records
    assert (record.prompt, record.text, record.context) == ("The tower", "Only me.", (Turn("Bram", "Who is it?"),))
    told_lines = [
        "It rained.",
        "“Who is it?” said Bram.",
        "“Only me,” said Mira Vale.",
        "“Come up,” Bram said.",
        "“Aye, aye,” said Mira Vale.",
    ]
    page = HEAD.format(
        "Chapter 1 - Tales",
        "<article><h1>Chapter 1</h1>"
        + "".join(f"<p>{one}</p>" for one in told_lines)
        + "</article><div class='comments'><p>Mira Vale: first!</p></div>",
    )
    assert said(converted(tmp_path, page)) == [("Chapter 1", "Only me."), ("Chapter 1", "Aye, aye.")]


@pytest.mark.parametrize(
    ("title", "subject"),
    [
        ("Mira Vale", ("Mira Vale", "")),
        ("mira vale (Saltmere)", ("mira vale", "")),
        ("Saltmere:Mira Vale", ("Mira Vale", "")),
        ("Mira Vale/Voice Lines/English", ("Mira Vale", "Voice Lines/English")),
        ("Mira Vale's Quotes", ("Mira Vale", "Quotes")),
        ("Mira Vale and Bram", ("Mira Vale and Bram", "")),
        ("Chapter 3: Mira Vale's song", ("Chapter 3: Mira Vale's song", "")),
    ],
)
def test_whom_a_title_is_about(title: str, subject: tuple[str, str]) -> None:
    assert subject_of(title, frozenset({"mira vale"})) == subject


ENCODINGS = [
    (encoding, declared)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "gb18030", "big5")
    for declared in ("", "gb2312", "big5")
    if not declared or encoding not in ("gb18030", "big5") or (declared == "big5") == (encoding == "big5")
]


@pytest.mark.parametrize(("encoding", "declared"), ENCODINGS)
def test_a_page_is_read_in_its_encoding_whatever_it_declares(encoding: str, declared: str, tmp_path: Path) -> None:
    meta = f'<meta http-equiv="Content-Type" content="text/html; charset={declared}">' if declared else ""
    lines = "鐘樓上的風這麼大，你還不下來嗎？我在這裡敲了三十年的鐘，還沒有被風吹走過。" * 4
    page = f"<html><head>{meta}<title>敲鐘人</title></head><body><h1>敲鐘人</h1><p>{lines}</p></body></html>"
    (record,) = converted(tmp_path, page.encode(encoding), who="敲鐘人").records
    assert record.text == lines


@pytest.mark.parametrize("transfer", ["quoted-printable", "base64", "8bit"])
def test_a_web_archive_is_read_as_its_page(transfer: str, tmp_path: Path) -> None:
    part = email.message.EmailMessage()
    part.set_content(FANDOM.replace("as ever", "as ever — always"), subtype="html", cte=transfer)
    head = b"From: <Saved by Blink>\nSnapshot-Content-Location: https://example.org/wiki/Mira\nMIME-Version: 1.0\n"
    head += b'Content-Type: multipart/related;\n\ttype="text/html";\n\tboundary="x"\n\n'
    made = head + b"\n--x\n" + part.as_bytes() + b"\n--x--\n"
    for name in ("page.mht", "page.mhtml"):
        assert told(converted(tmp_path, made, name))["Mira Vale"].endswith("as ever — always.")


def test_what_a_browser_saved_beside_a_page_is_passed_over_as_one(tmp_path: Path) -> None:
    (tmp_path / "Mira.html").write_text(FANDOM, encoding="utf-8")
    for folder in ("Mira_files", "notes_files"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "ad.html").write_text("<html>Mira Vale: Buy.<br>Bram: No.</html>", encoding="utf-8")
        (tmp_path / folder / "a.js").write_text("var a;", encoding="utf-8")
    conversion = convert([tmp_path], "Mira Vale", ConversionOptions())
    read = {Path(file.path).parent.name for file in conversion.files if file.own}
    assert read == {tmp_path.name, "notes_files"}
    assert [one for one in conversion.passed_over if "Mira_files" in one] == [
        f"{tmp_path / 'Mira_files'} (is what a browser saved beside a page: its pictures and scripts)"
    ]


@pytest.mark.parametrize(
    ("page", "what"),
    [
        (
            HEAD.format("Saltmere", "<p>Mira Vale lives here, it is said.</p>"),
            r"neither about .*; Mira Vale is named in it",
        ),
        (HEAD.format("App", "<div id=app></div><script>x</script>"), "hardly any text in it"),
        (HEAD.format("Mira Vale", "<nav>Home</nav>"), "with no text about the character"),
        ("<html>" + "<div>" * 3000, "nested so deep"),
        ("<!DOCTYPE html>", "without anything in it"),
    ],
)
def test_of_a_page_of_no_form_it_is_said_what_it_looks_like_and_what_to_do(
    page: str, what: str, tmp_path: Path
) -> None:
    with pytest.raises(UnderstudyError, match=rf"(?s)page\.html: .*{what}.*To fix it: .*save its text as \.txt"):
        converted(tmp_path, page)


def test_in_a_folder_such_a_page_is_passed_over_with_that_reason(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Bram: Who?\nMira Vale: Only me.\n", encoding="utf-8")
    (tmp_path / "b.html").write_text(HEAD.format("Saltmere", "<p>A town.</p>"), encoding="utf-8")
    (passed_over,) = convert([tmp_path], "Mira Vale", ConversionOptions()).passed_over
    assert "b.html (is a web page ('Saltmere'), and neither about the character" in passed_over


def test_without_lxml_a_page_is_refused_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lxml", None)
    with pytest.raises(
        UnderstudyError, match=r"lxml, which reads it, is not installed\. To fix it: run `pip install lxml`"
    ):
        converted(tmp_path, FANDOM)


@pytest.mark.parametrize(
    "mark",
    [
        "<div>",
        "<b>",
        "<dl><dd>",
        "<table><tr><td>",
        '<div class="quote">',
        "<li>",
        "<br>",
        " ",
        "—",
        "“",
        "#",
        "：",
        "&#0;",
        "<!--",
        "<h2>a",
    ],
)
def test_a_mark_again_and_again_is_read_or_refused_in_no_time(mark: str, tmp_path: Path) -> None:
    start = time.perf_counter()
    for page in (
        wiki("Mira Vale", f"<p>{mark * 2000}"),
        telegram(mark * 2000),
        HEAD.format(html.escape(mark * 2000), "x"),
    ):
        with contextlib.suppress(UnderstudyError):
            converted(tmp_path, page)
    assert time.perf_counter() - start < 10


def test_html_is_known_by_what_it_begins_with_and_other_texts_are_not(tmp_path: Path) -> None:
    assert said(
        converted(tmp_path, FORMS["web_page"]([("Bram", "Who is it?"), ("Mira Vale", "Only me.")]).content, "a.txt")
    )
    (tmp_path / "b.txt").write_text("Bram: <html>?\nMira Vale: It is a tag.\n", encoding="utf-8")
    assert convert([tmp_path / "b.txt"], "Mira Vale", ConversionOptions()).files[0].form == "transcript"
