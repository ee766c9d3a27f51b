"""The studio's chat: a character, and beside it the base model that it was made from."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from nicegui import ui

from pipeline.errors import UnderstudyError
from pipeline.models.generate import Reply
from pipeline.models.trained import TrainedCharacter
from pipeline.serving.conversation import Chat
from pipeline.serving.screen import printable
from pipeline.web.model_queue import GrowingReply, ModelQueue, ReplyStopped

BETWEEN_LOOKS = 0.1  # seconds, at a reply that grows
# To the end of the conversation, unless the reader has scrolled up.
SCROLL = "const e = document.scrollingElement; if (e.scrollHeight - e.scrollTop - innerHeight < 300) e.scrollTop = 1e9"
SAMPLING = {  # of each parameter: its name on the page, least, most, step
    "temperature": ("Temperature (0: greedy)", 0.0, 2.0, 0.1),
    "top_p": ("top_p", 0.05, 1.0, 0.05),
    "repetition_penalty": ("Repetition penalty", 1.0, 2.0, 0.05),
    "max_new_tokens": ("Longest reply, tokens", 1, 1024, 1),
}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two who reply: the conversation as it had it, and its name on the page."""

    chat: Chat
    name: str


class ChatPanel:
    """One visitor's conversation; nobody else sees it, and it ends with the page."""

    def __init__(self, characters: Mapping[str, TrainedCharacter], queue: ModelQueue) -> None:
        self.characters = characters
        self.queue = queue
        self.growing: GrowingReply | None = None
        self.label = next(iter(characters))
        self.sides: tuple[Side, ...] = ()  # the character, and the base model
        self.exchanges: list[ui.column] = []  # on the page, as many as the conversation has
        self._build()
        self._begin()

    def stop(self) -> None:
        """The reply that is being generated ends, and is not kept."""
        if self.growing:
            self.growing.is_stopped = True

    def _build(self) -> None:
        with ui.row().classes("bar"):
            if len(self.characters) > 1:
                ui.select(list(self.characters), value=self.label, label="Character", on_change=self._become).props(
                    "dense outlined"
                )
            self.beside = ui.switch("the base model beside it", value=True)
            ui.space()
            for name, does, hint in (
                ("Retry", self._retry, "Have the last message answered once more"),
                ("Undo", self._undo, "Take the last exchange back"),
                ("New", self._begin, "Forget the conversation"),
                ("Save", self._save, "Download the conversation"),
            ):
                ui.button(name, on_click=does).props("flat dense no-caps").tooltip(hint)
        self.talk = ui.column().classes("talk").props('role="log" aria-live="polite" aria-label="Conversation"')
        with ui.row().classes("say"):
            self.box = ui.textarea(placeholder="Say something").props(
                'autogrow outlined dense autofocus aria-label="Message"'
            )
            self.box.on("keydown.enter.exact.prevent", self._send)
            self.box.on("keydown.esc", self.stop)
            self.send = ui.button("Send", on_click=self._send).props("no-caps unelevated")
            ui.button("Stop", on_click=self.stop).props("no-caps flat").bind_visibility_from(self, "growing")
            ask = ui.button("Ask alone", on_click=self._recall).props("no-caps flat")
            ask.tooltip("As recall asks: by itself, greedy, outside this conversation")
        with ui.expansion("System prompt and sampling").classes("settings"):
            self.prompt = ui.label().classes("said")
            own = self.characters[self.label].persona.sampling
            self.numbers = {
                name: ui.number(label, value=getattr(own, name), min=least, max=most, step=step).props("dense outlined")
                for name, (label, least, most, step) in SAMPLING.items()
            }

    def _begin(self) -> None:
        """A conversation with the chosen character begins."""
        self.stop()
        trained = self.characters[self.label]
        self.sides = (Side(Chat(trained), self.label), Side(Chat(trained, disable_adapter=True), "base model"))
        self.prompt.text = printable(trained.persona.system("chat"))
        self.talk.clear()
        self.exchanges.clear()
        with self.talk:
            ui.label(f"{self.label} is here.").classes("note")

    def _become(self, event: Any) -> None:
        self.label = event.value
        for name, number in self.numbers.items():
            number.value = getattr(self.characters[self.label].persona.sampling, name)
        self._begin()

    async def _send(self) -> None:
        text = (self.box.value or "").strip()
        if not text or self.growing:
            return
        self.box.value = ""
        if not await self._exchange(text):
            self.box.value = text

    async def _retry(self) -> None:
        if not self.growing and (text := self._undo()):
            await self._exchange(text)

    async def _go_on(self, asked: ui.button, shown: ui.label) -> None:
        """The rest of a reply that was cut off, in the place where it stands."""
        chat = self.sides[0].chat
        if self.growing or chat.cut is None:
            return
        asked.delete()
        before = shown.text
        try:
            done = await self._grow(chat.go_on, shown, before)
        except (ReplyStopped, UnderstudyError) as error:
            shown.text = before
            self._fail(error)
            return
        self._offer_more(done, shown)

    async def _recall(self) -> None:
        question = (self.box.value or "").strip()
        if not question or self.growing:
            return
        self._apply_sampling()
        try:
            known, base = await self.queue.ask(lambda: self.sides[0].chat.recall(question))
        except UnderstudyError as error:
            self._fail(error)
            return
        with self.talk, ui.column().classes("exchange alone"):
            ui.label(printable(question)).classes("mine")
            with ui.element("div").classes("replies"):
                self._bubble(f"{self.label}, asked alone, greedy", known)
                self._bubble("base model", base)

    def _undo(self) -> str | None:
        """Take the last exchange back; what had been said."""
        own, base = (side.chat for side in self.sides)
        if self.growing or not own.turns:
            return None
        if base.turns[-2:-1] == own.turns[-2:-1]:  # else the base model was not asked
            base.undo()
        self.exchanges.pop().delete()
        return own.undo()

    def _save(self) -> None:
        messages = self.sides[0].chat.turns
        content = json.dumps({"messages": messages}, ensure_ascii=False, indent=2) + "\n"
        ui.download.content(content.encode(), "conversation.json")

    async def _exchange(self, text: str) -> bool:
        """Both sides' replies to what was said, as they come; whether the character's was kept."""
        self._apply_sampling()
        ui.run_javascript(SCROLL)
        own, base = self.sides
        with self.talk, ui.column().classes("exchange") as exchange:
            ui.label(printable(text)).classes("mine")
            with ui.element("div").classes("replies") as replies:
                shown = self._bubble(own.name, "…")
        try:
            done = await self._grow(lambda streamer: own.chat.say(text, streamer), shown)
        except (ReplyStopped, UnderstudyError) as error:
            exchange.delete()
            self._fail(error)
            return False
        self.exchanges.append(exchange)
        self._offer_more(done, shown)
        if forgotten := own.chat.forgotten:
            with exchange:
                ui.label(f"The first {forgotten} turns no longer fit, and are forgotten.").classes("note")
        if self.beside.value:
            with replies:
                shown = self._bubble(base.name, "…")
            try:
                await self._grow(lambda streamer: base.chat.say(text, streamer), shown)
            except (ReplyStopped, UnderstudyError) as error:
                shown.text = f"({'stopped' if isinstance(error, ReplyStopped) else error})"
        return True

    async def _grow(self, reply: Callable[[GrowingReply], Reply], shown: ui.label, begun: str = "") -> Reply:
        """The reply, on the page as it comes, after what it had `begun` with."""
        growing = self.growing = GrowingReply(self.sides[0].chat.trained.tokenizer)
        self.send.disable()
        if self.queue.waiting:
            shown.text = f"{begun}… ({self.queue.waiting} before it)"
        asked = asyncio.ensure_future(self.queue.ask(lambda: reply(growing)))
        try:
            while not asked.done():
                await asyncio.wait([asked], timeout=BETWEEN_LOOKS)
                if growing.text:
                    shown.text = begun + growing.text
                    ui.run_javascript(SCROLL)
            done = asked.result()
        finally:
            self.growing = None
            self.send.enable()
        shown.text = printable(done.text)
        return done

    def _offer_more(self, reply: Reply, shown: ui.label) -> None:
        """A reply that was cut off says so, and can go on."""
        if reply.is_cut and shown.parent_slot:
            with shown.parent_slot.parent:
                asked = ui.button("cut off at its longest; go on").props("flat dense no-caps")
                asked.on_click(lambda: self._go_on(asked, shown))

    def _apply_sampling(self) -> None:
        """From now on, replies are drawn as the page says."""
        given = {name: number.value for name, number in self.numbers.items() if number.value is not None}
        if "max_new_tokens" in given:
            given["max_new_tokens"] = int(given["max_new_tokens"])
        for side in self.sides:
            persona = side.chat.trained.persona
            persona = replace(persona, sampling=replace(persona.sampling, **given))
            side.chat.trained = replace(side.chat.trained, persona=persona)

    @staticmethod
    def _bubble(name: str, text: str) -> ui.label:
        with ui.column().classes("bubble"):
            ui.label(printable(name)).classes("who")
            return ui.label(printable(text)).classes("said")

    @staticmethod
    def _fail(error: Exception) -> None:
        if not isinstance(error, ReplyStopped):
            ui.notify(str(error), type="negative", multi_line=True, timeout=10_000, close_button="OK")
