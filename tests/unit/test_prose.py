"""Prose fiction: what is quoted is somebody's only where the words beside it say so for sure."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import UnderstudyError
from pipeline.recipe import ConversionOptions
from pipeline.records.conversion import convert
from pipeline.records.record import Turn
from pipeline.records.result import Conversion

# Enough around the paragraph in question to be recognised as a story.
CHINESE = "“码头上没人。”秦晚说。\n\n“那就再等等。”陆十七道。\n\n{}\n\n秦晚问：“船呢？”\n\n“也没有船。”陆十七答。\n"
ENGLISH = (
    '"There is nobody on the quay," said Mira.\n\n"Then we wait," Tam said.\n\n{}\n\n'
    '"And the boat?" asked Mira.\n\n"No boat either," said Tam.\n'
)


def converted(folder: Path, content: str, character: str, name: str = "ch1.txt", **options: object) -> Conversion:
    (folder / name).write_text(content, encoding="utf-8")
    return convert([folder / name], character, ConversionOptions(**options, short_lines=99))  # type: ignore[arg-type]


def said_by(folder: Path, paragraph: str, character: str) -> list[str]:
    """What the paragraph is taken to let the character say, amid a story."""
    template, around = (ENGLISH, {"There is nobody on the quay.", "And the boat?"})
    if character == "秦晚":
        template, around = CHINESE, {"码头上没人。", "船呢？"}
    records = converted(folder, template.format(paragraph), character).records
    assert around <= {line for record in records for line in record.text.split("\n")}
    return [line for record in records for line in record.text.split("\n") if line not in around]


@pytest.mark.parametrize(
    ("paragraph", "line"),
    [
        ("秦晚说：“等你。”", "等你。"),
        ("秦晚對陸十七說：「等你。」", "等你。"),
        ("“等你。”秦晚低声道。", "等你。"),
        ("“等我，”秦晚头也不抬，“我就来。”", "等我，我就来。"),
        ("“等我。”秦晚说。“我就来。”", "等我。我就来。"),
        ("“站住！”秦晚喊，“谁在那里？”", "站住！谁在那里？"),
        ("秦晚摇了摇头：“我不去。”", "我不去。"),
        ("秦晚摇了摇头。“我不去。”", "我不去。"),
        ("秦晚放下碗，看着陆十七，轻声问：“你呢？”", "你呢？"),
        ("陆十七没动，秦晚忽然道：“走。快走。”", "走。快走。"),
        ("秦晚问陆十七：“你去不去？”", "你去不去？"),
        ("秦晚：“我不去。”", "我不去。"),
        ("秦晚说“我不去。”", "我不去。"),
        ("秦晚若有所思地说：“是这样。”", "是这样。"),
        ("秦晚瞪了他一眼，道：“我从不数错。”", "我从不数错。"),
        ("“这账不对吧？”秦晚惊道。", "这账不对吧？"),
        ("“也罢，就这样。”秦晚沉吟道。", "也罢，就这样。"),
        ("秦晚喝了口茶：“太淡了。”", "太淡了。"),
        ("秦晚眉头一皱：“太淡了。”", "太淡了。"),
        ("秦晚微微一笑，道：“太淡了。”", "太淡了。"),
        ("秦晚温和地说：“太淡了。”", "太淡了。"),
        ("秦晚不慌不忙地答道：“太淡了。”", "太淡了。"),
        ("秦晚从柜台后走出来，说：“太淡了。”", "太淡了。"),
        ("“太淡了。”秦晚坐在船头说。", "太淡了。"),
        ("秦晚放下灯，忽然又回过头：“别忘了关门。”", "别忘了关门。"),
        ("秦晚放下灯，又倒了碗茶：“你也喝。”", "你也喝。"),
        ("“我爹也修钟。”秦晚说，声音很轻，“他教我别看表。”", "我爹也修钟。他教我别看表。"),
        ("“我爹也修鐘。”秦晚說，語氣平靜，“他教我別看錶。”", "我爹也修鐘。他教我別看錶。"),
        ("“我爹也修钟。”秦晚低声说道，目光落在窗外。“他教我别看表。”", "我爹也修钟。他教我别看表。"),
        ("“快走。”秦晚说着，没有回头，“别等我。”", "快走。别等我。"),
        ("“等我，”秦晚抬起头，眼神很冷，“我就来。”", "等我，我就来。"),
        ("“我，”秦晚说，“等过你，”她顿了顿，“等了很久。”", "我，等过你，等了很久。"),
        ("“走了一夜，”秦晚说，她看了看表，“天都快亮了。”", "走了一夜，天都快亮了。"),
        ("秦晚抬起头，声音很轻：“太淡了。”", "太淡了。"),
    ],
)
def test_who_is_named_beside_a_chinese_quotation_says_it(paragraph: str, line: str, tmp_path: Path) -> None:
    assert said_by(tmp_path, paragraph, "秦晚") == [line]


@pytest.mark.parametrize(
    "paragraph",
    [
        "“走吧。”她说。",
        "“走吧。”",
        "秦晚的母亲说：“走吧。”",
        "秦晚娘说：“走吧。”",
        "秦晚心想：“走吧。”",
        "秦晚写道：“走吧。”",
        "秦晚念道：“走吧。”",
        "秦晚没说：“走吧。”",
        "秦晚想说：“走吧。”",
        "秦晚听见陆十七说：“走吧。”",
        "秦晚看着陆十七走过来说：“走吧。”",
        "秦晚等他说：“走吧。”",
        "秦晚还没开口，陆十七就说：“走吧。”",
        "秦晚一进门小二就说：“走吧。”",
        "秦晚走进来，小二迎上去，问：“走吗？”",
        "秦晚放下碗，连小二都说：“走吧。”",
        "秦晚回头，却被小二拉住，说：“走吧。”",
        "秦晚和陆十七说：“走吧。”",
        "“走吧。”秦晚和陆十七齐声道。",
        "“走吧。”秦晚身后的人说。",
        "“走吧。”秦晚没说话，陆十七说。",
        "“走吧。”陆十七问秦晚。",
        "陆十七对秦晚说：“走吧。”",
        "陆十七指着秦晚：“走吧。”",
        "陆十七叫道：“秦晚！走吧！”",
        "秦晚抬头看见招牌：“白家药铺。”",
        "秦晚接过信：“见字如面。”",
        "秦晚翻开旧日记：“今日无风。”",
        "秦晚打开電視：“明日有雨。”",
        "秦晚拧响了收音机：“明日有雨。”",
        "秦晚看着便條：“饭在锅里。”",
        "秦晚走到柜台前，忽然街上响起锣声：“着火了！”",
        "秦晚放下灯，又一个伙计：“掌柜的找你。”",
        "牌匾上写着：“白家药铺。”",
        "秦晚不在。“走吧。”",
        "秦晚打开门。“谁？”门外有人问。",
        "秦晚说她不去，所谓“缘分”，不过如此。",
        "秦晚说“缘分”这种东西靠不住。",
        "秦晚娘道：“走吧。”“去哪？”陆十七问。",
        "“你是谁？”陆十七问秦晚。“我姓沈。”",
        "秦晚抬起头，声音从门外传来：“走吧。”",
        "秦晚推开窗，声音嘈杂：“走吧。”",
        "“走，”陆十七说，“等等，”她说，“我先走。”",
    ],
)
def test_a_chinese_quotation_that_may_be_anothers_is_not_the_characters(paragraph: str, tmp_path: Path) -> None:
    assert said_by(tmp_path, paragraph, "秦晚") == []


@pytest.mark.parametrize(
    ("character", "paragraph"),
    [
        ("陆", "陆上的船夫冷冷道：“让开。”"),
        ("陆", "陆老爷推门进来：“有茶没有？”"),
        ("陆", "“慢着。”陆家的管事笑着说。"),
        ("陆", "陆大人沉声道：“升堂。”"),
        ("陆", "陆先生：“请坐。”"),
        ("秦晚", "秦晚亭推门进来：“有茶没有？”"),
        ("秦晚", "秦晚亭温和地说：“请坐。”"),
        ("秦晚", "秦晚亭住口，道：“请坐。”"),
        ("秦晚", "秦晚亭里的铃铛叮叮响：“叮叮当。”"),
    ],
)
def test_a_short_name_that_begins_a_longer_word_does_not_speak(character: str, paragraph: str, tmp_path: Path) -> None:
    story = CHINESE.replace("秦晚", character).replace("陆十七", "老关").format(paragraph)
    lines = [line for record in converted(tmp_path, story, character).records for line in record.text.split("\n")]
    assert lines == ["码头上没人。", "船呢？"]


def test_how_somebody_speaks_again_and_again_is_no_part_of_the_name(tmp_path: Path) -> None:
    paragraph = "“住手！”秦晚狂道。\n\n“不住手。”陆十七道。\n\n“再说一遍？”秦晚狂道。"
    conversion = converted(tmp_path, CHINESE.format(paragraph), "秦晚")
    assert "秦晚狂" not in {reject.speaker for reject in conversion.others}


def test_somebody_whose_name_begins_with_the_characters_is_somebody_else(tmp_path: Path) -> None:
    story = (
        "「到了。」裴照說。\n\n「這就到了？」裴照遠問道。\n\n裴照遠嘟囔道：「又是我。」\n\n裴照拱手道：「過路的。」\n"
    )
    records = converted(tmp_path, story, "裴照").records
    assert [record.text for record in records] == ["到了。", "過路的。"]
    assert records[1].context[-1] == Turn("裴照遠", "這就到了？\n又是我。")


@pytest.mark.parametrize(
    ("paragraph", "line"),
    [
        ('"Sit down," said Mira.', "Sit down."),
        ('"Sit down," Mira said. "You are late."', "Sit down. You are late."),
        ('"Sit," said Mira quietly, "and wait."', "Sit, and wait."),
        ('"My father," Mira said, "has been dead for years."', "My father has been dead for years."),
        ('"Who is it?" Mira called from the stairs.', "Who is it?"),
        ('Mira shook her head. "No."', "No."),
        ('Mira nodded slowly. "No."', "No."),
        ('Mira sighed and rolled her eyes. "No."', "No."),
        ('"So am I?" answered Mira.', "So am I?"),
        ('"So am I?" Mira replied.', "So am I?"),
        ('"Sit," Mira said in a voice that shook.', "Sit."),
        ('Mira said "No."', "No."),
        ('Mira turned to Tam and said, "Hold this."', "Hold this."),
        ('When he had gone, Mira said, "Shut the door."', "Shut the door."),
        ('Mira asked the man, "Who are you?"', "Who are you?"),
        ('"Tam," whispered Mira to the doctor, "look at his shoes."', "Tam, look at his shoes."),
        ("“You only ever say,” Mira told him.", "You only ever say."),
        (
            '"My father was one," Mira said, her voice low, "and he was no liar."',
            "My father was one, and he was no liar.",
        ),
        ('"Sit," said Mira, and the clerk looked up, "and wait."', "Sit, and wait."),
        ('"Sit," said Mira, "and," she added, "wait."', "Sit, and, wait."),
    ],
)
def test_who_is_named_beside_an_english_quotation_says_it(paragraph: str, line: str, tmp_path: Path) -> None:
    assert said_by(tmp_path, paragraph, "Mira") == [line]


@pytest.mark.parametrize(
    "paragraph",
    [
        '"Sit down," she said.',
        '"Sit down."',
        '"Sit down," said Mira\'s brother.',
        'Mira\'s brother said, "Sit down."',
        '"Sit down," said the girl Mira had brought.',
        '"Sit down," Mira and Tam said together.',
        'Mira thought, "Sit down."',
        'Mira wrote, "Sit down."',
        'Mira never said, "Sit down."',
        'Mira watched as Tam said, "Sit down."',
        'Mira heard him say, "Sit down."',
        'Tam looked at Mira, who laughed and said, "Sit down."',
        'Mira turned as the man with the lantern said, "Sit down."',
        'Mira nodded to the man. "Sit down," he said.',
        '"Sit down." Mira said nothing.',
        '"Sit down!" Mira called the dog.',
        '"Sit down." Mira asked for water.',
        '"Sit down?" Mira laughed.',
        'Mira frowned at the board above the door. "Sit down."',
        'Mira leaned over the old speaking tube. "Sit down."',
        'Mira paused when the stairs creaked. "Sit down."',
        'Mira raised her hand to ring the bell. "Sit down."',
        'Mira waved the clerk closer. "Sit down."',
        '"Is the lamp lit?" Mira replied with a shrug.',
        '"Is the lamp lit?" Mira answered in a low voice that it was.',
        '"Sit down!" Mira shouted back that nobody would.',
        'Mira opened the door. "Sit down," said a man in a wet coat.',
        'Mira sighed. He smiled. "Sit down."',
        'According to Mira, "Sit down."',
        'In the letter Mira said, "Sit down."',
        '"Sit down," Tam said to Mira.',
        '"Sit down," said Mira Stone.',
        'The sign said "Sit down", and Mira sat.',
        'Mira called it "the office", nobody knew why.',
        '"Sit down" was what Mira said.',
    ],
)
def test_an_english_quotation_that_may_be_anothers_is_not_the_characters(paragraph: str, tmp_path: Path) -> None:
    assert said_by(tmp_path, paragraph, "Mira") == []


def test_two_who_speak_in_one_paragraph_have_a_line_each(tmp_path: Path) -> None:
    conversion = converted(tmp_path, ENGLISH.format('"One," said Mira, and Tam said, "Two."'), "Mira")
    assert "Two." not in "\n".join(record.text for record in conversion.records)
    chinese = CHINESE.format("“一。”秦晚说，陆十七点头：“二。”“三。”")
    records = converted(tmp_path, chinese, "秦晚").records
    assert [record.text for record in records] == ["码头上没人。", "一。", "船呢？"]
    assert records[2].context[-2:] == (Turn("陆十七", "二。"), Turn("?", "三。"))


def test_what_nobody_is_named_to_say_is_context_and_what_is_told_is_nothing(tmp_path: Path) -> None:
    story = CHINESE.format("雨还在下。\n\n“走吧？”有人说。")
    conversion = converted(tmp_path, story, "秦晚")
    assert [file.form for file in conversion.files] == ["prose fiction"]
    assert conversion.records[1].context[-1] == Turn("?", "走吧？")
    reasons = {reject.text: reject.reason for reject in conversion.rejects}
    assert (reasons["雨还在下。"], reasons["走吧？"]) == ("narration", "nobody is named as its speaker")


@pytest.mark.parametrize(
    ("character", "paragraph", "hers"),
    [
        ("秦晚", "“走吧。”秦晚说，小二迎上去，“客官里边请。”", "走吧。"),
        ("秦晚", "“走吧。”秦晚说，陆十七点头，“不急。”", "走吧。"),
        ("秦晚", "“走吧，”秦晚说，小二迎上去，“客官里边请。”", "走吧。"),
        ("秦晚", "“走吧，”秦晚说，他们点点头，“不急。”", "走吧。"),
        ("秦晚", "“走吧。”秦晚说，没想到小二也来了，“客官里边请。”", "走吧。"),
        ("Mira", '"Sit," said Mira, and Tam nodded, "Yes."', "Sit."),
    ],
)
def test_behind_a_comma_somebody_else_may_speak(character: str, paragraph: str, hers: str, tmp_path: Path) -> None:
    assert said_by(tmp_path, paragraph, character) == [hers]


@pytest.mark.parametrize(
    ("character", "paragraphs", "before"),
    [
        ("秦晚", "“有进展吗？”\n\n“有。”\n\n“说。”", ["?: 说。"]),
        ("秦晚", "“走吧。”秦晚说，小二迎上去，“里边请。”", []),
        ("秦晚", "“里边请。”小二迎上去。“走吧。”秦晚说。", []),
        ("秦晚", "秦晚的手停了停。“走吧。”", []),
        ("秦晚", "“走吧？”\n\n“不急。”陆十七道。", ["陆十七: 不急。"]),
        ("秦晚", "“走吧？”他看着秦晚问。", ["?: 走吧？"]),
        ("Mira", '"Sit." Mira\'s voice was low. "We wait."', []),
        ("Mira", '"Any news?"\n\n"Some."\n\n"Tell me."', ["?: Tell me."]),
        ("Mira", '"Sit?"\n\n"In a while," said Tam.', ["Tam: In a while."]),
    ],
)
def test_what_may_be_her_own_never_stands_as_the_other_sides_before_her_line(
    character: str, paragraphs: str, before: list[str], tmp_path: Path
) -> None:
    template = ENGLISH if character == "Mira" else CHINESE
    last = converted(tmp_path, template.format(paragraphs), character).records[-1]
    shown = [f"{turn.speaker}: {turn.text}" for turn in last.context if turn.speaker != character]
    assert shown[1:] == before


def test_a_short_name_counts_where_it_is_given_and_is_listed_where_it_is_not(tmp_path: Path) -> None:
    story = "“等谁？”老周问。\n\n“等你。”阿棠说。\n\n沈阿棠道：“坐下。”\n\n阿棠答：“不坐。”\n"
    conversion = converted(tmp_path, story, "沈阿棠")
    assert [record.text for record in conversion.records] == ["坐下。"]
    assert conversion.near_names == {"阿棠": 2}
    named = converted(tmp_path, story, "沈阿棠", other_names=["阿棠"])
    assert [record.text for record in named.records] == ["等你。", "坐下。", "不坐。"]


def test_what_somebody_does_before_speaking_is_nobodys_name(tmp_path: Path) -> None:
    story = CHINESE.format("小伙计推门进来，抬起头问：“有人吗？”\n\n“她说：‘不恨你。’”陆十七道。")
    conversion = converted(tmp_path, story, "秦晚")
    assert {reject.speaker for reject in conversion.rejects} == {"?", "陆十七"}
    assert Turn("陆十七", "她说：‘不恨你。’") in conversion.records[1].context


def test_whoever_tells_the_story_speaks_as_i_where_the_options_say_so(tmp_path: Path) -> None:
    english = ENGLISH.format('"Sit down," I said. "You are late."\n\n"Am I?" said Tam.\n\nMy aunt said, "He is."')
    told = converted(tmp_path, english, "Ada", other_names=["I"])
    assert [record.text for record in told.records] == ["Sit down. You are late."]
    chinese = CHINESE.format("我说：“坐下。”\n\n我们说：“不坐。”\n\n“坐吧。”他对我说。\n\n我的师父说：“坐。”")
    assert [record.text for record in converted(tmp_path, chinese, "顾衡", other_names=["我"]).records] == ["坐下。"]


@pytest.mark.parametrize("chapter", ["第一章　渡口", "# 第一章", "楔子", "Chapter One", "II"])
def test_a_chapter_begins_anew(chapter: str, tmp_path: Path) -> None:
    title = chapter.lstrip("# ")
    record = converted(tmp_path, f"“早。”陆十七说。\n\n{chapter}\n\n{CHINESE.format('')}", "秦晚").records[0]
    assert (record.prompt, record.context) == (title, ())


def test_wrapped_paragraphs_and_single_quotation_marks_are_read(tmp_path: Path) -> None:
    story = (
        "‘It is not a matter of money,’ said\nAda. ‘It is a matter of\ntime, as you know.’\n\n"
        "‘Whose time?’ asked Bell.\n\n‘Yours,’ Ada replied, turning\nthe watch over.\n\n"
        "‘I haven’t any,’ said Bell. ‘That’s what\nI mean.’\n"
    )
    assert [record.text for record in converted(tmp_path, story, "Ada").records] == [
        "It is not a matter of money. It is a matter of time, as you know.",
        "Yours.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("a.txt", "秦晚：“走吧。”\n陆十七：“去哪里？”\n秦晚：“去码头看看。”\n", "transcript"),
        (
            "a.txt",
            "秦晚（笑）：“走吧，码头那边没有人了。”\n陆十七（冷）：“不去。”\n秦晚（递灯）：“那你拿着这盏灯。”\n"
            "陆十七（抬头）：给我的？\n秦晚（点头）：“夜里有风，路不好走。”\n",
            "transcript",
        ),
        (
            "秦晚.txt",
            "秦晚生在码头，今年十九岁。\n\n她常说：“算账要紧。”\n\n秦晚住在药铺里，最讨厌送别。\n",
            "page about the character",
        ),
    ],
)
def test_a_script_and_a_page_with_a_quotation_are_no_story(name: str, content: str, form: str, tmp_path: Path) -> None:
    assert [file.form for file in converted(tmp_path, content, "秦晚", name).files] == [form]


def test_prose_that_quotes_nobody_is_no_story(tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match="holds no raw file"):
        converted(tmp_path, "The rain fell on the “quay”.\n\nNobody came, and nobody said a word.\n", "Mira")
