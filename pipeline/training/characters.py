"""The characters of a run: their records, probes and prompts, and what their facts are taught with."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from accelerate import PartialState

from pipeline.augmentation.base_labels import base_labels, kept_labels
from pipeline.augmentation.boundaries import read_boundaries, without_names
from pipeline.augmentation.facts import facts_of
from pipeline.augmentation.items import Wordings
from pipeline.augmentation.limits import limit_conversations
from pipeline.augmentation.paraphrase import paraphrases_of
from pipeline.augmentation.questions import Rule, rules_for, without_family
from pipeline.augmentation.replies import Asked, BaseModel, base_replies, kept_replies
from pipeline.augmentation.synonyms import synonyms_for
from pipeline.conversations.persona import Persona, make_persona
from pipeline.conversations.render import Conversation
from pipeline.conversations.replay import read_replay
from pipeline.evaluation.probes.choice import records_and_probes
from pipeline.evaluation.probes.probe import HELD_OUT_FAMILY, Probe, sample_probes
from pipeline.models.generate import room_for_reply
from pipeline.models.load import load_base_model, load_tokenizer
from pipeline.models.locate import check_is_no_adapter
from pipeline.recipe import CharacterArguments
from pipeline.records.conversion import records_of
from pipeline.records.record import Record
from pipeline.starter.sample import sample_left
from pipeline.terminal import progress_bar
from pipeline.tokens.encode import encode, most_tokens
from pipeline.tokens.plain_text import control_words, find_control_word
from pipeline.training.arguments import RunArguments, model_options

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MADE_SEED = 0  # of what is made once and kept: a run's own seed should not make it anew


@dataclass(frozen=True, slots=True)
class Character:
    """A character to train on: its records, probes and prompts. `weight` multiplies its records' exposures.

    `wordings` are where its questions get other words from, None where they come as copies; `limits` are conversations
    about what no record says, by their sort; `tested` are the questions that test facts, by answer.
    """

    records: Sequence[Record]
    probes: Sequence[Probe]
    persona: Persona
    weight: float = 1.0
    wordings: Wordings | None = None
    limits: Mapping[str, Sequence[Conversation]] = field(default_factory=dict)
    tested: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Characters:
    """All that a run learns: one character or several, and `replay`, general conversations that go with them.

    `fingerprint` is of all that they teach, `read` of that without what the base model made for it.
    """

    each: Sequence[Character]
    fingerprint: str
    replay: Sequence[Conversation] = ()
    read: str = ""

    @property
    def records(self) -> list[Record]:
        """The records of all."""
        return [record for character in self.each for record in character.records]

    @property
    def personas(self) -> dict[str, Persona]:
        """Each character's persona by its name, which its records have as their speaker."""
        return {character.persona.name: character.persona for character in self.each}


def load_characters(
    run: RunArguments,
    log: Callable[[str], None],
    *,
    looks_only: bool = False,
    check_read: Callable[[str], None] = lambda _: None,
) -> tuple[Characters, PreTrainedTokenizerBase]:
    """The run's characters, converted if need be, and the tokenizer of its model with a normalised chat template.

    With `looks_only` no model is loaded: what the base model has not replied yet is left out, and logged. `check_read`
    is given `Characters.read` before the base model's replies are made, which take their time.
    """
    with PartialState().main_process_first():  # one process writes records, replies and embedded model; all read them
        check_is_no_adapter(str(run.model.model_name_or_path))
        tokenizer = load_tokenizer(
            str(run.model.model_name_or_path),
            revision=run.model.model_revision,
            trust_remote_code=run.training.trust_remote_code,
            log=lambda note: log(f"chat template: {note}"),
        )
        base_model = _base_model(run, tokenizer, log, looks_only)
        load = functools.partial(_load_character, run=run, base_model=base_model, log=log, looks_only=looks_only)
        characters = [read_character(one) for one in run.character.each]
        read = _digest([hash_ for _, hash_ in characters])
        check_read(read)
        loaded = [load(one, *known) for one, known in zip(run.character.each, characters, strict=True)]
    replay = read_replay(run.character.replay or ())
    each = [with_room_to_reply(character, tokenizer) for character, _ in loaded]
    fingerprint = data_fingerprint([hash_ for _, hash_ in loaded], replay)
    return Characters(each, fingerprint, replay, read), tokenizer


def with_room_to_reply(character: Character, tokenizer: PreTrainedTokenizerBase) -> Character:
    """The character, whose chat ends no reply before the longest that it is taught would have ended."""
    taught = [record.text for record in character.records if record.kind != "background"]
    sampling = character.persona.sampling
    room = room_for_reply(most_tokens(tokenizer, taught), usual=sampling.max_new_tokens)
    sampling = replace(sampling, max_new_tokens=room)
    return replace(character, persona=replace(character.persona, sampling=sampling))


def data_fingerprint(records_hashes: Sequence[str], replay: Sequence[Conversation]) -> str:
    """A hash of all training data: of each character's records, given as hashes, and of the replayed conversations."""
    if len(records_hashes) == 1 and not replay:
        return records_hashes[0]
    return _digest([*records_hashes, *(conversation.record_id for conversation in replay)])


def read_character(one: CharacterArguments) -> tuple[Character, str]:
    """A single character, converted if need be, and a hash of all that decides what its records teach."""
    persona = make_persona(one.name, one.language, one.instructions)
    converted, fingerprint = records_of(one.raw_paths, one.name, one.records_folder, one.conversion)
    records, probes = records_and_probes(one, converted, persona)
    rules = rules_for(persona.language, one.question_rules or ())
    stated = records[len(converted) :]
    tested = _tested(probes, stated)
    wordings = _wordings(one, persona, tested, rules)
    parts = [fingerprint, one.wordings, *(record.record_id for record in stated)]
    if wordings:
        rules_used = [f"{rule.asks.pattern} {rule.wordings} {rule.generic}" for rule in wordings.rules]
        phrases = dict(wordings.synonyms.alternatives) if wordings.synonyms else {}
        parts += [json.dumps([wordings.forbidden, phrases, wordings.reverse], ensure_ascii=False), *rules_used]
    return Character(records, probes, persona, one.weight, wordings, tested=tested), _digest(parts)


def _load_character(
    one: CharacterArguments,
    character: Character,
    fingerprint: str,
    *,
    run: RunArguments,
    base_model: BaseModel,
    log: Callable[[str], None],
    looks_only: bool,
) -> tuple[Character, str]:
    """The character as it was read, with what the base model makes for it, and a hash of all that it is taught."""
    if note := sample_left(character.records, character.persona.language):
        log(note)
    parts = [fingerprint]
    if character.wordings:
        made = _paraphrases(one, character, run, log, looks_only)
        character = replace(character, wordings=replace(character.wordings, paraphrases=made))
        parts += [json.dumps(made, ensure_ascii=False)] * bool(made)
    if one.boundaries and not one.has_weights:
        names = [each.name for each in run.character.each]
        texts = without_names(read_boundaries(character.persona.language), names)
        limits = limit_conversations(
            facts_of(character.records),
            character.records,
            character.persona,
            texts,
            base_model,
            seed=MADE_SEED,
            wordings=character.wordings,
            forbidden=character.tested,
        )
        character = replace(character, limits=limits)
        parts += [conversation.record_id for own in limits.values() for conversation in own]
    return character, _digest(parts)


def _paraphrases(
    one: CharacterArguments, character: Character, run: RunArguments, log: Callable[[str], None], looks_only: bool
) -> Mapping[str, Sequence[str]]:
    """A model's wordings of the character's questions, by record id, as the recipe says."""
    options = model_options(run)
    return paraphrases_of(
        one.paraphrase,
        count=one.paraphrases,
        base_model=str(run.model.model_name_or_path),
        options={name: options[name] for name in ("dtype", "revision", "trust_remote_code")},
        records=character.records,
        persona=character.persona,
        probes=[question for probe in character.probes for question in probe.unseen],
        seed=MADE_SEED,
        log=log,
        kept_only=looks_only,
    )


def _wordings(
    one: CharacterArguments, persona: Persona, tested: Mapping[str, Sequence[str]], rules: Sequence[Rule]
) -> Wordings | None:
    """Where the character's questions get other words from, as the recipe says; never a probe's."""
    if one.wordings == "copies":
        return None
    boundaries = read_boundaries(persona.language)
    if one.wordings != "families":
        return Wordings(boundaries, forbidden=tested)
    used = rules if one.probes else without_family(rules, HELD_OUT_FAMILY)
    synonyms = synonyms_for(persona.language, one.question_rules or ())
    return Wordings(boundaries, used, synonyms, forbidden=tested, reverse=one.reverse_share)


def _tested(probes: Sequence[Probe], stated: Sequence[Record]) -> dict[str, list[str]]:
    """The questions that test facts, by answer.

    What a passage states has an answer in rules' words, where a probe of the same fact may have the user's; so of those
    facts every question tests them.
    """
    tested: dict[str, list[str]] = {}
    for probe in probes:
        tested.setdefault(probe.answer, []).extend(probe.untrained)
    return tested | {record.text: [one for own in tested.values() for one in own] for record in stated}


def _base_model(
    run: RunArguments, tokenizer: PreTrainedTokenizerBase, log: Callable[[str], None], looks_only: bool
) -> BaseModel:
    """The run's base model, whose replies and labels are as they are kept, or made now and then kept.

    Nothing where one only looks. It is loaded when it is needed first.
    """
    name, options, template = str(run.model.model_name_or_path), model_options(run), str(tokenizer.chat_template)
    load = functools.cache(functools.partial(_load_for_replies, name, options))
    find_word = find_control_word(control_words(tokenizer))

    def replies(asked: Sequence[Asked]) -> Sequence[str]:
        if not asked:
            return []
        kept = kept_replies(asked, name, template, options)
        if kept is not None:
            return kept
        if looks_only:
            log(f"not made yet: the base model's own replies to {_prompts(asked)}; training makes them")
            return [""] * len(asked)
        log(f"the base model's own replies to {_prompts(asked)} are made, once")
        bar = progress_bar("the base model replies")
        return base_replies(asked, name, tokenizer, options, load, log=log, progress=bar)

    def labels(conversations: Sequence[Conversation]) -> Sequence[Sequence[int]]:
        # A text with a control word is left out of training, by name, with the record that it comes from.
        sound = [one for one in conversations if find_word(one.completion["content"]) is None]
        rows = list(encode(sound, tokenizer))
        kept = kept_labels(rows, name, template, options)
        if kept is None and looks_only:
            log(f"not made yet: what the base model would say in {len(rows)} replies; training draws it")
            kept = [row.labels[-row.loss_tokens :] for row in rows]  # as many
        elif kept is None:
            log(f"what the base model would say in the place of {len(rows)} replies is drawn, once")
            bar = progress_bar("the base model's labels")
            kept = base_labels(rows, name, template, options, load, progress=bar)
        of = dict(zip((one.record_id for one in sound), kept, strict=True))
        return [of.get(one.record_id, ()) for one in conversations]

    return BaseModel(replies, labels)


def _prompts(asked: Sequence[Asked]) -> str:
    """How many, and the first, by which one tells small talk from what is asked of somebody else."""
    return f"{len(asked)} everyday prompts ({str(asked[0].prompt[-1]['content'])!r}, ...)"


def _load_for_replies(name: str, options: Mapping[str, Any]) -> PreTrainedModel:
    model = load_base_model(name, **options)
    return model.to("cuda") if torch.cuda.is_available() and "device_map" not in options else model


def sample_probes_by_character(characters: Characters, count: int) -> dict[str, list[Probe]]:
    """`count` facts in all, of each character the same number as far as it has them: those probed while training."""
    turns: list[tuple[int, int, str, Probe]] = []
    for place, character in enumerate(characters.each):
        chosen = sample_probes(character.probes, count)
        turns += [(turn, place, character.persona.name, probe) for turn, probe in enumerate(chosen)]
    shared: dict[str, list[Probe]] = {}
    for _, _, name, probe in sorted(turns, key=lambda one: one[:2])[:count]:
        shared.setdefault(name, []).append(probe)
    return shared


def _digest(parts: Sequence[str]) -> str:
    return hashlib.blake2b(" ".join(parts).encode(), digest_size=16).hexdigest()
