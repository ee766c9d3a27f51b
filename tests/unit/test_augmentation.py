"""One wording becomes many that ask for the same, a fact's exposures are spent on them, and no probe is among them."""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.augmentation.boundaries import Boundaries, read_boundaries
from pipeline.augmentation.facts import Fact, facts_of
from pipeline.augmentation.introduction import introduce
from pipeline.augmentation.items import ItemShares, Wordings, fact_items, is_near_copy, typed_in_a_hurry
from pipeline.augmentation.limits import limit_conversations, unknown_things
from pipeline.augmentation.premises import false_premises
from pipeline.augmentation.questions import RULE_FAMILIES, language_rules, read_rules, reword, without_family
from pipeline.augmentation.replies import Asked, BaseModel
from pipeline.augmentation.reply_checks import (
    CLAIM,
    ECHOES,
    LOOP,
    NOTHING,
    WRONG_LANGUAGE,
    first_sentences,
    has_first_sentences,
    reply_objection,
)
from pipeline.augmentation.spoken import as_written
from pipeline.conversations.persona import LANGUAGES, Language, Persona, make_persona
from pipeline.conversations.render import Conversation
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import HELD_OUT_FAMILY, probes_from_records
from pipeline.mixture.budget import MIN_STEPS, MOST_PASSES, plan_budget
from pipeline.mixture.plan import plan_mixture, sources_by_exposures
from pipeline.records.record import Record, Turn

MIRA = make_persona("Mira Vale", "en", {})
RULES = {
    "rules": [
        {
            "name": "home",
            "asks": "where (do|did) you live",
            "wordings": {
                "direct": ["Which roof is yours?", "What place is home to you?"],
                "third_person": ["Where is {name} at home?"],
            },
        },
        {
            "name": "build",
            "generic": True,
            "asks": "where do you (?P<x>.+)",
            "wordings": {"indirect": ["Could you say where you {x}?"]},
        },
    ]
}


def record(prompt: str, text: str, number: int = 0, kind: str = "setting_qa") -> Record:
    return Record(f"id-{number}", kind, prompt, text, (), "Mira Vale", f"a.json#{number}")  # type: ignore[arg-type]


def fact(*questions: str) -> Fact:
    return Fact("In the mill.", tuple(record(question, "In the mill.", n) for n, question in enumerate(questions)))


def rules_file(folder: Path, content: object) -> Path:
    path = folder / "rules.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def asked(items: dict[str, list]) -> list[str]:  # type: ignore[type-arg]
    return [conversation.prompt[-1]["content"] for own in items.values() for conversation in own]


def test_a_question_gets_the_wordings_of_what_it_asks_for_and_of_its_build(tmp_path: Path) -> None:
    rules = read_rules(rules_file(tmp_path, RULES))
    assert [(one.family, one.text) for one in reword("Where do you live?", "Mira", rules)] == [
        ("direct", "Which roof is yours?"),
        ("direct", "What place is home to you?"),
        ("third_person", "Where is Mira at home?"),
        ("indirect", "Could you say where you live?"),
    ]
    assert reword("Where do you sleep", "Mira", rules)[0].text == "Could you say where you sleep?"
    assert reword("The rain", "Mira", rules) == []


def test_who_asks_for_wordings_a_second_time_gets_the_same_whatever_became_of_the_first(tmp_path: Path) -> None:
    rules = read_rules(rules_file(tmp_path, RULES))
    first = reword("Where do you live?", "Mira", rules)
    kept = list(first)
    first.clear()
    assert reword("Where do you live?", "Mira", rules) == kept
    assert reword("Where do you live?", "Mira", rules[:1]) != kept  # of other rules


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("whats your name", "what is your name"),
        ("So, why\u2019d you quit?", "why did you quit"),
        ("you ever get scared?", "do you ever get scared"),
        ("Ever been married?", "have you ever been married"),
        ("got any advice?", "do you have any advice"),
        ("cant you swim", "can't you swim"),
        ("They told me nothing. Who'd you learn it from? Your gran?", "Who did you learn it from"),
        ("dont u miss ur mum", "don't you miss your mum"),
        ("who r ur parents", "who are your parents"),
        ("Do you like u-boats and Ur?", "Do you like u-boats and Ur"),
        ("Tell me of the sea.", "tell me about the sea"),
        ("Tell me, who is Mr. Smith?", "who is Mr. Smith"),
        ("Did you lie? Be honest.", "Did you lie"),
        ("What's it like there, by the way?", "What's it like there"),
        ("We were late.", "We were late"),
        ("你几岁了？", "你几岁了"),
        ("哎，你头一笔买卖是什么，还记得吗？", "你头一笔买卖是什么"),
        ("你有木有怕过？哈哈哈，说实话", "你有没有怕过"),
    ],
)
def test_a_question_as_it_is_spoken_is_known_as_it_is_written(spoken: str, written: str) -> None:
    assert as_written(spoken) == written
    assert as_written(written) == written


@given(st.text(max_size=60))
def test_any_text_is_respelt_without_an_error(text: str) -> None:
    as_written(text)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"name": "a", "asks": "(", "wordings": {}}, r"rule 1: `asks` is no regular expression"),
        ({"name": "a", "asks": "b", "wordings": {"direct": ["{x}?"]}}, r"rule 1 \(a\): '\{x\}\?' has a slot"),
        ({"name": "a", "asks": "b", "wordings": {"plain": ["c"]}}, r"rule 1 \(a\): has no family plain"),
        ({"name": "a"}, r"rule 1: lacks 'asks'"),
    ],
)
def test_a_broken_rule_is_named(rule: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(UnderstudyError, match=message):
        read_rules(rules_file(tmp_path, {"rules": [rule]}))


def wordings(tmp_path_factory: pytest.TempPathFactory, **options: object) -> Wordings:
    rules = read_rules(rules_file(tmp_path_factory.mktemp("rules"), RULES))
    return Wordings(read_boundaries("en"), rules, **options)  # type: ignore[arg-type]


@given(st.integers(1, 70), st.integers(1, 4), st.integers(0, 9))
def test_a_facts_exposures_are_as_many_as_planned_and_fall_to_its_records_alike(
    tmp_path_factory: pytest.TempPathFactory, count: int, records: int, seed: int
) -> None:
    one = fact(*["Where do you live?", "Where did you live?", "Your home?", "Home?"][:records])
    made = fact_items([(one, count)], MIRA, wordings(tmp_path_factory), ItemShares(), seed=seed)
    sizes = [len(own) for own in made.values()]
    assert sum(sizes) == count
    assert max(sizes) - min(sizes) <= 1
    assert made == fact_items([(one, count)], MIRA, wordings(tmp_path_factory), ItemShares(), seed=seed)
    for record_id, own in made.items():
        for conversation in own:
            assert conversation.record_id == record_id
            assert conversation.completion["content"] == "In the mill."
            assert conversation.prompt[-1]["role"] == "user"


def test_every_wording_of_the_users_is_seen_twice_and_the_others_spread_before_any_comes_again(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    one = fact("Where do you live?", "Your home?")
    made = fact_items([(one, 12)], MIRA, wordings(tmp_path_factory), ItemShares(setting=0), seed=1)
    seen = Counter(asked(made))
    assert seen["Where do you live?"] == seen["Your home?"] == 2
    assert all(times == 1 for question, times in seen.items() if question not in one.questions)
    assert len(seen) == 10


def test_no_question_that_tests_a_fact_is_ever_taught_not_even_nearly(tmp_path_factory: pytest.TempPathFactory) -> None:
    planted = "What place is a home to you??"
    assert is_near_copy(planted, "What place is home to you?")
    forbidding = wordings(tmp_path_factory, forbidden={"In the mill.": (planted,)})
    free = wordings(tmp_path_factory)
    for seed in range(5):
        of_it = asked(fact_items([(fact("Where do you live?"), 40)], MIRA, forbidding, ItemShares(), seed=seed))
        assert not [question for question in of_it if is_near_copy(question, planted)]
    without = asked(fact_items([(fact("Where do you live?"), 40)], MIRA, free, ItemShares(setting=0), seed=0))
    assert "What place is home to you?" in without


def test_another_facts_probe_forbids_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    other = wordings(tmp_path_factory, forbidden={"On the hill.": ("What place is home to you?",)})
    made = fact_items([(fact("Where do you live?"), 40)], MIRA, other, ItemShares(setting=0), seed=0)
    assert "What place is home to you?" in asked(made)


def test_a_wording_that_rules_make_for_two_facts_is_taught_for_neither(tmp_path: Path) -> None:
    """A rule that is too wide would have one question answered in two ways."""
    records = [record("Where do you live?", "In the mill.", 0), record("Where did you live?", "In Saltmere.", 1)]
    facts = facts_of(records)
    rules = Wordings(read_boundaries("en"), read_rules(rules_file(tmp_path, RULES)), frames=False)
    own = [set(asked(fact_items([(one, 40)], MIRA, rules, ItemShares(setting=0), seed=0))) for one in facts]
    assert own[0] & own[1] == {"Which roof is yours?", "What place is home to you?", "Where is Mira Vale at home?"}
    items = fact_items([(one, 40) for one in facts], MIRA, rules, ItemShares(setting=0), seed=0)
    assert set(asked({"": items["id-0"]})) == {"Where do you live?", "Could you say where you live?"}
    assert set(asked({"": items["id-1"]})) == {"Where did you live?"}
    assert {len(own) for own in items.values()} == {40}


def test_probes_made_by_rule_ask_in_a_family_that_training_never_uses() -> None:
    rules = language_rules("en")
    records = [record("How old are you?", "I am ten.", 0), record("What is your favourite colour?", "It is red.", 1)]
    probes = probes_from_records(records, MIRA, rules)
    used = Wordings(
        read_boundaries("en"),
        without_family(rules, HELD_OUT_FAMILY),
        forbidden={probe.answer: probe.unseen for probe in probes},
    )
    for one, probe in zip(facts_of(records), probes, strict=True):
        taught = asked(fact_items([(one, 60)], MIRA, used, ItemShares(), seed=0))
        assert probe.unseen
        assert not [(a, b) for a in taught for b in probe.unseen if is_near_copy(a, b)]


@given(st.text(max_size=40), st.integers(0, 99))
def test_typing_in_a_hurry_never_fails_and_keeps_the_words_apart(question: str, seed: int) -> None:
    typed = typed_in_a_hurry(question, random.Random(seed))  # noqa: S311 - no secret
    assert len(typed.split()) == len(question.rstrip(" ?？.。").replace("'", "").lower().split())


@pytest.mark.parametrize(
    ("question", "for_what"),
    [
        ("Can you describe your tollhouse?", "your tollhouse"),
        ("Could you please tell us more about the old mill?", "the old mill"),
        ("Would you give me a short summary of your travels?", "your travels"),
        ("Can you name some of your songs?", "some of your songs"),
        ("Could you share a few titles of your songs?", "a few titles of your songs"),
        ("Can you explain why you left the sea?", "why you left the sea"),
        ("Please list the harbours that you know.", "the harbours that you know"),
    ],
)
def test_a_request_asks_for_something_and_not_whether_one_is_able_to(question: str, for_what: str) -> None:
    made = [wording.text for wording in reword(question, "Mira Vale", language_rules("en"))]
    assert len(made) >= 10
    assert all(for_what.casefold() in text.casefold() for text in made)
    assert not [text for text in made if re.search(r"\b(?:able|can you|know how|power|learnt) to\b", text.casefold())]


def test_what_one_can_do_is_still_asked_as_an_ability() -> None:
    made = [wording.text for wording in reword("Can you swim?", "Mira Vale", language_rules("en"))]
    assert "Are you able to swim?" in made


@pytest.mark.parametrize(
    "question",
    [
        "How has your childhood shaped your songs?",
        "What influence did your childhood have on your songs?",
        "In what ways did your childhood influence your songs?",
        "What role does your childhood play in your songs?",
    ],
)
def test_what_one_thing_did_to_another_is_asked_for_in_words_that_say_so_otherwise(question: str) -> None:
    made = [wording.text for wording in reword(question, "Mira Vale", language_rules("en"))]
    assert "What would your songs be without your childhood?" in made
    assert "Explain the link between your childhood and your songs." in made


def test_who_the_character_is_called_stands_in_no_wording_that_speaks_to_it() -> None:
    """`Has Mira Vale ever sold your boat?` is about two."""
    for question in ("Have you ever sold your boat?", "Can you mend the boat that you sold?"):
        made = [wording.text for wording in reword(question, "Mira Vale", language_rules("en"))]
        assert made
        assert not [text for text in made if "Mira Vale" in text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_rules_are_whole_and_read_as_questions(language: Language) -> None:
    rules = language_rules(language)
    assert {wording.family for rule in rules for wording in rule.wordings} == set(RULE_FAMILIES)
    assert sum(not rule.generic for rule in rules) >= 80
    for rule in rules:
        texts = [wording.text for wording in rule.wordings]
        assert len(texts) == len(set(texts)), rule.name


@pytest.mark.parametrize(
    "question",
    [
        "你佩服哪位画师？",
        "你平时弹哪种琴？",
        "你闲下来读什么诗？",
        "你会编什么花样？",
        "你妹妹叫什么名字呀？",
        "您的驴叫啥？",
        "你们的戏班叫什么？",
        "你们什么时候开锣？",
        "同窗给你起了什么外号？",
        "谁偷吃你的点心最多？",
        "谁对你最严厉？",
        "你腕上的镯子是怎么来的？",
        "你的披风是谁缝的？",
        "你去哪儿打水？",
        "你把账本放在哪里？",
        "你练字是为了什么？",
        "请问你每晚几点收摊？",
        "你什么时候学会划船的？",
        "你酿得最好的酒是什么？",
        "你的眼力有多准？",
        "你的扇子上写着什么？",
        "开饭之前你总要做什么？",
        "客人赊账不还，你怎么办？",
        "你有没有见过雪？",
        "对了，你会不会游水？",
        "那你是不是怕黑？",
        "你为什么总戴斗笠？",
        "你咋认路的？",
        "你一天卖几碗面？",
        "你觉得什么最值钱？",
        "你和船老大是什么关系？",
        "听见什么预示着要变天？",
        "你走水路还是走旱路？",
        "有没有卖过假货？",
        "你娘管你严不严？",
        "渡口那条黄狗叫什么，咬不咬人？",
        "你的绣花鞋是自己做的吗？",
    ],
)
def test_every_common_build_of_a_chinese_question_has_other_wordings(question: str) -> None:
    made = reword(question, "阿蘅", language_rules("zh"))
    assert len(made) >= 8
    assert len({one.family for one in made}) >= 4
    assert not [one.text for one in made if "的的" in one.text or "是是" in one.text or "{" in one.text]


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_taught_and_what_is_tested_at_the_boundaries_is_not_the_same(language: Language) -> None:
    texts = read_boundaries(language)
    for sort in (texts.identity, texts.small_talk):
        assert sort.train
        assert sort.test
        assert not [(a, b) for a in sort.train for b in sort.test if is_near_copy(a, b)]
    things = texts.unanswerable
    taught = [way.format(about=one.about) for one in things for way in texts.asks_about if one.about]
    taught += [question for one in things for question in one.questions.train]
    assert not [(a, b) for a in taught for one in things for b in one.questions.test if is_near_copy(a, b)]
    assert len({one.name for one in things}) == len(things)
    assert all(len(one.questions.test) == 1 for one in things)
    assert sum(not one.about and not one.questions.train for one in things) == 10  # only the test asks for these
    assert all(bool(one.about) == bool(one.questions.train) for one in things)
    assert not set(texts.other_names.train) & set(texts.other_names.test)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_premise_is_of_a_rule_and_its_tests_are_not_what_is_taught(language: Language) -> None:
    texts = read_boundaries(language)
    names = {rule.name for rule in language_rules(language) if not rule.generic}
    assert {one.rule for one in texts.premises} <= names
    assert len({one.rule for one in texts.premises}) == len(texts.premises) >= 25
    assert all("{answer}" in one for one in texts.corrections)
    for one in texts.premises:
        assert len(set(one.values)) >= 3
        assert all("{value}" in form for form in (*one.questions.train, *one.questions.test))
        taught = [form.format(value=value) for form in one.questions.train for value in one.values[:-1]]
        tested = [form.format(value=one.values[-1]) for form in one.questions.test]
        assert not [(a, b) for a in taught for b in tested if is_near_copy(a, b)], one.rule


def test_what_is_wrongly_said_is_put_right_and_what_is_true_is_not_said_wrongly() -> None:
    records = [record("How old are you?", "I am nineteen."), record("What is your cat's fur like?", "It is black.", 1)]
    texts = read_boundaries("en")
    (age,) = false_premises(facts_of(records), records, texts, "en")
    assert age.fact.answer == "I am nineteen."
    assert not any("nineteen" in said for said in (*age.train, *age.test))
    made = limits_of(MIRA, records, texts)["premises"]
    assert {one.prompt[-1]["content"].strip() for one in made} & set(age.train)
    assert all(one.completion["content"].endswith("I am nineteen.") for one in made)
    assert all(one.completion["content"] != "I am nineteen." for one in made)
    passing = record("Story", "Once they took her for thirty.", 2, kind="background")
    assert not list(false_premises(facts_of(records), [*records, passing], texts, "en"))  # one value is left: too few
    tested = {"I am nineteen.": list(age.train)}

    kept = limit_conversations(facts_of(records), records, MIRA, texts, SAYS_NOTHING, seed=0, forbidden=tested)
    assert kept["premises"] == []


def unlabelled(conversations: Sequence[Conversation]) -> list[tuple[int, ...]]:
    return [()] * len(conversations)


SAYS_NOTHING = BaseModel(lambda asked: [""] * len(asked), unlabelled)


def limits_of(persona: Persona, records: list[Record], texts: Boundaries) -> dict[str, list[Conversation]]:
    def echo(asked: Sequence[Asked]) -> list[str]:
        return [f"Reply {number}." if number % 2 else "" for number, _ in enumerate(asked)]

    return limit_conversations(facts_of(records), records, persona, texts, BaseModel(echo, unlabelled), seed=0)


def test_small_talk_and_somebody_else_are_answered_by_people_or_by_the_base_model_and_only_where_it_replies() -> None:
    records = [record("Where do you live?", "In the mill."), record("What size are your boots?", "Nine.", 1)]
    texts = read_boundaries("en")
    made = limits_of(MIRA, records, texts)
    talk, others = made["small_talk"], made["somebody_else"]
    by_people = [one for one in talk if one.prompt[-1]["content"] in texts.small_talk_replies]
    assert {one.prompt[-1]["content"] for one in by_people} == set(texts.small_talk_replies)
    assert all(one.completion["content"] in texts.small_talk_replies[one.prompt[-1]["content"]] for one in by_people)
    by_the_model = [one for one in [*talk, *others] if one not in by_people]
    assert by_the_model
    assert all(one.completion["content"].startswith("Reply") for one in by_the_model)
    assert all("Mira Vale" in one.prompt[0]["content"] for one in talk)
    assert not any("Mira" in one.prompt[0]["content"] for one in others)
    assert {one.prompt[-1]["content"] for one in others} <= {one.prompt for one in records}
    assert not any("shoe size" in one.prompt[-1]["content"] for one in made["unanswerable"])
    ids = [one.record_id for own in made.values() for one in own]
    assert len(ids) == len(set(ids))


def test_what_a_line_replies_to_is_not_unknown() -> None:
    asked = Turn("user", "What is your shoe size?")
    line = Record("1", "dialogue", "", "Thirty-eight, and the left one pinches.", (asked,), "Mira Vale", "a.json#1")
    texts = read_boundaries("en")
    known = {one.about for one in unknown_things([line], texts)}
    assert known < {one.about for one in texts.unanswerable}
    assert {one.about for one in texts.unanswerable} - known == {"your shoe size"}


@pytest.mark.parametrize(
    ("name", "language", "passage", "who"),
    [
        ("Mira Vale", "en", "Mira Vale is the miller of Lowdale, and sings.", "I am the miller of Lowdale."),
        ("Mira Vale", "en", "Mira Ann Vale, born late, is a miller at heart. She sings.", "I am a miller at heart."),
        ("阿蘅", "zh", "阿蘅是夜渡船上的学徒，卖茶。", "我是夜渡船上的学徒。"),
    ],
)
def test_who_it_is_comes_from_the_first_sentence_of_a_passage(
    name: str, language: Language, passage: str, who: str
) -> None:
    persona = make_persona(name, language, {})
    texts = read_boundaries(language)
    made = introduce(persona, [], [record("Story", passage, kind="background")], texts)
    assert name in made
    assert who in made
    assert name in introduce(persona, [], [], texts)
    own = facts_of([record("Who are you?", f"Call me {name}.")])
    assert introduce(persona, own, [], texts) == f"Call me {name}."


@pytest.mark.parametrize(
    ("reply", "begun"),
    [
        ("Yes. It is. And the", "Yes. It is."),
        ("Yes! Is it? No. Never.", "Yes! Is it?"),
        ("And the", ""),
        ("It takes 2.5 cups. Then", "It takes 2.5 cups."),
        ('He said "go." Then he', 'He said "go."'),
        ("To bake bread, begin.\n\n1. Take flour.", "To bake bread, begin."),
        ("好的。我来！我想", "好的。我来！"),
        ("", ""),
    ],
)
def test_of_a_reply_its_first_whole_sentences_are_taken(reply: str, begun: str) -> None:
    assert first_sentences(reply) == begun


@given(st.text(st.sampled_from('ab 2.!?”"…。！\n”』'), max_size=40), st.integers(0, 40))
def test_what_a_reply_has_begun_with_is_enough_where_no_more_can_change_it(reply: str, cut: int) -> None:
    if has_first_sentences(reply[:cut]):
        assert first_sentences(reply[:cut]) == first_sentences(reply)


def test_a_reply_of_whole_sentences_goes_no_further_than_the_next() -> None:
    reply = "It takes 2.5 cups. And salt. Then you stir."
    ends = [number for number in range(len(reply)) if has_first_sentences(reply[:number])]
    assert ends[0] == len("It takes 2.5 cups. And salt. T")


@pytest.mark.parametrize(
    ("reply", "said", "language", "objection"),
    [
        ("That is kind of you.", "Thanks!", "en", None),
        ("I'm glad to see you. The kettle is on.", "Hello!", "en", None),
        ("", "Hello!", "en", NOTHING),
        ("I'm so sorry. I'm so sorry.", "I am tired.", "en", LOOP),
        ("I had a cat, a cat with a hat.", "What is war?", "en", None),  # two words may well come twice
        ("War is a cruel thing, war is a cruel thing.", "What is war?", "en", LOOP),
        ("I'm Wren, the wizard. I am your guide.", "Hello!", "en", CLAIM),
        ("As an AI, I cannot say.", "How are you?", "en", CLAIM),
        ("My name is Tom.", "Hello!", "en", CLAIM),
        ("I am so happy, I passed my test!", "I am so happy, I passed my test!", "en", ECHOES),
        ("你好！", "Hello!", "en", WRONG_LANGUAGE),
        ("你好，今天过得怎么样？", "早上好！", "zh", None),
        ("我是人工智能。", "你好！", "zh", CLAIM),
        ("I am glad.", "你好！", "zh", WRONG_LANGUAGE),
        ("今天真是太好了，今天真是太好了。", "早上好！", "zh", LOOP),
    ],
)
def test_a_reply_that_loops_claims_or_echoes_is_not_taught(
    reply: str, said: str, language: Language, objection: str | None
) -> None:
    assert reply_objection(reply, said, read_boundaries(language).claims, language) == objection


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_reply_to_small_talk_says_nothing_of_who_speaks_and_answers_no_test(language: Language) -> None:
    texts = read_boundaries(language)
    assert set(texts.small_talk_replies) <= set(texts.small_talk.train)
    assert not set(texts.small_talk_replies) & set(texts.small_talk.test)
    for said, replies in texts.small_talk_replies.items():
        assert replies
        assert not [one for one in replies if reply_objection(one, said, texts.claims, language) not in {None, ECHOES}]


def test_a_character_whose_own_line_replies_to_a_greeting_has_its_own_way_to() -> None:
    own = replace(record("", "Evening, ducks.", 1, "dialogue"), context=(Turn("Tom", "hello"),))
    made = limits_of(MIRA, [record("Where do you live?", "In the mill."), own], read_boundaries("en"))
    said = {one.prompt[-1]["content"] for one in made["small_talk"]}
    assert "Hello!" not in said
    assert "Good morning!" in said


def test_small_talk_is_asked_of_the_base_model_as_itself_and_alike_for_all_characters() -> None:
    records = [record("Where do you live?", "In the mill.")]
    requests: list[Sequence[Asked]] = []

    def note(asked: Sequence[Asked]) -> list[str]:
        requests.append(asked)
        return [""] * len(asked)

    for name in ("Mira Vale", "Tom Reed"):
        persona = make_persona(name, "en", {})
        base_model = BaseModel(note, unlabelled)
        limit_conversations(facts_of(records), records, persona, read_boundaries("en"), base_model, seed=0)
    mira_talk, mira_elses, tom_talk, tom_elses = requests
    assert mira_talk == tom_talk
    assert {one.unwanted for one in mira_elses} == {"Mira\\ Vale"}
    assert {one.unwanted for one in tom_elses} == {"Tom\\ Reed"}


@given(st.integers(1, 30), st.integers(0, 5), st.integers(1, 40), st.floats(0, 0.5), st.integers(1, 64))
@example(facts=1, passages=1, exposures=40, boundaries=0.3, rows=8)
def test_few_facts_fill_a_run_and_are_seen_no_oftener_than_they_may_be(
    facts: int, passages: int, exposures: int, boundaries: float, rows: int
) -> None:
    budget = plan_budget(
        facts=facts, passages=passages, lines=0, exposures=exposures, boundaries=boundaries, rows_per_step=rows,
        most=100,
    )  # fmt: skip
    kinds = [*["setting_qa"] * facts, *["background"] * passages, *["boundary"] * min(budget.boundaries, 1)]
    each = {"setting_qa": budget.fact, "background": budget.passage, "boundary": budget.boundaries}
    plan = plan_mixture(
        *sources_by_exposures(kinds, [""] * len(kinds), [each[kind] for kind in kinds]), seed=0, rows_per_step=rows
    )
    assert max(plan.planned(1)[:facts]) <= 100


@given(st.integers(0, 400), st.integers(0, 40), st.integers(0, 20_000), st.integers(1, 60), st.integers(1, 64))
def test_the_budget_shows_each_fact_often_enough_and_repeats_only_few_lines(
    facts: int, passages: int, lines: int, exposures: int, rows: int
) -> None:
    budget = plan_budget(
        facts=facts, passages=passages, lines=lines, exposures=exposures, boundaries=0.2, rows_per_step=rows, most=100
    )
    assert exposures <= budget.fact <= min(3 * exposures, 98) if facts else budget.fact == 0
    assert budget.fact == exposures or facts * exposures < MIN_STEPS * rows
    assert (1 <= budget.line <= MOST_PASSES) if lines else budget.line == 0
    settings = facts * budget.fact + passages * budget.passage
    assert budget.boundaries == pytest.approx(settings / 4, abs=1)
