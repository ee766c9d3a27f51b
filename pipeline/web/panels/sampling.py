"""The sampling parameters on the page."""

from __future__ import annotations

from dataclasses import replace

from nicegui import ui

from pipeline.conversations.persona import Sampling

FIELDS = {  # of each parameter: its name on the page, least, most, step
    "temperature": ("Temperature (0: greedy)", 0.0, 2.0, 0.1),
    "top_p": ("top_p", 0.05, 1.0, 0.05),
    "repetition_penalty": ("Repetition penalty", 1.0, 2.0, 0.05),
    "max_new_tokens": ("Longest reply, tokens", 1, 1024, 1),
}


class SamplingFields:
    """A number for each parameter, to begin with the character's own."""

    def __init__(self, own: Sampling) -> None:
        self.own = own
        self._numbers = {
            name: ui.number(label, value=getattr(own, name), min=least, max=most, step=step).props("dense outlined")
            for name, (label, least, most, step) in FIELDS.items()
        }

    def reset(self, own: Sampling) -> None:
        """Show another character's own parameters."""
        self.own = own
        for name, number in self._numbers.items():
            number.value = getattr(own, name)

    @property
    def sampling(self) -> Sampling:
        """What the page says; where it says nothing, the character's own."""
        given = {name: number.value for name, number in self._numbers.items() if number.value is not None}
        sampling = replace(self.own, **given)
        return replace(sampling, max_new_tokens=int(sampling.max_new_tokens))
