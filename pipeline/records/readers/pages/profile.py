"""A profile of labels as people set one down: `Age: 27`, 年龄丨十九岁, 【姓名】, a label and its value in columns."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.records.readers.scripts.script_lines import spoken_line
from pipeline.records.traditional_chinese import to_simplified

NAME = re.compile(r"姓名|名字|名称|角色名?|中文名|(?:full |character(?:'s)? )?name", re.IGNORECASE)
# What a profile has before a value; no relatives, who speak in scripts, and nothing that a scene has: 时间, 地点.
KNOWN = re.compile(
    r"全名|本名|真名|原名|昵称|绰号|外号|别名|别号|别称|小名|称号|头衔|年龄|岁数|年纪|生日|生辰|出生日期|诞生日|性别|星座|血型|"
    r"身高|体重|三围|体型|种族|物种|国籍|籍贯|出身|出生地|家乡|故乡|老家|住址|住处|住所|居住地|现居|职业|身份|职务|工作|"
    r"所属|隶属|阵营|门派|组织|势力|学校|学历|年级|班级|发色|头发|发型|瞳色|眸色|眼睛|外貌|外观|性格|个性|爱好|兴趣|嗜好|"
    r"兴趣爱好|喜好|喜欢|喜爱|讨厌|厌恶|不喜欢|害怕|最怕|恐惧|弱点|惯用手|特长|专长|擅长|技能|能力|武器|宠物|口头禅|口癖|座右铭|"
    r"萌点|属性|婚姻状况|性取向|声优|cv|mbti|皮下|最?(?:喜欢|喜爱|讨厌|爱吃|爱喝)的.{1,4}|"
    r"(?:current )?age|born|birth ?(?:day|place|date)|date of birth|gender|sex|pronouns|height|weight|build|"
    r"eyes?(?: colou?r)?|hair(?: colou?r)?|species|race|job|occupation|profession|work|role|titles?|class|rank|"
    r"nick ?names?|alias(?:es)?|home ?town|home|residence|nationality|affiliation|faction|alignment|sexuality|"
    r"likes?|dislikes?|loves|hates|hobb(?:y|ies)|interests|fears?|favou?rite \w+|weapons?|skills|abilities|"
    r"weakness(?:es)?|orientation|pets?|personality|appearance|catch ?phrase|blood type|zodiac|star sign|religion|"
    r"education|marital status|status",
    re.IGNORECASE,
)
MARKS = "■□◆◇●○★☆▪▶►•·◎※♦✦+*-–>#\u3000 \t"
UNIT = r"(?:cm|mm|m|kg|g|lbs?|pounds|stone|ft|feet|inches|years?|厘米|公分|米|公斤|千克|斤|周?岁)"
# Behind a label: 身高(cm), Height (cm), 体重/kg.
IN_UNITS = rf"(?i:\s?(?:[(（]\s?(?:in )?{UNIT}\s?[)）]|[/／]\s?{UNIT}|(?<=[\u4e00-\u9fff])(?:cm|kg)))"
WORD = rf"(?P<key>[^\W\d_](?:[^\n:：=丨｜|︱│()（）“\"【】\[\]]{{0,20}}[^\W_])?{IN_UNITS}?)"
ENTRY = tuple(
    re.compile(one)
    for one in (
        r"[【\[](?P<key>[^【】\[\]]{1,20})[】\]]\s*[:：]?\s*(?P<value>\S.*)",
        r"[【\[](?P<key>[^【】\[\]:：]{1,20})[】\]]\s*[:：]?(?P<value>)",
        rf"\**{WORD}\**\s?[:：丨｜︱│|]\**\s*(?P<value>.*)",
        rf"{WORD}(?:[ ]{{2,}}|[ ]*[\t\u3000]\s*|[ ]?\.{{4,}}[ ]?|[ ]?…{{2,}}[ ]?)(?P<value>\S.*)",
    )
)
OF_UNITS = re.compile(rf"{IN_UNITS}$")
STROKE = re.compile(r"(?P<key>[^\s丨︱:：][^丨︱:：]{0,15})[丨︱](?P<value>[^丨︱]+)")
MARKED = re.compile(r"[■□◆◇●○★☆▪▶►◎※♦✦]\s*(?P<key>[^\s:：]{1,10})[\u3000\t]+(?P<value>\S.*)")
SEPARATES = re.compile(r"[:：丨｜︱│|】\]\t\u3000]|  |\.{4}|……")
LEAST = 2  # different labels of a profile
# Whose value is another name by right, below the name that the character goes by.
OF_ANOTHER_NAME = re.compile(r"(?:full|real|true|birth|given|legal) name|全名|本名|真名|原名", re.IGNORECASE)
BETWEEN = re.compile(r"(?<=[\u4e00-\u9fff])[ \u3000]+(?=[\u4e00-\u9fff])")  # 姓　名
# Of how the player wants to play, on a card for others: 慢回，请勿ooc.
PLAYERS_NOTE = re.compile(
    r".{0,60}(?:皮下|[请勿]\s*ooc|禁转|禁二[改传]|可拉郎|接戏|约戏|"
    r"不接\s*(?:ooc|百合|[bg][lgb]\b|r-?18|瞬移|拉郎|强制|黑泥|水仙|梦女)|"
    r"\bgod-?mod|\bpower-?play|\bmeta-?gaming|\bminors dni\b|\bdo not (?:repost|steal)\b).*",
    re.IGNORECASE,
)
# What a line says of the profile itself, or of those who made it: an id, who is responsible, which draft.
OF_THE_FILE = re.compile(
    r"(?:角色|人物|人设|npc|character)?[ _-]?id|"
    r"(?:角色|人物|npc)编号|序号|负责人|责任人|文案|编剧|撰写|撰稿|画师|原画|美术|立绘|约稿|作者|版权|校对|审核|版本号?|(?:最后)?(?:更新|修改|创建)(?:时间|日期|记录|人)?|声优|配音(?:演员)?|cv|"
    r"author|artist|(?:created|designed|drawn|voiced|written) by|voice actors?|assigned to|assignee|"
    r"person in charge|version|copyright|to-?do|fixme|待办|待补|"
    r"(?:last )?(?:updated|modified|edited)(?: on| by)?",
    re.IGNORECASE,
)
REMARK = re.compile(r"备注|备忘|说明|状态|进度|notes?|remarks?|status|progress", re.IGNORECASE)
OF_A_DRAFT = re.compile(
    r".*(?:稿|改|原\s*\d|[旧新]版|版本|更新|设定|待[补定填]|todo|已?完成|进行中|"
    r"\b(?:wip|draft|done|final|complete|changed|version|finished)\b).*",
    re.IGNORECASE,
)
LABELLED = re.compile(r"(?P<key>[^\s:：][^:：\n]{0,20})[:：](?P<value>.+)")
PLAYERS = re.compile(r"皮下|皮|玩家|pl|player|ooc|中之人", re.IGNORECASE)


def entry(line: str) -> tuple[str, str] | None:
    """The label and the value of a profile's line, in whatever dress; None where the label is not known."""
    bare = line.strip().lstrip(MARKS).rstrip()
    if not SEPARATES.search(bare):  # most lines of a text
        return None
    for form in ENTRY:
        if (found := form.fullmatch(bare)) and is_label(found["key"]):
            return _label(found["key"]), found["value"].strip()
    return None


def other_label(line: str) -> tuple[str, str] | None:
    """A label that is not known, where its line has a stroke behind it, or a mark before it and a wide space behind."""
    found = STROKE.fullmatch(line.strip()) or MARKED.fullmatch(line.strip())
    return (found["key"].strip(), found["value"].strip()) if found else None


def _label(key: str) -> str:
    return BETWEEN.sub("", key.strip(" \t\u3000*"))


def is_label(key: str) -> bool:
    """Whether a profile's line begins with it, in traditional characters as well."""
    plain = OF_UNITS.sub("", to_simplified(_label(key)))
    return any(one.fullmatch(plain) is not None for one in (NAME, KNOWN, PLAYERS))


def is_of_the_file(label: str, value: str) -> bool:
    """Whether a profile's line is about the profile, and nothing that the character could know."""
    plain = to_simplified(_label(label))
    return OF_THE_FILE.fullmatch(plain) is not None or (
        REMARK.fullmatch(plain) is not None and OF_A_DRAFT.fullmatch(to_simplified(value)) is not None
    )


def as_label(label: str, value: str) -> str:
    """`label: value`, as its script writes it."""
    return f"{label}: {value}".strip() if label.isascii() else f"{label}：{value}"


def is_name(label: str) -> bool:
    """Whether the label's value says whose profile it is."""
    return NAME.fullmatch(to_simplified(label)) is not None


def is_profile(lines: Sequence[str]) -> bool:
    """Whether lines with different labels are half or more of those that could be somebody's speech."""
    known = [found[0] for line in lines if (found := entry(line))]
    spoken = sum(spoken_line(line.strip()) is not None and not entry(line) for line in lines)
    return len({*known}) >= LEAST and len(known) >= spoken and len({*known}) * 4 > len(known)
