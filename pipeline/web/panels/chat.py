"""The studio's chat: a character, and beside it the base model that it was made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from nicegui import ui

from pipeline.errors import UnderstudyError
from pipeline.models.generate import Reply
from pipeline.models.trained import TrainedCharacter
from pipeline.serving.conversation import Chat, turns_as_json
from pipeline.serving.screen import printable
from pipeline.web.model_queue import GrowingReply, ModelQueue, ReplyStopped
from pipeline.web.panels.sampling import SamplingFields

# To the end of the conversation, unless the reader has scrolled up.
SCROLL = "const e = document.scrollingElement; if (e.scrollHeight - e.scrollTop - innerHeight < 300) e.scrollTop = 1e9"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """The conversation as the character has it, and as the base model has it."""

    own: Chat
    base: Chat

    def copy(self) -> Dialogue:
        """The same conversation, which goes its own way from now on."""
        return Dialogue(copy(self.own), copy(self.base))


@dataclass(slots=True)
class Exchange:
    """What was said and replied, on the page; whether the base model replied too."""

    column: ui.column
    text: str
    reply: ui.label
    has_base: bool = False


class ChatPanel:
    """One visitor's conversation; nobody else sees it, and it ends with the page."""

    def __init__(self, characters: Mapping[str, TrainedCharacter], queue: ModelQueue) -> None:
        self.characters = characters
        self.queue = queue
        self.growing: GrowingReply | None = None
        self.is_busy = False
        self.label = next(iter(characters))
        self.exchanges: list[Exchange] = []  # as many as the conversation has
        self.more: ui.button | None = None  # goes on with the last reply, where that was cut off
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
        self.transcript = ui.column().classes("talk").props('role="log" aria-live="polite" aria-label="Conversation"')
        with ui.row().classes("say"):
            self.box = ui.textarea(placeholder="Say something").props(
                'autogrow outlined dense autofocus aria-label="Message"'
            )
            self.box.on("keydown.enter.exact.prevent", self._send)
            self.box.on("keydown.esc", self.stop)
            self.send = ui.button("Send", on_click=self._send).props("no-caps unelevated")
            self.stop_button = ui.button("Stop", on_click=self.stop).props("no-caps flat")
            self.stop_button.set_visibility(False)
            ask = ui.button("Ask alone", on_click=self._recall).props("no-caps flat")
            ask.tooltip("As recall asks: by itself, greedy, outside this conversation")
        with ui.expansion("System prompt and sampling").classes("settings"):
            self.prompt = ui.label().classes("said")
            self.fields = SamplingFields(self.characters[self.label].persona.sampling)

    def _begin(self) -> None:
        """A conversation with the chosen character begins."""
        self.stop()
        trained = self.characters[self.label]
        self.dialogue = Dialogue(Chat(trained), Chat(trained, disable_adapter=True))
        self.prompt.text = printable(trained.persona.system("chat"))
        self.transcript.clear()
        self.exchanges.clear()
        self.more = None
        with self.transcript:
            ui.label(f"{self.label} is here.").classes("note")

    def _become(self, event: Any) -> None:
        self.label = event.value
        self.fields.reset(self.characters[self.label].persona.sampling)
        self._begin()

    async def _send(self) -> None:
        text = (self.box.value or "").strip()
        if not text or self.is_busy:
            return
        self.box.value = ""
        if not await self._exchange(text) and not self.box.value:
            self.box.value = text

    async def _retry(self) -> None:
        """The last message is answered once more; if it is not, the reply that there was stays."""
        if self.is_busy or not self.exchanges:
            return
        last, before = self.exchanges[-1], self.dialogue.copy()
        dialogue = self.dialogue
        dialogue.own.undo()
        if last.has_base:
            dialogue.base.undo()
        if await self._exchange(last.text):
            self.exchanges.remove(last)
            last.column.delete()
        elif self.dialogue is dialogue:
            self.dialogue = before
            if before.own.cut:
                self._offer_more(last.reply)

    async def _go_on(self, shown: ui.label) -> None:
        """The rest of a reply that was cut off, in the place where it stands."""
        dialogue, before = self.dialogue, shown.text
        if self.is_busy:
            return
        self._end_more()
        self._apply_sampling()
        try:
            done = await self._grow(dialogue.own.go_on, shown, before)
        except (ReplyStopped, UnderstudyError) as error:
            if self.dialogue is dialogue:
                shown.text = before
                self._offer_more(shown)
                self._fail(error)
            return
        if self.dialogue is dialogue and done.is_cut:
            self._offer_more(shown)

    async def _recall(self) -> None:
        question, dialogue, label = (self.box.value or "").strip(), self.dialogue, self.label
        if not question or self.is_busy:
            return
        self._apply_sampling()
        self._set_busy(True)
        try:
            known, base = await self.queue.ask(lambda: dialogue.own.recall(question))
        except UnderstudyError as error:
            self._fail(error)
            return
        finally:
            self._set_busy(False)
        if self.dialogue is not dialogue or self.transcript.is_deleted:
            return
        with self.transcript, ui.column().classes("exchange alone"):
            ui.label(printable(question)).classes("mine")
            with ui.element("div").classes("replies"):
                self._bubble(f"{label}, asked alone, greedy", known)
                self._bubble("base model", base)

    def _undo(self) -> None:
        if self.is_busy or not self.exchanges:
            return
        last = self.exchanges.pop()
        last.column.delete()
        self.more = None
        self.dialogue.own.undo()
        if last.has_base:
            self.dialogue.base.undo()

    def _save(self) -> None:
        ui.download.content(turns_as_json(self.dialogue.own.turns).encode(), "conversation.json")

    async def _exchange(self, text: str) -> bool:
        """Both replies to what was said, as they come; whether the character's was kept."""
        self._apply_sampling()
        self._end_more()
        dialogue = self.dialogue
        with self.transcript, ui.column().classes("exchange") as column:
            ui.label(printable(text)).classes("mine")
            with ui.element("div").classes("replies") as replies:
                shown = self._bubble(self.label, "…")
        exchange = Exchange(column, text, shown)
        try:
            done = await self._grow(lambda growing: dialogue.own.say(text, growing), shown)
        except (ReplyStopped, UnderstudyError) as error:
            if not column.is_deleted:
                column.delete()
                self._fail(error)
            return False
        if self.dialogue is not dialogue:
            return False
        self.exchanges.append(exchange)
        if dialogue.own.forgotten:
            with column:
                ui.label(f"The first {dialogue.own.forgotten} turns no longer fit, and are forgotten.").classes("note")
        if self.beside.value:
            await self._answer_as_base(dialogue, exchange, replies)
        if done.is_cut and self.dialogue is dialogue:
            self._offer_more(shown)
        return True

    async def _answer_as_base(self, dialogue: Dialogue, exchange: Exchange, replies: ui.element) -> None:
        with replies:
            shown = self._bubble("base model", "…")
        try:
            await self._grow(lambda growing: dialogue.base.say(exchange.text, growing), shown)
        except (ReplyStopped, UnderstudyError) as error:
            if not shown.is_deleted:
                shown.text = f"({'stopped' if isinstance(error, ReplyStopped) else error})"
        else:
            exchange.has_base = True

    async def _grow(self, reply: Callable[[GrowingReply], Reply], shown: ui.label, begun: str = "") -> Reply:
        """The reply, on the page as it comes, after what it had `begun` with."""

        def show() -> None:
            if shown.is_deleted:
                growing.is_stopped = True
            elif growing.text:
                shown.text = begun + growing.text
                shown.client.run_javascript(SCROLL)

        growing = GrowingReply(self.dialogue.own.trained.tokenizer, show)
        if self.queue.waiting:
            shown.text = f"{begun}… ({self.queue.waiting} before it)"
        self._set_busy(True, growing)
        try:
            done = await self.queue.reply(growing, reply)
        finally:
            self._set_busy(False)
        if not shown.is_deleted:
            shown.text = printable(done.text)
        return done

    def _set_busy(self, is_busy: bool, growing: GrowingReply | None = None) -> None:
        self.is_busy, self.growing = is_busy, growing
        if not self.send.is_deleted:
            self.send.set_enabled(not is_busy)
            self.stop_button.set_visibility(growing is not None)

    def _offer_more(self, shown: ui.label) -> None:
        """The reply, which was cut off, can go on."""
        if shown.parent_slot:
            with shown.parent_slot.parent:
                self.more = ui.button("cut off at its longest; go on").props("flat dense no-caps")
                self.more.on_click(lambda: self._go_on(shown))

    def _end_more(self) -> None:
        """Only the last reply can go on."""
        if self.more and not self.more.is_deleted:
            self.more.delete()
        self.more = None

    def _apply_sampling(self) -> None:
        """From now on, replies are drawn as the page says."""
        trained = self.characters[self.label]
        trained = replace(trained, persona=replace(trained.persona, sampling=self.fields.sampling))
        self.dialogue.own.trained = self.dialogue.base.trained = trained

    @staticmethod
    def _bubble(name: str, text: str) -> ui.label:
        with ui.column().classes("bubble"):
            ui.label(printable(name)).classes("who")
            return ui.label(printable(text)).classes("said")

    def _fail(self, error: Exception) -> None:
        if isinstance(error, UnderstudyError) and not self.transcript.is_deleted:
            with self.transcript:
                ui.notify(str(error), type="negative", multi_line=True, timeout=10_000, close_button="OK")
