"""Questions and answers as plain text: `Q: ...` above `A: ...`, 问：/答：, 【问】, numbered questions above answers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.records.raw import CHARACTER, RawRecord, ReadOptions
from pipeline.records.raw_file import RawFile
from pipeline.records.readers.pages.around_questions import NEITHER, with_passage
from pipeline.records.readers.pages.page_sections import RULE
from pipeline.records.readers.scripts.script_lines import spoken_line

# A label stands in brackets, before a colon, or, as `Q.` and `A.`, before a full stop.
LABEL = re.compile(
    r"(?:[-+•·*>]\s+)?\*{0,2}(?P<bracket>[【\[])?"
    r"(?:(?P<asks>Question|Q|Ｑ|[问問][题題]?|提[问問])|Answer|A|Ａ|答案?|回答)\s*[0-9０-９]{0,3}\s*\*{0,2}\s*"
    r"(?(bracket)[】\]]\s*[:：]?|(?:[:：]|(?<=[QAＱＡ0-9０-９])[.．](?=\s)))\s*\*{0,2}\s*(?P<text>.*)",
    re.IGNORECASE,
)
CHINESE_LABEL = re.compile(r"\W*[问問提答回]")
# `1. What is your name?`, `### How old is she?`, `**And his name?**`: the answer is what stands below.
MARKED = re.compile(
    r"(?P<mark>#{1,6}\s+|\*\*|[0-9０-９]{1,3}(?:[.、)）．]|\s*[:：])\s*)\**(?P<text>\S.{0,200}?[?？])\**|"
    r"(?P<numbered>[0-9０-９]{1,3}[.、)）．]\s*)(?P<bare>[^\s:：].{0,60})"
)
ON_ONE_LINE = re.compile(r"(?<=[?？。.])\s*(?=(?:A|Ａ|Answer|答案?)\s*[0-9０-９]{0,3}\s*[:：])")
ANSWERED = re.compile(r"(?P<question>[^?？]{1,200}[?？])\s{2,}(?P<answer>\S.*)")  # behind a question, after some spaces
KEYED = re.compile(r"(?P<question>[^:：?？]{1,30})[:：]\s*(?P<answer>\S.*)")  # 6. 最喜欢的食物：桂花糕
CHOICE = re.compile(r"[B-F]\s*[:：.)]")  # of several answers to choose from
# In a question, whether it has its mark or not: 如果下雨会做什么.
INTERROGATIVE = re.compile(
    r"什[么麼]|哪|[谁誰]|多少|[几幾]|怎|[吗嗎]$|会不会|有没有|是不是|"
    r"\b(?:what|who|where|when|why|how|which)\b",
    re.IGNORECASE,
)
ASKED = re.compile(r"\b(?:you|your|yours|yourself|she|he|her|his|him)\b|[你您妳她他]", re.IGNORECASE)
NOTHING = re.compile(
    r"(?:tb[da]|to be (?:decided|determined|added)|(?:not (?:yet )?|un)decided(?: yet)?|todo|n/?a|unknown|none yet|"
    r"[?？]+|[?？]{2,}\s*[(（].{0,80}|[-—]+|(?:还|還)?没想好|(?:还|還)?沒想好|"
    r"[(（\[【](?:author'?s?|note|p\.?s\b|tb[da]|to-?do|"
    r"待|备注|備註|作者|注[:：]).*|待[补補填定]充?|未[定填]|暂[无定]|暫[無定]|略|不[详詳])[.。!！]*",
    re.IGNORECASE,
)
# Below an answer, what is none of it: headings, its author's remarks, and questions that wait: Q16-20 待填.
NO_ANSWER = re.compile(
    r"#{1,6}\s.*|【[^【】]{0,12}(?:[篇题題类類章]|部分|相关|相關)】|[(（\[【](?:author|note|p\.?s|作者|注)\s*[:：].*|"
    r"(?:Question|Q|Ｑ|[问問][题題]?|第)? ?[0-9０-９]{1,3} ?(?:[-–—~～至到] ?[0-9０-９]{1,3} ?)?[题題问問]?"
    r" ?[:：.、]? ?(?:待[补補填定写寫答续續]|未[填答写寫]|暂[无缺]|暫[無缺]|略$|tb[da]\b|to-?do\b|to be\b).{0,20}",
    re.IGNORECASE,
)
ASKER = re.compile(r"作者|编辑|編輯")  # in an interview, and nobody in a script
DASH = "—–- \t"  # before an answer
NOTE = "a heading or a remark beside questions and answers"
ABOUT_IT = "answers about the character, in the third person"
SHORT_QUESTION = 8  # letters of a Chinese question that need not say `you`: 年龄？
HOW_TO = re.compile(r"如何|怎[样樣么麼]|[为為]什[么麼]|什[么麼]是|是否|哪里可以|能否")  # what is asked of a program
ABOUT = re.compile(
    r"(?:she|he|her|his|they|their)\b|[她他](?![們们])", re.IGNORECASE
)  # how an answer about somebody begins
SAMPLED_LINES = 200
LEAST_PAIRS = 2
MOST = 0.75  # share of a file's numbered lines, or headings, that have to be questions


@dataclass(frozen=True, slots=True)
class Part:
    """A line, or a part of one: a question, an answer, or some text, which below a question with a mark answers it.

    `is_keyed`: the answer stands behind a colon in the question's line.
    """

    sort: str
    text: str
    below: bool = False
    is_keyed: bool = False


def recognises(file: RawFile, options: ReadOptions) -> bool:
    """Whether answers follow questions in its first lines, half of them or more begin so, and most ask somebody.

    What asks nobody is a program's FAQ or an examination, unless its labels are Chinese; people may be called Q and A.
    """
    if not file.encoding or any(LABEL.fullmatch(f"{name}:") for name in options.names):
        return False
    sample = [line.strip() for _, line in itertools.islice(file.lines(), SAMPLED_LINES)]
    lines = list(filter(None, _as_asked(sample, options.names)))
    if any(CHOICE.match(line) for line in lines):
        return False
    marked = not _labels_questions(lines)
    parts = [part for line in lines for part in _parts(line, marked)]
    return _are_labelled(parts, lines, options.names) or _are_marked(parts, lines, options.names)


def _are_labelled(parts: Sequence[Part], lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether answers with their label follow questions."""
    labels = [part for part in parts if part.sort in ("question", "answer")]
    asked = [part for part in labels if part.sort == "question"]
    chinese = sum(CHINESE_LABEL.match(line) is not None for line in lines) > len(labels) / 3
    pairs = sum(one.sort == "question" and after.sort == "answer" for one, after in itertools.pairwise(labels))
    most = (3 if chinese else 2) * sum(_asks_somebody(one.text, names) for one in asked) >= len(asked)
    return most and pairs >= LEAST_PAIRS and 2 * len(labels) >= len(parts)


def _are_marked(parts: Sequence[Part], lines: Sequence[str], names: Sequence[str]) -> bool:
    """Whether text without a label, in which nobody speaks, follows questions that have a mark."""
    asked = [part for part in parts if part.below and part.text.endswith(("?", "？"))]
    keyed = [one for one, after in itertools.pairwise(parts) if one.below and one.is_keyed and after.sort == "text"]
    if 2 * sum(_is_question(one.text) for one in keyed) >= len(keyed) and not any(one.text in names for one in keyed):
        asked += keyed
    follows = sum(one.below and after.sort == "text" for one, after in itertools.pairwise(parts))
    if follows < LEAST_PAIRS or any(part.sort == "answer" or (part.sort == "question") != part.below for part in parts):
        return False
    marked = sum(MARKED.fullmatch(line) is not None for line in lines)
    spoken = sum(part.sort == "text" and spoken_line(part.text) is not None for part in parts)
    most = 2 * sum(_asks_somebody(one.text, names) for one in asked) >= len(asked)
    is_most = MOST * marked <= len(asked) and 3 * spoken <= len(asked)
    return most and is_most and parts[0].below | parts[min(1, len(parts) - 1)].below


def _asks_somebody(question: str, names: Sequence[str]) -> bool:
    is_short = not question.isascii() and len(question) <= SHORT_QUESTION and not HOW_TO.match(question)
    return is_short or ASKED.search(question) is not None or any(name in question for name in names)


def _is_question(text: str) -> bool:
    return not HOW_TO.match(text) and (ASKED.search(text) or INTERROGATIVE.search(text)) is not None


def _as_asked(lines: Sequence[str], names: Sequence[str]) -> list[str]:
    """The lines of an interview, in which the author asks and the character alone answers, with labels for both."""
    found = [spoken_line(line) for line in lines]
    speakers = {one["speaker"] for one in found if one}
    askers = {one for one in speakers if ASKER.fullmatch(one)}
    if not askers or speakers - askers != speakers.intersection(names) or len(speakers) < LEAST_PAIRS:
        return [*lines]
    return [
        f"{'Q' if one['speaker'] in askers else 'A'}：{one['text']}" if one else line
        for one, line in zip(found, lines, strict=True)
    ]


def _labels_questions(lines: Sequence[str]) -> bool:
    """Whether questions have labels; then a number is one of a list in an answer."""
    return any(label["asks"] for label in map(LABEL.fullmatch, lines) if label)


def _parts(line: str, marked: bool) -> Iterator[Part]:
    """A question and its answer of one line apart; a mark is a question's where questions have no labels."""
    first = LABEL.match(line)
    for part in ON_ONE_LINE.split(line) if first and first["asks"] else [line]:
        if label := LABEL.fullmatch(part):
            bold = part.startswith("**") and label["text"].count("**") % 2
            text = label["text"].strip().removesuffix("**" if bold else "\n").strip()
            yield Part("question" if label["asks"] else "answer", text)
        elif marked and (found := MARKED.fullmatch(part)):
            text = (found["text"] or found["bare"]).strip()
            keyed = KEYED.fullmatch(text)
            answered = ANSWERED.fullmatch(text) or keyed
            yield Part("question", answered["question"] if answered else text, below=True, is_keyed=keyed is not None)
            yield from [Part("text", answered["answer"])] if answered else []
        else:
            yield Part("note" if NO_ANSWER.fullmatch(part) or (part and RULE.fullmatch(part)) else "text", part)


def read(file: RawFile, options: ReadOptions) -> Iterator[RawRecord]:
    """Each answer with its question; where most answers are about the character, and not its own, as passages."""
    found = list(_answers(file, options.names))
    records = list(with_passage(found, options.names, file.path.name, options.remarks))
    answers = [record for record in records if not record.unusable and record.kind is None]
    about = [one for one in answers if ABOUT.match(one.text) or one.text.startswith(options.names)]
    is_about = 2 * len(about) > len(answers)
    for record in records:
        is_answer = not record.unusable and record.kind is None
        yield replace(record, kind="background", why=ABOUT_IT) if is_about and is_answer else record


def _answers(file: RawFile, names: Sequence[str]) -> Iterator[RawRecord]:
    """Each answer with its question; lines below an answer, up to a blank one, are the rest of it."""
    asked: tuple[str, Part] | None = None
    answer: RawRecord | None = None
    numbered = [(f"{file.path}:{number}", line.strip()) for number, line in file.lines()]
    texts = _as_asked([line for _, line in numbered], names)
    lines = [(source, text) for (source, _), text in zip(numbered, texts, strict=True)]
    marked, blank = not _labels_questions([line for _, line in lines]), Part("blank", "")
    parts = ((source, part) for source, line in lines for part in (_parts(line, marked) if line else [blank]))
    for source, part in itertools.chain(parts, [("", blank)]):
        if answer and part.sort != "text":
            yield answer
            answer = None
        if part.sort == "question":
            yield from _unanswered(asked)
            asked = (source, part)
        elif part.sort == "answer" or (part.sort == "text" and asked and asked[1].below):
            answer = _answer(source, part.text.lstrip(DASH), asked)
            asked = None
        elif part.sort == "text" and answer:
            answer = replace(answer, text=_joined(answer.text, part.text))
        elif part.sort == "text" and asked:
            asked = (asked[0], replace(asked[1], text=_joined(asked[1].text, part.text)))
        elif part.sort != "blank":
            yield RawRecord(source, CHARACTER, part.text, unusable=NEITHER if part.sort == "text" else NOTE)
    yield from _unanswered(asked)


def _joined(text: str, rest: str) -> str:
    """Both, with a space between them where both are words of a script that has spaces."""
    return f"{text} {rest}".strip() if text[-1:].isascii() and rest[:1].isascii() else text + rest


def _answer(source: str, text: str, asked: tuple[str, Part] | None) -> RawRecord:
    why = "" if asked else "an answer to nothing"
    if NOTHING.fullmatch(text):
        why = "an answer that says nothing"
    return RawRecord(source, CHARACTER, text, asked=asked[1].text if asked else "", place=source, unusable=why)


def _unanswered(asked: tuple[str, Part] | None) -> Iterator[RawRecord]:
    if asked:
        yield RawRecord(asked[0], CHARACTER, asked[1].text, unusable="a question without an answer")
