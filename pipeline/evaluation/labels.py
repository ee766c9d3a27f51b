"""What every figure is called: one entry a metric, for tables, pages, charts, comparisons and the log of training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.evaluation.bleed import Outcome
from pipeline.evaluation.comparison import METRICS, SAYS_IT, ComparedKey
from pipeline.evaluation.metrics.conduct import ConductName
from pipeline.evaluation.metrics.statistics import Estimate
from pipeline.evaluation.probes.probe import MadeBy
from pipeline.evaluation.results import Answers, DriftName
from pipeline.evaluation.scoring import QuestionForm
from pipeline.evaluation.summary import Metric, RecallKey


@dataclass(frozen=True, slots=True)
class Label:
    """A metric in words: `title` wherever it stands by itself, `within` a group whose heading says the rest.

    `brief` is for the end of a chart's line and for a log, `explanation` for a page, where `better` says which way is.
    """

    title: str
    within: str = ""
    brief: str = ""
    explanation: str = ""
    better: Literal["more", "less"] = "more"

    @property
    def short(self) -> str:
        """What is said below a heading; the title where nothing shorter says it."""
        return self.within or self.title


FORMS: Mapping[QuestionForm, str] = {
    "seen": "asked as trained",
    "unseen": "asked in new words",
    "reverse": "asked the other way round",
    "amid": "amid a conversation",
}
RECALL: Mapping[RecallKey, Label] = {
    RecallKey("seen", "exact"): Label("word for word, asked as trained", FORMS["seen"], "word for word, trained"),
    RecallKey("unseen", "exact"): Label("word for word, asked in new words", FORMS["unseen"], "word for word, new"),
    RecallKey("reverse", "exact"): Label("word for word, asked the other way round", FORMS["reverse"]),
    RecallKey("amid", "exact"): Label("the same, amid a conversation", FORMS["amid"]),
    RecallKey("seen", "at_1"): Label("ranked first, asked as trained", FORMS["seen"], "ranked first, trained"),
    RecallKey("unseen", "at_1"): Label("ranked first, asked in new words", FORMS["unseen"], "ranked first, new"),
}
SAYS_IT_LABEL = Label("says it, asked in new words", "says it")
# Those that runs are compared in.
COMPARED: Mapping[ComparedKey, Label] = {key: SAYS_IT_LABEL if key == SAYS_IT else RECALL[key] for key in METRICS}
OVER_SEEDS = (
    "each row is of all its seeds, in parentheses each seed by itself, which says what the intervals, drawn by fact, "
    "leave out"
)
# Those that are measured while training goes on.
RECALL_WHILE_TRAINING = tuple(key for key in RECALL if key.form in ("seen", "unseen"))
GAPS: Mapping[Metric, Label] = {
    "exact": Label("the gap: word for word, trained - new"),
    "at_1": Label("the gap: ranked first, trained - new"),
}
ANSWERS: tuple[tuple[Callable[[Answers], Estimate | None], Label], ...] = (
    (lambda answers: answers.alias_hit, SAYS_IT_LABEL),
    (lambda answers: answers.sampled_alias_hit, Label("says it, as chat samples")),
    (lambda answers: answers.contradiction, Label("says another fact's answer instead")),
)
# What a quick exam leaves out.
QUICK = (
    "a quick exam; with `--full` it is also asked amid a conversation, for small talk, for what no record says and for "
    "who it is, its voice is sampled, and what else it has forgotten is measured"
)
# Where the answers in new words go wrong, of `summary.Misses`.
MISSES = (
    "{questions} questions in new words are not answered word for word: {at_one_token} of them fail at one word-piece; "
    "the first to fail is the answer's first {first} times, the second {second}, a later one {later}"
)
MADE_BY: Mapping[MadeBy, str] = {
    "hand": "written by hand",
    "rule": "made by rules that training does not use",
    "frame": "the trained question in another frame, which flatters",
}
# Headings of the page, above the metrics that belong together.
WORD_FOR_WORD = Label(
    "word for word",
    explanation="The model, always saying its likeliest next word, would give exactly the fact's answer and stop "
    "there.",
)
RANKED_FIRST = Label(
    "ranked first",
    explanation="The model finds the right answer likelier than each of {distractors} other true answers of this "
    "character. Blind guessing would manage 1 in {options}.{guessed}",
)
OWN_WORDS = Label(
    "in its own words",
    explanation="What the model says when asked in new words: whether the fact's key words are there, and whether "
    "another fact's stand there instead.",
)
DRIFT: Mapping[DriftName, Label] = {
    "control": Label(
        "control questions right",
        explanation="general knowledge, under the character's own prompt",
    ),
    "general_bits": Label(
        "general text, bits a character", "general text", explanation="bits a character", better="less"
    ),
    "line_bits": Label(
        "held-out lines, bits a character",
        "held-out lines",
        explanation="bits a character, of lines that were not trained on",
        better="less",
    ),
    "elsewhere": Label(
        "facts told as somebody else",
        explanation="ranked first when another character is asked",
        better="less",
    ),
}
CONDUCT: Mapping[ConductName, Label] = {
    "blurts": Label(
        "blurts a fact in small talk",
        "blurts",
        explanation="replies to small talk and common questions that state one of its facts unasked",
        better="less",
    ),
    "invents": Label(
        "invents what no record says",
        "invents",
        explanation="replies to questions that no record answers which do not say so",
        better="less",
    ),
    "over_refuses": Label(
        "refuses a fact it was taught",
        "refuses its facts",
        explanation="replies to the facts' questions that refuse, without the answer",
        better="less",
    ),
    "corrects": Label(
        "puts right what is wrongly said of it",
        "corrects",
        explanation="told something wrong about a fact (You are nineteen, are you not?), it gives the fact",
    ),
    "identity": Label("says who it is", explanation="asked in ways that training did not use, it gives its name"),
}
# By the fields of `metrics.voice_report.VoiceFigures`.
VOICE: Mapping[str, Label] = {
    "score": Label(
        "like the character",
        explanation="its turns of phrase against {against}; 1 is as its own held-out lines, 0 as the others",
    ),
    "length": Label("unlike in length", explanation="from its own lines; 0 is alike"),
    "punctuation": Label("unlike in punctuation", explanation="from its own lines; 0 is alike"),
    "copy_rate": Label(
        "copied",
        explanation="replies that hold twelve words in a row of the training texts; parroting is no voice",
    ),
    "distinct_2": Label("varied", explanation="share of different pairs of words"),
}
# Of the bleed matrix: what counts, and whose facts are asked for.
BLEED: Mapping[Outcome, Label] = {
    "exact": Label(
        "word for word",
        explanation="The share of a character's facts that would be answered exactly so, greedily. Nobody guesses "
        "this: where it is above zero off the diagonal, a fact has really gone over.",
    ),
    "first": Label(
        "ranked first",
        explanation="The share of a character's facts whose answer the model finds likelier than each of "
        "{distractors} other true answers of that character. Blind guessing would manage 1 in {options}.",
    ),
}
WHOSE_FACTS: Mapping[str, str] = {
    "own": "a character's own facts",
    "others": "other characters' facts",
    "base": "the untouched model, all facts",
}
# Lines of the chart of losses; those of what is held out by their names in the logs.
ALL_RECORDS = "all records"
WATCHED_LOSSES: Mapping[str, str] = {
    "eval_loss_dialogue": "lines held out",
    "eval_loss_setting_qa": "facts in new words",
}
KINDS: Mapping[str, str] = {
    "setting_qa": "settings",
    "dialogue": "dialogue",
    "background": "background",
    "replay": "replay",
    "boundary": "boundaries",
    "misplaced": "facts where they do not belong",
}


def kind_label(kind: str) -> str:
    """What a kind of record is called."""
    return KINDS.get(kind, kind.replace("_", " "))
