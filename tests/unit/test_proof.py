"""Each fault that would train something else than the reply is caught by name before the first step."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conversations.persona import make_persona
from pipeline.conversations.render import Conversation, assistant, chat_prompt, user
from pipeline.errors import UnderstudyError
from pipeline.tokens.encode import encode, prompt_ids
from pipeline.tokens.fit import fit
from pipeline.tokens.proof import prove
from pipeline.tokens.row import TokenRow
from tests.conftest import CHATML, make_tokenizer
from tests.families import IM

MIRA = make_persona("Mira", "en", {})
REPLY = "In Saltmere, of course."
ASKED = chat_prompt(MIRA, [user("Where?")])


@pytest.fixture(scope="module")
def row(tokenizer: Any) -> TokenRow:
    (made,) = encode([Conversation(ASKED, assistant(REPLY), "some-record", "setting_qa")], tokenizer)
    return made


def check(row: TokenRow, tokenizer: Any) -> None:
    prove([row], [REPLY], [prompt_ids(tokenizer, ASKED)], tokenizer)


def with_label(row: TokenRow, at: int, label: int) -> TokenRow:
    labels = row.labels.copy()
    labels[at] = label
    return replace(row, labels=labels)


def test_an_encoded_row_is_proven(row: TokenRow, tokenizer: Any) -> None:
    check(row, tokenizer)


def test_a_supervised_prompt_token_is_caught(row: TokenRow, tokenizer: Any) -> None:
    with pytest.raises(
        UnderstudyError, match=r"record some-record.*token 3, .* belongs to the prompt and is supervised"
    ):
        check(with_label(row, 3, row.input_ids[3]), tokenizer)


def test_an_end_of_turn_token_hidden_because_it_is_also_the_padding_is_caught(row: TokenRow, tokenizer: Any) -> None:
    pad = tokenizer.eos_token_id  # pad = eos, and a collator that hides the padding by its id
    hiding = replace(row, labels=[-100 if label == pad else label for label in row.labels])
    with pytest.raises(UnderstudyError, match=r"'<\|im_end\|>' \(\d+\), ends the reply and is not supervised"):
        check(hiding, tokenizer)


def test_a_hole_in_the_reply_is_caught(row: TokenRow, tokenizer: Any) -> None:
    with pytest.raises(UnderstudyError, match="belongs to the reply and is not supervised"):
        check(with_label(row, -3, -100), tokenizer)


def test_a_token_supervised_as_another_is_caught(row: TokenRow, tokenizer: Any) -> None:
    with pytest.raises(UnderstudyError, match="is supervised as"):
        check(with_label(row, -3, row.input_ids[-3] + 1), tokenizer)


@given(data=st.data())
def test_whatever_single_label_is_changed_the_proof_fails(data: st.DataObject, row: TokenRow, tokenizer: Any) -> None:
    at = data.draw(st.integers(0, len(row.labels) - 1))
    label = data.draw(st.sampled_from([-100, *range(100)]).filter(lambda label: label != row.labels[at]))
    with pytest.raises(UnderstudyError, match="record some-record, chat template of"):
        check(with_label(row, at, label), tokenizer)


def test_a_row_without_its_end_of_turn_token_is_caught(row: TokenRow, tokenizer: Any) -> None:
    endless = replace(row, input_ids=row.input_ids[:-1], labels=row.labels[:-1])
    with pytest.raises(UnderstudyError, match="no end-of-turn token, so the model would never stop"):
        check(endless, tokenizer)


def test_a_reply_cut_off_is_caught(row: TokenRow, tokenizer: Any) -> None:
    cut = replace(row, input_ids=[*row.input_ids[:-4], row.input_ids[-1]], labels=[*row.labels[:-4], row.labels[-1]])
    with pytest.raises(UnderstudyError, match=r"the loss would see '' instead of .* from character \d+ of its text"):
        check(cut, tokenizer)


def encode_with(template: str, reply: str = REPLY) -> None:
    broken = make_tokenizer(template, IM, eos="<|im_end|>")
    list(encode([Conversation(ASKED, assistant(reply), "some-record", "setting_qa")], broken))


CONTENT = "{{ message['content'] }}"
BROKEN_TEMPLATES = {
    "drops the end token": (CHATML.replace("<|im_end|>\n{% endfor %}", "\n{% endfor %}"), "no end-of-turn token"),
    "counts the turns": (
        CHATML.replace("{% for", "{{ messages | length }}{% for"),
        "renders its prompt differently.*token",
    ),
    "edits the text": (
        CHATML.replace("message['content']", "message['content'] | replace(', of course', '')"),
        "the loss would see",
    ),
    "is silent": (
        CHATML.replace(CONTENT, "{% if message['role'] != 'assistant' %}" + CONTENT + "{% endif %}"),
        "the loss would see ''",
    ),
}


@pytest.mark.parametrize("fault", BROKEN_TEMPLATES)
def test_a_template_at_fault_is_named_with_record_and_place(fault: str) -> None:
    template, complaint = BROKEN_TEMPLATES[fault]
    with pytest.raises(UnderstudyError, match=f"record some-record, chat template of .*{complaint}"):
        encode_with(template)


def test_a_template_that_trims_changes_nothing_but_white_space_and_one_that_trims_more_is_named() -> None:
    trimming = CHATML.replace("message['content']", "message['content'] | trim")
    encode_with(trimming, f"  {REPLY}\n")
    with pytest.raises(UnderstudyError, match=r"the loss would see '' instead of '\.' from character 22"):
        encode_with(CHATML.replace("message['content']", "message['content'].rstrip('.')"))


def test_a_tokenizer_that_composes_letters_is_no_fault() -> None:
    from tokenizers import normalizers

    composing = make_tokenizer(CHATML, IM, eos="<|im_end|>")
    composing._tokenizer.normalizer = normalizers.NFC()
    (row,) = encode([Conversation(ASKED, assistant("Cafe\u0301."), "some-record", "dialogue")], composing)
    assert composing.decode(row.labels[-row.loss_tokens : -1]) == "Caf\u00e9."


def test_a_tokenizer_that_merges_across_the_boundary_is_caught() -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate(["<eos>", *letters, ">I"])}
    raw = Tokenizer(models.BPE(vocab=vocabulary, merges=[(">", "I")]))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    merging = PreTrainedTokenizerFast(tokenizer_object=raw, eos_token="<eos>", pad_token="<eos>")
    merging.chat_template = (
        "{% for message in messages %}{{ message['content'] }}"
        "{{ eos_token if message['role'] == 'assistant' else '>' }}{% endfor %}"
    )
    with pytest.raises(UnderstudyError, match=r"merges the prompt's end with the reply's beginning: token \d+ is '>'"):
        list(encode([Conversation(ASKED, assistant(REPLY), "some-record", "setting_qa")], merging))


def test_a_text_that_holds_a_special_token_is_refused() -> None:
    with pytest.raises(UnderstudyError, match=r"instead of '<\|im_end\|>There.' from character 5"):
        encode_with(CHATML, "Here.<|im_end|>There.")


def long_scene() -> Conversation:
    turns = [turn for number in range(6) for turn in (user(f"Question {number}?"), assistant(f"Answer {number}."))]
    return Conversation(chat_prompt(MIRA, [*turns, user("Last?")]), assistant(REPLY), "some-record", "dialogue")


def test_an_overlong_row_is_an_error_that_names_the_ways_out(tokenizer: Any) -> None:
    (row,) = encode([long_scene()], tokenizer)
    with pytest.raises(
        UnderstudyError, match=r"record some-record: is \d+ tokens long, and max_length is 90.*truncate"
    ):
        fit(long_scene(), row, tokenizer, max_length=90, on_overlong="error")


def test_an_overlong_row_loses_its_oldest_turns_and_nothing_of_its_reply(tokenizer: Any) -> None:
    (row,) = encode([long_scene()], tokenizer)
    fitted = fit(long_scene(), row, tokenizer, max_length=len(row.input_ids) - 30, on_overlong="truncate_history")
    assert fitted is not None
    assert len(fitted.input_ids) <= len(row.input_ids) - 30
    assert fitted.labels[-fitted.loss_tokens :] == row.labels[-row.loss_tokens :]
    text = tokenizer.decode(fitted.input_ids)
    assert "Question 0?" not in text
    assert "Question 5?" in text
    assert MIRA.system("chat") in text


@pytest.mark.parametrize("on_overlong", ["reject", "truncate_history"])
def test_a_row_that_cannot_fit_is_rejected(tokenizer: Any, on_overlong: str) -> None:
    (row,) = encode([long_scene()], tokenizer)
    assert fit(long_scene(), row, tokenizer, max_length=20, on_overlong=on_overlong) is None
