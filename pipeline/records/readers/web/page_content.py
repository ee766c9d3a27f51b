"""What of a web page is its article: its title, the element that holds it, and what within is none of its text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from itertools import islice
from typing import Any

from pipeline.records.names import spelling
from pipeline.records.readers.pages.page_sections import IN_BRACKETS
from pipeline.records.readers.pages.quoted import of_lines
from pipeline.records.readers.web.elements import classes, is_unseen, text_of, with_class

# Of wikis, of 百度百科, of blogs: by an id, or a name in a class.
_LEFT_OUT = """
    toc toc-container toctitle toclimit mw-editsection editsection reference references reflist mw-references-wrap
    navbox vertical-navbox nav-box navigation-box navi catlinks printfooter noprint hatnote dablink rellink mw-jump-link
    mw-indicators mw-empty-elt thumb thumbcaption gallery wikia-gallery gallerybox magnify metadata ambox mbox-small
    tmbox ombox notice noticebox sitenotice sistersitebox stub authority-control page-footer global-footer
    page-header__actions page-header__contribution page-side-tools wikia-rail right-rail-wrapper fandom-sticky-header
    community-navigation notifications-placeholder article-categories article-comments license-description pi-image
    pi-caption pi-media-collection wds-tabs__wrapper tabbernav audio-button mw-tmh-player flowthread ext-discussion
    mw-navigation mw-head mw-panel mw-page-base vector-toc vector-page-toolbar vector-header-container mw-footer
    top-tool lemma-catalog lemmacatalog catalog-list catalogwrapper lemma-reference lemmareference reference-list
    referencelist album-list albumlist lemma-picture lemmapicture edit-icon editicon edit-lemma editlemma lock-lemma
    sup--normal supwrap sup-anchor tashuo-bottom tashuo open-tag opentag declare-wrap wgt-footer-main title-prefix
    titleprefix lemma-relation lemmarelation side-content sidecontent sidecatalog j-lemma-reference j-sup pgc-video
    before-content after-content anchor-list lemmawgt-lemmatitle lemmatitle editbtn btn-edit
    comments-area comments-section comment-section comment-thread commentthread post-comments blog-comments respond
    comment-form reply-list replies giscus waline valine twikoo gitalk utterances
    comments comment comment-list commentlist comment-respond comment-area disqus_thread footer site-footer site-header
    navbar nav navigation menu breadcrumb breadcrumbs share sharing share-buttons sharedaddy social social-share
    related related-posts recommend recommendation recommendations advertisement ads ad adsbygoogle cookie-banner
    popup modal pagination pager searchform search-form login copyright widget-area newsletter screen-reader-text
    sr-only visually-hidden tag-list post-tags author-box sidebar site-navigation skip-link
"""
LEFT_OUT = frozenset(_LEFT_OUT.split())
ROLES = frozenset({"navigation", "banner", "contentinfo", "search", "complementary", "dialog", "note"})
HASH = re.compile(r"_[A-Za-z0-9-]{4,8}$")  # behind a name that a program made up: lemmaSummary_M04mg
# Above those who play a part.
VOICES = re.compile(
    r"voiced by|voices?|voice (?:actors?|actress(?:es)?|cast|acting)|(?:portrayed|played) by|actors?|"
    r"配音(?:演员|演員)?|声优|聲優|饰演者?|飾演者?|演员|演員",
    re.IGNORECASE,
)
INFOBOX = re.compile(r"infobox|infotemplate|basic-?info", re.IGNORECASE)
# What holds the article, the surest first.
CONTENTS = ("mw-parser-output", "mw-content-text", "main-content", "maincontent", "chapters", "entry-content")
TITLES = ("firstheading", "page-header__title", "lemmatitle")
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
# In brackets behind a name that something else has.
OF_A_THING = re.compile(
    r"[(（][^()（）]*(?:\b(?:episode|chapter|song|album|single|soundtrack|film|movie|novel|book|comic|game|series|location|village|"
    r"town|place|ship|item|weapon|card|quest|mission|actor|actress|singer|disambiguation)|歌曲|专辑|專輯|电影|電影|电视剧|電視劇|"
    r"小说|小說|漫画|漫畫|章节|章節|演员|演員|歌手|地点|地點|道具|武器|任务|任務|卡牌|消歧[义義])[)）]",
    re.IGNORECASE,
)
BESIDE_TITLE = re.compile(r"\s+[-–—|·»_‐]\s+|\s*[|｜]\s*|[_＿](?=[^_＿]{0,40}$)")
LONGEST_TITLE = 200
MOST_TABS = 50


def is_infobox(element: Any) -> bool:
    """Whether it is a box of labels about what the page is about."""
    return any(INFOBOX.search(name) for name in classes(element))


def is_left_out(element: Any) -> bool:
    """Whether it is no text of the article: navigation, references, captions, comments, or not shown at all."""
    if is_unseen(element) or element.tag in ("nav", "footer", "figure", "figcaption"):
        return True
    if element.tag == "aside" and not is_infobox(element):
        return True
    return element.get("role") in ROLES or not LEFT_OUT.isdisjoint(_names(element))


def _names(element: Any) -> Iterator[str]:
    for name in (*classes(element), element.get("id") or ""):
        yield name.lower()
        yield HASH.sub("", name).lower()


def content_of(root: Any) -> Any:
    """The element that holds the article, or else the whole body."""
    for name in CONTENTS:
        found = [one for one in root.iter("div", "main", "section", "article") if name in _names(one)]
        if found:
            return max(found, key=_length)
    articles = [*root.iter("article")]
    mains = [one for one in root.iter() if one.tag == "main" or one.get("role") == "main"]
    found = articles if len(articles) == 1 else mains
    body = root.find("body")
    return max(found, key=_length, default=root if body is None else body)


def _length(element: Any) -> int:
    return len(element.xpath("string()"))


def title_of(root: Any) -> str:
    """The page's title: its heading, or what the browser shows as such, without the site's name."""
    named = next((one for one in root.iter() if not {*_names(one)}.isdisjoint(TITLES)), None)
    if named is not None:
        own = named if named.tag in HEADINGS else next(named.iter("h1"), named)
        return _title(text_of(own, without=is_left_out))
    shown = _title(BESIDE_TITLE.split(" ".join((root.findtext(".//title") or "").split()))[0])
    headings = [title for one in root.iter("h1") if (title := _title(text_of(one, without=is_left_out)))]
    if len({*headings}) == 1 and not (shown and spelling(shown) != spelling(headings[0]) and shown in headings[0]):
        return headings[0]
    return shown


def _title(text: str) -> str:
    return " ".join(text.split())[:LONGEST_TITLE]


def subject_of(title: str, names: Collection[str]) -> tuple[str, str]:
    """Whom or what a title is about, and what of it: ("Mira Vale", "Quotes") of `Mira Vale/Quotes`.

    It is one of the names, spelt as `spelling` does, where the title has it: behind a work's name and a colon, or
    before brackets, a page's part or a word for lines.
    """
    if OF_A_THING.search(title):
        return title, ""
    for whole in (title, re.sub(r"^[^:：/]{1,30}[:：]\s*", "", title)):
        first, _, part = whole.partition("/")
        for bare in (first.strip(), IN_BRACKETS.sub("", first.strip()).strip()):
            if spelling(bare) in names:
                return bare, part.strip()
            said = of_lines(bare, names)
            if said and len(said) < len(bare):
                return bare[: -len(said)].rstrip(" 的").removesuffix("'s").removesuffix("’s").strip(), part or said
    return title, ""


def tab_title(element: Any) -> str:
    """What the tab is called that shows the element; empty where none does."""
    named = {*classes(element)}
    if named & {"tabbertab", "tabber__panel"}:
        given = (element.get(key) for key in ("data-mw-tabber-title", "data-title", "title"))
        return next((title.replace("_", " ").strip() for title in given if title), "")
    first = islice(element.getparent(), 3) if "wds-tab__content" in named else ()
    wrapper = next((one for one in first if "wds-tabs__wrapper" in classes(one)), None)
    if wrapper is None:
        return ""
    labels = [text_of(one) for one in islice(with_class(wrapper, "wds-tabs__tab"), MOST_TABS)]
    before = islice(element.itersiblings(preceding=True), MOST_TABS)
    at = sum("wds-tab__content" in classes(one) for one in before)
    return labels[at] if at < len(labels) else ""


def holds_headings(element: Any) -> bool:
    """Whether there are headings or other tables in it."""
    return next(element.iter(*HEADINGS), None) is not None or sum(1 for _ in element.iter("table")) > 1


def infobox_groups(box: Any) -> Iterator[tuple[str, str]]:
    """The labels and values of a Fandom infobox, those of its groups beside one another, too."""
    for one in with_class(box, "pi-data"):
        if _is_of_makers(one):
            continue
        pair = (_first(one, "pi-data-label"), _first(one, "pi-data-value"))
        if all(pair):
            yield pair
    for group in with_class(box, "pi-smart-group", "pi-horizontal-group"):
        labels = [*with_class(group, "pi-smart-data-label", "pi-horizontal-group-item")]
        values = [*with_class(group, "pi-smart-data-value")]
        if not values:
            values = [one for one in labels if one.tag == "td"]
            labels = [one for one in labels if one.tag == "th"]
        for label, value in zip(labels, values, strict=False):
            pair = (text_of(label, without=is_left_out), text_of(value, without=is_left_out))
            if all(pair):
                yield pair


def _is_of_makers(one: Any) -> bool:
    """Whether the group's header says that it has who plays a part."""
    group = next((above for above in one.iterancestors() if "pi-group" in classes(above)), None)
    header = next(with_class(group, "pi-header"), None) if group is not None else None
    return header is not None and VOICES.fullmatch(text_of(header).strip(" :：")) is not None


def _first(element: Any, name: str) -> str:
    return next((text_of(one, without=is_left_out) for one in with_class(element, name) if one is not element), "")
