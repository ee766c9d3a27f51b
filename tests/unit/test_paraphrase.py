"""Paraphrases of settings questions: what speaks against one, how replies are read, and what an interruption costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation import paraphrase
from pipeline.augmentation.paraphrase import Paraphrases, paraphrase_questions, paraphrases_of
from pipeline.augmentation.paraphrase_checks import (
    ASKS_ELSE,
    COPY,
    EXAMPLE,
    NO_QUESTION,
    OTHER_QUESTION,
    PROBE,
    REVEALS,
    WRONG_LANGUAGE,
    WRONG_LENGTH,
    WRONG_PERSON,
    first_objection,
    fits_length,
    is_near,
    key_words,
    reveals,
    similarity,
)
from pipeline.augmentation.paraphrase_model import parse_wordings, prompts_for
from pipeline.conversations.persona import LANGUAGES, Language, make_persona
from pipeline.records.record import Record

BORN = ("Where were you born?", "I was born in Saltmere, under the bells.")
RIVER = ("你出生在哪里？", "我出生在下游的七蓑滩。")
TEXTS = st.text(min_size=1, max_size=60)


def objection(text: str, pair: tuple[str, str], language: Language, **others: Sequence[str]) -> str | None:
    return first_objection(text, *pair, language=language, **others)


@pytest.mark.parametrize(
    "text",
    [
        "What is your birthplace?",
        "Tell me where you come from.",
        "Your home town?",
        "I wonder what town you first saw the light in.",
    ],
)
def test_a_question_or_request_in_other_words_passes(text: str) -> None:
    assert objection(text, BORN, "en") is None


@pytest.mark.parametrize(
    "text", ["你的家乡是什么地方？", "告诉我你是在哪儿出生的。", "真想知道你是哪里人。", "老家在哪"]
)
def test_so_it_does_in_chinese(text: str) -> None:
    assert objection(text, RIVER, "zh") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("你出生在哪里？", WRONG_LANGUAGE),
        ("I come from a town of bells and salt.", NO_QUESTION),
        ("Tell me where you", NO_QUESTION),
        ("Ah", WRONG_LENGTH),
        ("Where were you born, " + "and why, " * 5 + "and how?", WRONG_LENGTH),
        ("Where was my cradle?", WRONG_PERSON),
        ("Where was Mira born, then?", WRONG_PERSON),
        ("Were you born in Saltmere?", REVEALS),
        ("Did you grow up under bells?", REVEALS),
        ("where were you born", NO_QUESTION),
        ("Where, were you born?", COPY),
        ("So how many clocks do you have?", EXAMPLE),
    ],
)
def test_what_speaks_against_a_wording_is_named(text: str, reason: str) -> None:
    assert objection(text, BORN, "en", topics=prompts_for("en").topics) == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Where were you born?", WRONG_LANGUAGE),
        ("你是在 village 出生的吗？", WRONG_LANGUAGE),
        ("我出生在很远的地方。", NO_QUESTION),
        ("我的家乡在哪里？", WRONG_PERSON),
        ("你是七蓑滩人吗？", REVEALS),
        ("你，出生在哪里", COPY),
        ("你的作坊里有几座钟？", EXAMPLE),
    ],
)
def test_so_it_is_in_chinese(text: str, reason: str) -> None:
    assert objection(text, RIVER, "zh", topics=prompts_for("zh").topics) == reason


def test_what_was_kept_what_is_asked_elsewhere_and_the_exam_may_not_be_repeated() -> None:
    text = "What is your birthplace?"
    assert objection(text, BORN, "en", kept=["What is your birth place?"]) == COPY
    assert objection(text, BORN, "en", others=["What is your birthplace ?"]) == OTHER_QUESTION
    assert objection(text, BORN, "en", probes=["What is your birthplace, girl?"]) == PROBE
    assert objection("你的家乡在何处？", RIVER, "zh", probes=["你的家乡在何处呀？"]) == PROBE


def test_key_words_are_what_the_question_lacks() -> None:
    assert key_words("There are 187 steps to the lamp.", "How many steps are there?", "en") == ("187", "lamp")
    assert key_words("Old Bram taught me the bells.", "Who taught you?", "en") == ("Bram", "bells")
    assert key_words("I'm fond of smoked eel. And rain.", "What do you eat?", "en") == ("fond", "smoked", "rain")
    assert key_words(RIVER[1], RIVER[0], "zh") == ("下游", "七蓑滩")
    assert key_words("我养了一只名叫利息的水獭。", "你养了什么宠物？", "zh") == ("利息", "水獭")
    assert key_words("我的大名叫乌蘅。", "你的大名叫什么？", "zh") == ("乌蘅",)


@given(TEXTS, TEXTS, st.sampled_from(LANGUAGES))
def test_a_question_never_reveals_its_own_answer(question: str, answer: str, language: Language) -> None:
    assert not reveals(question, question, answer, language)


@given(TEXTS)
def test_a_text_is_near_itself_and_of_fitting_length(text: str) -> None:
    assert similarity(text, text) == 1
    assert is_near(text, ["another text", text], 0.8)
    assert fits_length(text, text) or len(text.strip()) < 3 or text != text.strip()


@given(TEXTS, TEXTS)
def test_nearness_is_mutual(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)


@given(TEXTS, st.sampled_from([BORN, RIVER]), st.sampled_from(LANGUAGES))
def test_a_probe_never_passes(text: str, pair: tuple[str, str], language: Language) -> None:
    assert objection(text, pair, language, probes=[text]) is not None


@pytest.mark.parametrize(
    "reply",
    [
        "1. Where from?\n2. Your home?",
        "Here are two ways:\n\n(1) Where from?\n(2) Your home?",
        "- Where from?\n* Your home?",
        '1) "Where from?"\n2) **Your home?**',
        "Question: Where from?\nRewording 2: Your home?\n3. Would you be so kind as to",
    ],
)
def test_a_list_is_read_however_it_is_written(reply: str) -> None:
    assert parse_wordings(reply) == ["Where from?", "Your home?"]


def test_so_is_a_chinese_one() -> None:
    assert parse_wordings("1、你是哪里人？\n２．“老家在哪？”\n问法三：") == ["你是哪里人？", "老家在哪？"]
    assert parse_wordings("（1）你是哪里人？\n②老家在哪？") == ["你是哪里人？", "老家在哪？"]


@given(st.lists(st.from_regex(r"[A-Za-z][a-z ]{0,20}[a-z]\?", fullmatch=True), max_size=6))
def test_numbers_come_off_and_nothing_else(wordings: list[str]) -> None:
    listed = "\n".join(f"{number}. {wording}" for number, wording in enumerate(wordings, 1))
    assert parse_wordings(listed) == wordings


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_pass_the_checks_themselves(language: Language) -> None:
    prompts = prompts_for(language)
    for kind in prompts.kinds:
        for (question, answer), rewordings in zip(prompts.examples, kind.rewordings, strict=True):
            for text in rewordings:
                assert objection(text, (question, answer), language) is None, text


# The model's part is played by these two: offers that depend on the whole block and its seed, and a judge.
QUESTIONS = [(f"What is thing number {number} called?", f"It is called Thing{number}.") for number in range(11)]


def offers(
    model: Any, tokenizer: Any, block: Sequence[tuple[str, str]], language: str, *, seed: int
) -> list[list[str]]:
    forms = ("Tell me about your thing {0}, {1}.", "Could you name the thing {0} for {1}?", "Thing what?")
    return [[form.format(len(question), f"{seed}"[:4]) for form in forms] for question, _ in block]


def accepts(model: Any, tokenizer: Any, *, wordings: Sequence[str], **_: Any) -> list[bool]:
    return [wording != "Thing what?" for wording in wordings]


@pytest.fixture
def without_a_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(paraphrase, "propose", offers)
    monkeypatch.setattr(paraphrase, "asks_the_same", accepts)


def paraphrased(model: Path, **changes: Any) -> Paraphrases:
    options: dict[str, Any] = {
        "language": "en", "model_name": str(model), "options": {"dtype": "float32"}, "count": 4, "seed": 7,
        "forbidden": (),
    }  # fmt: skip
    return paraphrase_questions(QUESTIONS, **(options | changes))


@pytest.mark.usefixtures("without_a_model")
def test_what_passes_is_kept_and_the_rest_is_counted(tiny_model_folder: Path) -> None:
    result = paraphrased(tiny_model_folder)
    assert [len(kept) for kept in result.kept] == [2] * 11
    assert (result.passed, result.rejects) == (22, {ASKS_ELSE: 11})
    assert result.pass_rate == pytest.approx(2 / 3)
    assert [len(kept) for kept in paraphrased(tiny_model_folder, count=1).kept] == [1] * 11


@pytest.mark.usefixtures("without_a_model")
def test_a_planted_probe_is_not_kept(tiny_model_folder: Path) -> None:
    planted = paraphrased(tiny_model_folder).kept[3][1]
    result = paraphrased(tiny_model_folder, forbidden=[planted.replace("?", " ?")])
    assert planted not in result.kept[3]
    assert result.rejects[PROBE] >= 1


@pytest.mark.usefixtures("without_a_model")
@pytest.mark.parametrize("stop_at", [0, 3, 8, 10])
def test_an_interruption_costs_one_question_and_changes_nothing(
    stop_at: int, tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = paraphrased(tiny_model_folder)
    monkeypatch.setenv("UNDERSTUDY_HOME", str(tmp_path / "other"))
    judged: list[Sequence[str]] = []

    def interrupted(*_: Any, wordings: Sequence[str], **__: Any) -> list[bool]:
        if len(judged) == stop_at:
            raise KeyboardInterrupt
        judged.append(wordings)
        return accepts(None, None, wordings=wordings)

    with monkeypatch.context() as patch:
        patch.setattr(paraphrase, "asks_the_same", interrupted)
        with pytest.raises(KeyboardInterrupt):
            paraphrased(tiny_model_folder)
    (cache,) = (tmp_path / "other" / "paraphrases").iterdir()
    with cache.open("a", encoding="utf-8") as file:
        file.write('\n{"question": "What is th')  # killed while writing
    steps: list[tuple[int, int]] = []
    resumed = paraphrased(tiny_model_folder, progress=lambda done, total: steps.append((done, total)))
    assert resumed == whole
    assert steps[-1] == (11 - stop_at, 11 - stop_at)


@pytest.mark.usefixtures("without_a_model")
def test_what_is_done_needs_no_model(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = paraphrased(tiny_model_folder)
    monkeypatch.setattr(paraphrase, "propose", lambda *_, **__: pytest.fail("asked again"))
    monkeypatch.setattr(paraphrase, "load_base_model", lambda *_, **__: pytest.fail("loaded again"))
    assert paraphrased(tiny_model_folder) == whole


RECORDS = [
    Record(f"id{number}", "setting_qa", question, answer, (), "Mira", f"settings.json#{number}")
    for number, (question, answer) in enumerate(QUESTIONS)
]


def of_records(choice: str, model: Path, log: list[str]) -> dict[str, tuple[str, ...]]:
    passage = replace(RECORDS[0], record_id="passage", kind="background")
    return dict(
        paraphrases_of(
            choice,
            count=4,
            base_model=str(model),
            options={"dtype": "float32"},
            records=[*RECORDS, passage],
            persona=make_persona("Mira", "en", {}),
            probes=[],
            seed=7,
            log=log.append,
        )
    )


@pytest.mark.usefixtures("without_a_model")
def test_settings_questions_alone_are_reworded(tiny_model_folder: Path, tmp_path: Path) -> None:
    log: list[str] = []
    assert of_records("off", tmp_path / "nowhere", log) == {}
    by_self = of_records("self", tiny_model_folder, log)
    assert set(by_self) == {record.record_id for record in RECORDS}
    assert of_records(str(tiny_model_folder), tmp_path / "nowhere", log) == by_self
    assert "22 kept for 11 questions, 67% of those judged passed" in log[-1]


@pytest.mark.usefixtures("without_a_model")
def test_auto_asks_whether_the_model_is_up_to_it(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []
    assert len(of_records("auto", tiny_model_folder, log)) == 11
    monkeypatch.setattr(paraphrase, "asks_the_same", lambda *_, wordings, **__: [False] * len(wordings))
    monkeypatch.setattr(paraphrase, "MIN_PASS_RATE", 0.7)
    assert of_records("auto", tiny_model_folder, log) == {}
    assert "no paraphrases" in log[-1]
