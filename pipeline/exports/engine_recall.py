"""What a character recalls in another engine: the test questions of its recall report, asked there once more.

Between two precisions of one model, what counts is not how many replies differ, but whether it knows fewer facts. What
differs is not the weights' bits alone, but the engine with all that belongs to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.conversations.render import user
from pipeline.evaluation.metrics.statistics import estimate, paired_difference
from pipeline.serving.llama_cpp import GREEDY, LlamaServer
from pipeline.terminal import Progress

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

ASKED = "unseen"  # in new words
FEWEST_FACTS = 2  # of one fact there is no interval


@dataclass(frozen=True, slots=True)
class AskedFact:
    """A fact, its questions in new words, and whether the trained model answered each word for word."""

    answer: str
    questions: tuple[str, ...]
    known: tuple[bool, ...]


def asked_facts(report: Mapping[str, Any]) -> tuple[AskedFact, ...]:
    """The facts of a character's `recall.json`; none where recall was not measured."""
    facts = []
    for item in report.get("items") or ():
        asked = [one for one in item.get("questions", ()) if one.get("asked") == ASKED and "trained_exact" in one]
        known = tuple(bool(one["trained_exact"]) for one in asked)
        if asked:
            facts.append(AskedFact(str(item["answer"]), tuple(str(one["question"]) for one in asked), known))
    return tuple(facts) if len(facts) >= FEWEST_FACTS else ()


def measure_recall(
    server: LlamaServer, facts: Sequence[AskedFact], tokenizer: PreTrainedTokenizerBase, progress: Progress
) -> dict[str, Any]:
    """The share of questions whose greedy reply is the fact word for word, in the engine and by the trained model.

    Each with its 95% interval, and the difference, paired fact by fact; `progress` counts questions.
    """
    total = sum(len(fact.questions) for fact in facts)
    hits: list[list[bool]] = []
    done = 0
    for fact in facts:
        tokens = len(tokenizer(fact.answer, add_special_tokens=False)["input_ids"]) + 2  # its end, and one to spare
        hits.append([])
        for question in fact.questions:
            hits[-1].append(_reply(server, question, tokens) == fact.answer.strip())
            done += 1
            progress(done, total)
    before = [list(fact.known) for fact in facts]
    return {
        "facts": len(facts),
        "questions": total,
        "engine": asdict(estimate(hits, share=True)),
        "trained": asdict(estimate(before, share=True)),
        "change": asdict(paired_difference(before, hits)),
    }


def _reply(server: LlamaServer, question: str, tokens: int) -> str:
    """The server's greedy reply as any program gets it, by OpenAI's protocol; empty if it would go on.

    The persona is the served template's.
    """
    answered = server.post("/v1/chat/completions", {"messages": [user(question)], "max_tokens": tokens} | GREEDY)
    reply = answered["choices"][0]
    ended = reply["finish_reason"] == "stop"  # the report's own figure counts the end of turn, too
    return str(reply["message"]["content"] or "").strip() if ended else ""
