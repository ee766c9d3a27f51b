"""Settings questions in other words, by a language model on this machine; what is kept has passed every check.

How a wording is made and judged is in `paraphrase_model`, what speaks against one in `paraphrase_checks`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.augmentation.paraphrase_cache import Outcome, OutcomeCache, Pair
from pipeline.augmentation.paraphrase_checks import ASKS_ELSE, first_objection, similarity
from pipeline.augmentation.paraphrase_model import asks_the_same, prompts_for, propose
from pipeline.conversations.persona import Language, Persona
from pipeline.home import kept_file
from pipeline.models.identity import model_identity
from pipeline.models.load import load_base_model, load_tokenizer
from pipeline.records.record import Record
from pipeline.terminal import Progress, progress_bar

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

OFF, SELF, AUTO = "off", "self", "auto"
SAMPLE, MIN_PASS_RATE = 8, 0.5  # what `auto` tries first, and wants of it
OTHER_ANSWERS = 3  # beside the right one, when a wording is judged
NOTHING = Outcome((), 0, {})
QUESTIONS_AT_A_TIME = 8  # with 2 samples each they fill a batch of replies


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """The wordings kept for each question, in the order of the questions, and what became of all that was offered."""

    kept: tuple[tuple[str, ...], ...]
    passed: int
    rejects: Mapping[str, int]

    @property
    def pass_rate(self) -> float:
        """The share of the judged wordings that passed every check; 0 of none."""
        return self.passed / max(1, self.passed + sum(self.rejects.values()))


def paraphrases_of(
    paraphrase: str,
    *,
    count: int,
    base_model: str,
    options: Mapping[str, Any],
    records: Sequence[Record],
    persona: Persona,
    probes: Sequence[str],
    seed: int,
    log: Callable[[str], None],
    kept_only: bool = False,
) -> Mapping[str, tuple[str, ...]]:
    """Up to `count` other wordings of each settings question, by the record's id; empty where it is `off`.

    `paraphrase` is the recipe's key: off, self (by `base_model`), auto (the same, if enough of a sample passes), or a
    folder or hub id of another model. `options` are what the base model is loaded with: dtype, revision and
    trust_remote_code; of another model only the dtype counts. `probes` are the exam's questions. With
    `kept_only` no model is loaded: what is not kept on disk yet is left out, and logged.
    """
    asked = {record.record_id: (record.prompt, record.text) for record in records if record.kind == "setting_qa"}
    questions = list(dict.fromkeys(asked.values()))
    if paraphrase == OFF or not questions:
        return {}
    own = paraphrase in (SELF, AUTO)
    shared: dict[str, Any] = {
        "language": persona.language,
        "model_name": base_model if own else paraphrase,
        "options": options if own else {"dtype": options["dtype"]},
        "count": count,
        "seed": seed,
        "forbidden": probes,
        "log": log,
        "kept_only": kept_only,
    }
    if paraphrase == AUTO and not _is_up_to_it(questions, persona.name, shared):
        return {}
    result = paraphrase_questions(questions, progress=progress_bar(f"{persona.name}: paraphrases"), **shared)
    kept = dict(zip(questions, result.kept, strict=True))
    return {record_id: kept[pair] for record_id, pair in asked.items() if kept[pair]}


def _is_up_to_it(questions: Sequence[Pair], name: str, shared: Mapping[str, Any]) -> bool:
    """Whether enough of what the model offers for a sample of the questions passes."""
    sample = sorted(questions, key=lambda pair: _digest(*pair))[:SAMPLE]
    bar = progress_bar(f"{name}: paraphrases, a sample")
    rate = paraphrase_questions(sample, among=questions, progress=bar, **shared).pass_rate
    if rate < MIN_PASS_RATE:
        shared["log"](f"no paraphrases: of a sample's, {rate:.0%} passed, and {MIN_PASS_RATE:.0%} have to")
    return rate >= MIN_PASS_RATE


def paraphrase_questions(
    questions: Sequence[Pair],
    *,
    language: Language,
    model_name: str,
    options: Mapping[str, Any],
    count: int,
    seed: int,
    forbidden: Sequence[str],
    log: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
    among: Sequence[Pair] = (),
    kept_only: bool = False,
) -> Paraphrases:
    """Up to `count` other wordings of each question (given with its answer), made by a model and checked.

    `forbidden` are questions that no wording may come near. `among` are more questions with their answers, which no
    wording may be mistaken for. Outcomes are kept on disk as they come, so what was interrupted goes on where it
    stopped, with the same result. `progress` is called with the number of questions done and their total.
    """
    tokenizer = load_tokenizer(model_name, **{key: value for key, value in options.items() if key != "dtype"})
    identity = model_identity(model_name, options, str(tokenizer.chat_template))
    cache = OutcomeCache(_cache_file([*identity, language, count, seed, sorted(forbidden)]))
    pool = list(dict.fromkeys((*questions, *among)))
    missing = [pair for pair in dict.fromkeys(questions) if pair not in cache.outcomes]
    if missing and kept_only:
        log(f"not made yet: paraphrases of {len(missing)} questions; training makes them")
        return _collect([cache.outcomes.get(pair, NOTHING) for pair in questions])
    if missing:
        model = _load_model(model_name, options)
        checks: dict[str, Any] = {"pool": pool, "language": language, "count": count, "forbidden": forbidden}
        _make_missing(missing, cache, model, tokenizer, checks, seed=seed, progress=progress or (lambda *_: None))
    result = _collect([cache.outcomes[pair] for pair in questions])
    log(_describe(result))
    return result


def _make_missing(
    missing: Sequence[Pair],
    cache: OutcomeCache,
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    checks: Mapping[str, Any],
    *,
    seed: int,
    progress: Progress,
) -> None:
    """Every question's outcome is in the cache; `checks` are what `_judge` takes."""
    for number, pair in enumerate(missing):
        progress(number, len(missing))
        if pair not in cache.offered:
            block = [one for one in missing[number:] if one not in cache.offered][:QUESTIONS_AT_A_TIME]
            offered = propose(model, tokenizer, block, checks["language"], seed=_block_seed(seed, block))
            cache.add_offered(block, offered)
        cache.add_outcome(pair, _judge(model, tokenizer, pair, cache.offered[pair], **checks))
    progress(len(missing), len(missing))


def _judge(
    model: Any,
    tokenizer: PreTrainedTokenizerBase,
    pair: Pair,
    offered: Sequence[str],
    *,
    pool: Sequence[Pair],
    language: Language,
    count: int,
    forbidden: Sequence[str],
) -> Outcome:
    """What is kept of the wordings offered for a question."""
    question, answer = pair
    others = [other for other in pool if other[1] != answer]
    good, rejects = _screen(offered, pair, others, language=language, count=count, forbidden=forbidden)
    verdicts: list[bool] = []
    if good:
        answers = (answer, *_confusable_answers([question, *good], others))
        verdicts = asks_the_same(model, tokenizer, question=question, wordings=good, answers=answers, language=language)
    passed = [wording for wording, same in zip(good, verdicts, strict=True) if same]
    if len(passed) < len(good):
        rejects[ASKS_ELSE] += len(good) - len(passed)
    return Outcome(tuple(passed[:count]), len(passed), dict(rejects))


def _screen(
    offered: Sequence[str],
    pair: Pair,
    others: Sequence[Pair],
    *,
    language: Language,
    count: int,
    forbidden: Sequence[str],
) -> tuple[list[str], Counter[str]]:
    """The wordings whose words pass, and the rejects by reason.

    Half as many again as are wanted go to the model for its judgement; what is offered beyond is not judged at all.
    """
    rejects: Counter[str] = Counter()
    good: list[str] = []
    other_questions, topics = [question for question, _ in others], prompts_for(language).topics
    for wording in offered:
        if len(good) == count + count // 2:
            break
        objection = first_objection(
            wording,
            *pair,
            language=language,
            kept=good,
            others=other_questions,
            probes=forbidden,
            topics=topics,
        )
        if objection:
            rejects[objection] += 1
        else:
            good.append(wording)
    return good, rejects


def _confusable_answers(wordings: Sequence[str], others: Sequence[Pair]) -> list[str]:
    """The answers to those questions that one of the wordings is most like."""
    likeness = {pair: max(similarity(pair[0], wording) for wording in wordings) for pair in others}
    ranked = sorted(others, key=lambda pair: (-likeness[pair], _digest(*pair)))
    return list(dict.fromkeys(answer for _, answer in ranked))[:OTHER_ANSWERS]


def _load_model(model_name: str, options: Mapping[str, Any]) -> PreTrainedModel:
    """The model, on the GPU if there is one."""
    import torch

    model = load_base_model(model_name, **options)
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval()


def _collect(outcomes: Sequence[Outcome]) -> Paraphrases:
    rejects: Counter[str] = Counter()
    for outcome in outcomes:
        rejects.update(outcome.rejects)
    return Paraphrases(
        tuple(outcome.kept for outcome in outcomes), sum(outcome.passed for outcome in outcomes), dict(rejects)
    )


def _describe(result: Paraphrases) -> str:
    """The counts in a sentence."""
    reasons = ", ".join(f"{count} {reason}" for reason, count in Counter(result.rejects).most_common())
    kept = sum(map(len, result.kept))
    return (
        f"paraphrases: {kept} kept for {len(result.kept)} questions, {result.pass_rate:.0%} of those judged passed"
        f"{f'; rejected: {reasons}' if reasons else ''}"
    )


def _cache_file(decisive: Sequence[Any]) -> Path:
    """Where the outcomes are kept: by the content of all that decides them, prompts and checks included."""
    ours = [file.read_text(encoding="utf-8") for file in sorted(Path(__file__).parent.glob("paraphrase*.*"))]
    return kept_file("paraphrases", [*decisive, ours], ".jsonl")


def _block_seed(seed: int, block: Sequence[Pair]) -> int:
    """The seed of a block's sampling: other questions, other draws."""
    return int(_digest(str(seed), *(text for pair in block for text in pair))[:12], 16)


def _digest(*texts: str) -> str:
    return hashlib.blake2b("\n".join(texts).encode(), digest_size=16).hexdigest()
