"""Every prompt comes from the persona, and reads as the golden texts show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.augmentation.frames import FRAMES, framed
from pipeline.conversations.persona import load_personas, make_persona, save_personas
from pipeline.conversations.render import Conversation, chat_prompt, render, user
from pipeline.errors import UnderstudyError
from pipeline.evaluation.probes.probe import HELD_OUT_FRAMES
from pipeline.records.record import Kind, Record, Turn

MIRA = make_persona("Mira", "en", {})
AHENG = make_persona("阿蘅", "zh", {})


def record(
    kind: Kind, prompt: str, text: str = "Aye.", context: tuple[Turn, ...] = (), speaker: str = "Mira"
) -> Record:
    return Record("id", kind, prompt, text, context, speaker, "a.json#0")


def shown(conversation: Conversation) -> str:
    turns = [f"{message['role']}: {message['content']}" for message in conversation.prompt]
    return "\n".join([*turns, f"⟦{conversation.completion['content']}⟧"])


def only(made: Record, share: float = 0.0) -> str:
    (conversation,) = render(made, MIRA if made.speaker == "Mira" else AHENG, chat_share=share)
    return shown(conversation)


def test_a_passage_is_told_under_its_title() -> None:
    assert only(record("background", "Character Story 1", "Mira rings.")) == (
        "system: What follows is background and lore about Mira.\nuser: Character Story 1\n⟦Mira rings.⟧"
    )


def test_a_settings_question_is_answered() -> None:
    assert only(record("setting_qa", "你是谁？", "我是阿蘅。", speaker="阿蘅")) == (
        "system: 你现在是阿蘅。请根据你的背景设定回答问题。\nuser: 你是谁？\n⟦我是阿蘅。⟧"
    )


def test_a_line_without_its_other_side_stands_under_its_scene_and_nothing_is_invented() -> None:
    system = "system: You are Mira. Speak with Mira's tone, habits and temper.\n"
    assert only(record("dialogue", "Dusk")) == f"{system}user: (Scene: Dusk)\n⟦Aye.⟧"
    assert only(record("dialogue", "")) == f"{system}user: (Say something.)\n⟦Aye.⟧"


def test_a_scene_becomes_alternating_turns_with_the_others_named() -> None:
    context = (
        Turn("Mira", "Up."),
        Turn("Bram", "Down."),
        Turn("Pim", "Both!"),
        Turn("Mira", "Hush."),
        Turn("Bram", "So?"),
    )
    assert only(record("dialogue", "Dusk", context=context)) == (
        "system: You are Mira. Speak with Mira's tone, habits and temper.\n"
        "user: (Scene: Dusk)\nassistant: Up.\nuser: Bram: Down.\nPim: Both!\nassistant: Hush.\nuser: Bram: So?\n⟦Aye.⟧"
    )


def test_who_has_no_name_is_the_user_and_needs_none() -> None:
    assert only(record("dialogue", "", context=(Turn("", "Good evening!"),))) == (
        "system: You are Mira. Speak with Mira's tone, habits and temper.\nuser: Good evening!\n⟦Aye.⟧"
    )


contexts = st.lists(st.builds(Turn, st.sampled_from(["Mira", "Bram", "Pim"]), st.sampled_from(["a", "b"])), max_size=8)


@given(contexts)
def test_a_prompt_always_alternates_and_ends_with_the_user(context: list[Turn]) -> None:
    (conversation,) = render(record("dialogue", "Dusk", context=tuple(context)), MIRA, chat_share=0)
    roles = [message["role"] for message in conversation.prompt]
    if context and context[-1].speaker == "Mira":
        return  # a reader never makes one: lines of one speaker in a row are one turn
    assert roles == ["system", *["user", "assistant"] * ((len(roles) - 2) // 2), "user"]


@pytest.mark.parametrize(("share", "chats"), [(0, 0), (0.25, 0.25), (0.5, 0.5), (0.75, 0.75), (1, 1)])
def test_the_share_under_the_chats_prompt_is_the_recipes(share: float, chats: float) -> None:
    made = render(record("setting_qa", "Where?"), MIRA, chat_share=share)
    system = chat_prompt(MIRA, ())[0]
    assert sum(conversation.prompt[0] == system for conversation in made) / len(made) == chats
    assert {conversation.prompt[1]["content"] for conversation in made} == {"Where?"}


def test_a_passage_never_stands_under_the_chats_prompt() -> None:
    assert all(
        c.prompt[0]["content"].startswith("What follows") for c in render(record("background", "A"), MIRA, chat_share=1)
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_held_out_frames_are_never_trained(language: str) -> None:
    assert not set(HELD_OUT_FRAMES[language]) & set(FRAMES[language])  # type: ignore[index]


def test_a_question_keeps_its_words_in_every_frame() -> None:
    assert framed("Where do you live?", MIRA)[:2] == ["Tell me: Where do you live?", "Mira, where do you live?"]
    assert framed("About the rain", MIRA) == []
    assert framed("你住哪儿？", AHENG)[1] == "阿蘅，你住哪儿？"


def test_the_recipes_own_instructions_reach_the_prompt() -> None:
    persona = make_persona("Mira", "en", {"chat": "Be {character}, always.", "dialogue": None})
    assert chat_prompt(persona, [user("Hi")]) == ({"role": "system", "content": "Be Mira, always."}, user("Hi"))


def test_a_persona_survives_its_file_and_a_changed_prompt_is_refused(tmp_path: Path) -> None:
    save_personas([AHENG], tmp_path, template="{{ messages }}")
    assert load_personas(tmp_path) == (AHENG,)
    path = tmp_path / "persona.json"
    fields = json.loads(path.read_text(encoding="utf-8"))
    fields["sampling"]["temperature"] = 0.1
    path.write_text(json.dumps(fields), encoding="utf-8")
    assert load_personas(tmp_path)[0].sampling.temperature == 0.1  # how it samples is the user's own affair
    fields["instructions"]["chat"] = "You are a helpful assistant."
    path.write_text(json.dumps(fields), encoding="utf-8")
    with pytest.raises(UnderstudyError, match="was changed by hand since the training"):
        load_personas(tmp_path)


def test_a_language_without_prompts_is_refused() -> None:
    with pytest.raises(UnderstudyError, match=r"'fr' has no prompts.*use one of en, zh"):
        make_persona("Mira", "fr", {})


def test_a_changed_chat_template_is_refused(tmp_path: Path) -> None:
    save_personas([AHENG], tmp_path, template="{{ messages }}")
    assert load_personas(tmp_path, template="{{ messages }}") == (AHENG,)
    with pytest.raises(UnderstudyError, match="has another chat template than it was trained with"):
        load_personas(tmp_path, template="{{ messages }} ")


def test_speakers_names_are_shown_or_not_by_rule() -> None:
    line = Record("id", "dialogue", "", "来了。", (Turn("船夫", "开船！"),), "阿蘅", "a.txt:2")
    prompts = {
        names: render(line, AHENG, chat_share=0, speaker_names=names)[0].prompt[1]["content"]
        for names in ("prefix", "none")
    }
    assert prompts == {"prefix": "船夫：开船！", "none": "开船！"}
