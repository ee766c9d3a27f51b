"""Whom the clauses of a passage are about, as one reads on: the character, or somebody who was named since."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.augmentation.extraction_grammar import Grammar, Statement

TASTE, RELATION = "taste", "relation"  # types of rules


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause after its subject, if that is the character, by its name (`named`) or a pronoun; else all of it.

    `others`: somebody else is spoken of in it, whom the next pronoun may mean.
    """

    rest: str
    is_own: bool
    named: bool
    others: bool

    @property
    def is_name_alone(self) -> bool:
        """Whether it is the character's name, behind which more is said of it."""
        return self.is_own and not self.rest


@dataclass(slots=True)
class Meant:
    """Whether a pronoun of a passage means the character, as one reads on: `is_meant`, since nobody else was named.

    The first pronoun that does says which ones do; one that goes with others means somebody who was not seen.
    """

    grammar: Grammar
    is_meant: bool = False
    pronouns: tuple[str, ...] = ()

    def by(self, pronoun: re.Match[str] | None) -> re.Match[str] | None:
        """The pronoun, if it means the character."""
        if pronoun is None or not self.is_meant:
            return None
        together = self.grammar.same_person(pronoun[0])
        self.pronouns = self.pronouns or together
        self.is_meant = together == self.pronouns
        return pronoun if self.is_meant else None


@dataclass(slots=True)
class Thread:
    """Whether a clause without a subject is about the character: `carries_on`, from the clause before it.

    `is_list`: it is one of several things behind the name. `introduced`: a list of such things introduced the
    character, or the sentences since, so that the next sentence needs no subject. `of_others`: somebody whom it likes
    was named, and only what else it likes is surely said of it. `is_below_a_name`: the passage begins behind the name.
    """

    grammar: Grammar
    meant: Meant
    carries_on: bool = False
    is_list: bool = False
    introduced: bool = False
    of_others: bool = False
    is_below_a_name: bool = False

    def begin_sentence(self) -> None:
        """The clauses that follow are those of the next sentence."""
        self.carries_on = (self.introduced or self.is_below_a_name) and self.meant.is_meant
        self.is_list = self.is_below_a_name
        self.introduced = self.of_others = self.is_below_a_name = False

    def allows(self, clause: Clause, fact: Statement) -> bool:
        """Whether what the clause states is surely said of the character."""
        return clause.is_own or not self.of_others or fact.rule.type == TASTE

    def pass_on(self, clause: Clause, facts: Sequence[Statement]) -> None:
        """What the next clause is about, after this one, which stated these facts."""
        appositive = self.carries_on and self.grammar.appositive.fullmatch(clause.rest) is not None
        says_more = any(fact.rule.type != RELATION for fact in facts)
        self.introduced |= any(fact.rule.introduces for fact in facts) or (self.carries_on and bool(facts))
        self.is_list = clause.is_name_alone or (self.is_list and not clause.others)
        self.of_others = clause.others and any(fact.rule.type == TASTE for fact in facts)
        self.carries_on = (
            self.grammar.subject_carries_on
            and (self.of_others or not clause.others)
            and (clause.is_name_alone or appositive or says_more)
        )
        self.meant.is_meant = (self.meant.is_meant or clause.named) and not clause.others
