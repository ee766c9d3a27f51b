"""Teacher-forced scores of given replies: what a model would say, known without generating a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from accelerate import PartialState
from accelerate.utils import gather_object

from pipeline.conversations.persona import Persona
from pipeline.conversations.render import Conversation, Message, assistant, chat_prompt, user
from pipeline.evaluation.metrics.replies import rank_of_gold
from pipeline.evaluation.probes.probe import Probe
from pipeline.models.scores import ReplyScore, prepare_scoring, score_rows
from pipeline.terminal import Progress
from pipeline.tokens.encode import encode, tokenize
from pipeline.tokens.plain_text import control_words, message_escaper
from pipeline.tokens.prefix_tree import IGNORE_INDEX
from pipeline.tokens.row import TokenRow

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# How a fact is asked for: as trained, in new words, or in new words amid a conversation.
QuestionForm = Literal["seen", "unseen", "amid"]
QUESTION_FORMS: tuple[QuestionForm, ...] = get_args(QuestionForm)
# Tokens of the rows scored in one forward, before what they share is merged.
TOKENS_A_FORWARD = 2048


@dataclass(frozen=True, slots=True)
class QuestionScore:
    """A question's outcome. Ranks are the answer's among its distractors, 1 the best, ties counted as lost.

    `rank` is by mean log-probability, `rank_by_sum` by the sum, `rank_by_gain` by what the question adds to the sum:
    three ways that treat the length of an answer differently. `misses` are those of `ReplyScore`.
    """

    asked: QuestionForm
    question: str
    exact: bool
    log_prob: float
    tokens: int
    rank: int
    rank_by_sum: int
    rank_by_gain: int
    misses: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ProbeScore:
    """A probe's outcome on all its questions; `guessed` says that the answer ranks first without any of them."""

    probe: Probe
    questions: tuple[QuestionScore, ...]
    guessed: bool

    def questions_of(self, form: QuestionForm) -> list[QuestionScore]:
        """The questions of this form."""
        return [question for question in self.questions if question.asked == form]


Question = tuple[QuestionForm, str, tuple[Message, ...]]  # its form, its text, and the turns before it


def plain_questions(probe: Probe) -> list[Question]:
    """Every question of the probe, each at the beginning of a conversation."""
    seen: list[Question] = [("seen", probe.seen, ())] if probe.seen else []
    return [*seen, *(("unseen", text, ()) for text in probe.unseen)]


def score_probes(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    probes: Sequence[Probe],
    persona: Persona,
    *,
    questions: Callable[[Probe], Sequence[Question]] = plain_questions,
    progress: Progress | None = None,
) -> list[ProbeScore]:
    """Score the questions of every probe under the chat's own prompt, as the character will be asked.

    The work is sharded over the processes, and each of them gets all scores. `progress` is called with the number of
    prompts done and their total.
    """
    questions_of = [list(questions(probe)) for probe in probes]
    nothing = chat_prompt(persona, (user(persona.cue("")),))
    prompts: list[Sequence[Message]] = []
    options: list[Sequence[str]] = []
    for probe, of_probe in zip(probes, questions_of, strict=True):
        prompts += [nothing, *(chat_prompt(persona, (*before, user(text))) for _, text, before in of_probe)]
        options += [(probe.answer, *probe.distractors)] * (1 + len(of_probe))
    replies = iter(score_replies(model, tokenizer, prompts, options, progress=progress))
    results = []
    for probe, of_probe in zip(probes, questions_of, strict=True):
        prior = next(replies)
        scores = tuple(_question_score(form, text, next(replies), prior) for form, text, _ in of_probe)
        results.append(ProbeScore(probe, scores, rank_of_gold(prior[0].mean_log_prob, _means(prior)) == 1))
    return results


def _question_score(
    form: QuestionForm, text: str, replies: Sequence[ReplyScore], prior: Sequence[ReplyScore]
) -> QuestionScore:
    gains = [reply.log_prob - bare.log_prob for reply, bare in zip(replies, prior, strict=True)]
    return QuestionScore(
        asked=form,
        question=text,
        exact=replies[0].exact,
        log_prob=replies[0].log_prob,
        tokens=replies[0].tokens,
        rank=rank_of_gold(replies[0].mean_log_prob, _means(replies)),
        rank_by_sum=rank_of_gold(replies[0].log_prob, [reply.log_prob for reply in replies[1:]]),
        rank_by_gain=rank_of_gold(gains[0], gains[1:]),
        misses=replies[0].misses,
    )


def _means(replies: Sequence[ReplyScore]) -> list[float]:
    """The mean log-probabilities of the distractors."""
    return [reply.mean_log_prob for reply in replies[1:]]


def score_replies(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[Sequence[Message]],
    options: Sequence[Sequence[str]],
    *,
    progress: Progress | None = None,
) -> list[list[ReplyScore]]:
    """The scores of each prompt's replies; replies to one prompt share its computation.

    Every process gets all of them. `progress` is called with the number of prompts done and their total.
    """
    escape = message_escaper(control_words(tokenizer))
    conversations = [
        [Conversation(tuple(prompt), escape(assistant(reply)), "probe", "setting_qa") for reply in replies]
        for prompt, replies in zip(prompts, options, strict=True)
    ]
    rows = encode([one for group in conversations for one in group], tokenizer)
    return _score(model, [[next(rows) for _ in group] for group in conversations], progress)


def score_texts(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, texts: Sequence[str]) -> list[float]:
    """Summed log-probability of each text after its first token, outside any conversation."""
    rows = []
    for ids in tokenize(tokenizer, texts):
        ended = [*ids, int(tokenizer.eos_token_id)]
        rows.append(TokenRow(ended, [IGNORE_INDEX, *ended[1:]], "text", "replay"))
    return [score.log_prob for (score,) in _score(model, [[row] for row in rows], None)]


def _score(
    model: PreTrainedModel, groups: Sequence[list[TokenRow]], progress: Progress | None
) -> list[list[ReplyScore]]:
    """Scores of the rows, group by group.

    The forwards are sharded over the processes, equally many for each (under ZeRO-3 and FSDP all have to take part),
    and their results gathered. What is in a batch does not depend on how many processes there are.
    """
    batches, state = list(_batches(groups)), PartialState()
    done: list[tuple[int, list[list[ReplyScore]]]] = []
    prepare_scoring(model)
    training = model.training
    model.eval()
    try:
        for begin in range(0, len(batches), state.num_processes):
            number = begin + state.process_index
            batch = batches[min(number, len(batches) - 1)]  # with none left, the last one again, its scores unused
            scores = iter(score_rows(model, [row for group in batch for row in group]))
            if number < len(batches):
                done.append((number, [[next(scores) for _ in group] for group in batch]))
            if progress:
                progress(sum(len(one) for one in batches[: begin + state.num_processes]), len(groups))
    finally:
        model.train(training)
    gathered = gather_object(done) if state.num_processes > 1 else done
    return [group for _, scored in sorted(gathered, key=lambda one: one[0]) for group in scored]


def _batches(groups: Sequence[list[TokenRow]]) -> Iterator[list[list[TokenRow]]]:
    """Groups in turn, as many as hold `TOKENS_A_FORWARD` tokens together."""
    batch: list[list[TokenRow]] = []
    size = 0
    for group in groups:
        tokens = sum(len(row.input_ids) for row in group)
        if batch and size + tokens > TOKENS_A_FORWARD:
            yield batch
            batch, size = [], 0
        batch.append(group)
        size += tokens
    if batch:
        yield batch
