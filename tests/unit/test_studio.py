"""The studio: each visitor's conversation is their own, strangers' texts stay texts, and other machines need a word."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from nicegui import core, ui
from nicegui.testing import User
from nicegui.testing.user_simulation import user_simulation
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipeline.conversations.persona import make_persona
from pipeline.errors import UnderstudyError
from pipeline.models.generate import Reply
from pipeline.models.load import load_base_model
from pipeline.models.trained import TrainedCharacter
from pipeline.serving import conversation
from pipeline.web import model_queue
from pipeline.web.access import Access, is_this_machine, read_password
from pipeline.web.model_queue import GrowingReply, ModelQueue, ReplyStopped
from pipeline.web.page import show_studio
from pipeline.web.panels import curves
from pipeline.web.panels.command import CommandLog
from pipeline.web.panels.curves import show_curves
from pipeline.web.panels.exports import show_exports
from pipeline.web.run_pages import StudioRun
from pipeline.web.server import run_studio
from tests.exported import write_trained_folder

IMAGE = "<img src=x onerror=alert(1)>"  # a name that somebody gave a card
MIRA, STRANGER = make_persona("Mira", "en", {}), make_persona(IMAGE, "en", {})


@pytest.fixture(scope="module", autouse=True)
def _what_is_there_is_not_looked_through() -> None:
    """The simulation of a visitor collects garbage twice, through all that earlier tests have made."""
    gc.freeze()


@pytest.fixture
def queue(tiny_model_folder: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> ModelQueue:
    """Two characters, whose replies repeat what was said, and how many messages they saw."""

    drawn = count()

    def reply(model: Any, tokenizer: Any, prompt: Any, *, begun: Any = (), streamer: Any = None, **_: Any) -> Reply:
        said = prompt[-1]["content"]
        while streamer is not None and said.endswith("wait"):
            streamer.on_finalized_text("")
        if said == "fall over":
            raise MemoryError("no room")
        if said == "once more":
            number = next(drawn)
            return Reply(f"{said}, {number}", (1,), is_cut=False)
        return Reply(f"{'and ' * len(begun)}{said}, {len(prompt)}", (1,), is_cut="long" in said and not begun)

    monkeypatch.setattr(conversation, "generate_turn", reply)
    monkeypatch.setattr(conversation, "generate_reply", lambda *given, **options: reply(*given).text)
    base = str(tiny_model_folder)
    model = load_base_model(base)
    trained = TrainedCharacter(
        model, tokenizer, MIRA, (MIRA, STRANGER), base, False, {}, Path("out"), kept={base: model}
    )
    monkeypatch.setattr(model_queue, "load_together", lambda folders, base: [trained])
    return ModelQueue([Path("out")])


Story = Callable[[User], Coroutine[Any, Any, None]]


def visit(queue: ModelQueue, *stories: Story) -> None:
    """Each story is a visitor's, all at once."""

    async def run() -> None:
        run = StudioRun(Path("nowhere"))
        async with user_simulation(lambda: show_studio([run], queue, str)), asyncio.TaskGroup() as visitors:
            for story in stories:
                visitors.create_task(_visit(story))

    try:
        asyncio.run(run())
    finally:
        queue.close()


async def _visit(story: Story) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(core.app), base_url="http://test") as client:
        user = User(client)
        await user.open("/")
        await sees(user, "Mira is here.")
        await story(user)


async def sees(user: User, text: str) -> None:
    """Waits for the text; the simulated user's own way looks ten times a second, which is most of these tests' time."""
    for _ in range(500):
        if user.notify.contains(text):
            return
        with suppress(AssertionError):
            user.find(text)
            return
        await asyncio.sleep(0.02)
    await user.should_see(text)


def say(user: User, text: str) -> None:
    user.find(ui.textarea).clear().type(text)
    user.find("Send").click()


async def is_done(user: User) -> None:
    for _ in range(500):
        if next(iter(user.find("Send").elements)).enabled:
            return
        await asyncio.sleep(0.02)
    await user.should_not_see("Stop")


def texts(user: User, css: str) -> list[str]:
    """The texts of the labels of a class, in their order on the page."""
    labels = [one for one in user.find(ui.label).elements if css in one.classes]
    return [one.text for one in sorted(labels, key=lambda one: one.id)]


def test_twenty_visitors_talk_at_once_and_each_has_a_conversation_of_its_own(queue: ModelQueue) -> None:
    async def story(number: int, user: User) -> None:
        for turn in range(3):
            say(user, f"visitor {number}, turn {turn}")
            await sees(user, f"visitor {number}, turn {turn}, {2 * turn + 2}")  # the system prompt and what was said
            await is_done(user)
        assert texts(user, "mine") == [f"visitor {number}, turn {turn}" for turn in range(3)]
        replies = [text for text in texts(user, "said") if text.startswith("visitor")]
        assert replies == [f"visitor {number}, turn {turn}, {2 * turn + 2}" for turn in range(3) for _ in range(2)]

    visit(queue, *[lambda user, number=number: story(number, user) for number in range(20)])


def test_the_last_reply_that_was_cut_off_goes_on_in_its_place(queue: ModelQueue) -> None:
    async def story(user: User) -> None:
        for said, replied in (("a long one", "a long one, 2"), ("another long one", "another long one, 4")):
            say(user, said)
            await sees(user, replied)
            await sees(user, "cut off at its longest; go on")
            await is_done(user)
        assert len(user.find("cut off at its longest; go on").elements) == 1
        user.find("cut off at its longest; go on").click()
        await sees(user, "and another long one, 4")
        await is_done(user)
        replies = ["a long one, 2", "a long one, 2", "and another long one, 4", "another long one, 4"]
        assert [text for text in texts(user, "said") if "long one" in text] == replies

    visit(queue, story)


def test_a_reply_is_taken_back_or_drawn_again_and_one_that_is_stopped_loses_nothing(queue: ModelQueue) -> None:
    async def story(user: User) -> None:
        say(user, "once more")
        await sees(user, "once more, 1")  # the base model's
        await is_done(user)
        user.find("Retry").click()
        await sees(user, "once more, 3")
        await user.should_not_see("once more, 0")
        await is_done(user)
        user.find(ui.switch).elements.pop().value = False
        say(user, "And now?")
        await sees(user, "And now?, 4")
        await is_done(user)
        for _ in range(2):
            user.find("Undo").click()
        assert texts(user, "mine") == []
        say(user, "So?")
        await sees(user, "So?, 2")
        await is_done(user)
        say(user, "wait")
        await sees(user, "Stop")
        user.find("Stop").click()
        await is_done(user)
        assert user.find(ui.textarea).elements.pop().value == "wait"  # what got no reply can be said again
        say(user, "word " * 600)
        await sees(user, "tokens too long for this model")
        say(user, "fall over")
        await sees(user, "the model: failed (MemoryError: no room)")
        assert texts(user, "mine") == ["So?"]

    visit(queue, story)


def test_a_new_conversation_ends_the_reply_that_was_being_drawn(queue: ModelQueue) -> None:
    async def story(user: User) -> None:
        say(user, "wait")
        await sees(user, "Stop")
        user.find("New").click()
        await is_done(user)
        say(user, "Hello?")
        await sees(user, "Hello?, 2")
        assert texts(user, "mine") == ["Hello?"]

    visit(queue, story)


def test_who_waits_for_another_can_stop_and_who_leaves_is_waited_for_by_nobody(queue: ModelQueue) -> None:
    is_asked, has_left = asyncio.Event(), asyncio.Event()

    async def leaves(user: User) -> None:
        say(user, "I wait")
        await sees(user, "Stop")
        is_asked.set()
        await has_left.wait()
        user.client.delete()  # type: ignore[union-attr]

    async def waits(user: User) -> None:
        await is_asked.wait()
        say(user, "Hello?")
        await sees(user, "… (1 before it)")
        user.find("Stop").click()
        await is_done(user)
        has_left.set()
        say(user, "Hello again?")
        await sees(user, "Hello again?, 2")

    visit(queue, leaves, waits)


def test_a_question_asked_alone_is_outside_the_conversation_and_another_character_begins_anew(
    queue: ModelQueue,
) -> None:
    async def story(user: User) -> None:
        say(user, "Hello?")
        await sees(user, "Hello?, 2")
        await is_done(user)
        user.find(ui.textarea).clear().type("Where?")
        user.find("Ask alone").click()
        await sees(user, "Mira, asked alone, greedy")
        say(user, "And now?")
        await sees(user, "And now?, 4")
        await is_done(user)
        user.find("Character").elements.pop().value = IMAGE
        await sees(user, f"{IMAGE} is here.")
        say(user, IMAGE)
        await sees(user, f"{IMAGE}, 2")
        html = [element for element in user.find(ui.element).elements if "innerHTML" in element.props]
        assert not html  # texts are set as texts

    visit(queue, story)


def test_a_reply_that_is_stopped_ends_at_its_next_token(tokenizer: Any) -> None:
    growing = GrowingReply(tokenizer, lambda: None)
    growing.on_finalized_text("The bells\x1b[2J ")
    growing.on_finalized_text("ring\ufffd", stream_end=True)
    assert growing.text == "The bells[2J ring"
    growing.is_stopped = True
    with pytest.raises(ReplyStopped):
        growing.on_finalized_text("more")


def test_models_that_cannot_be_loaded_are_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[Path] = []

    def load(folders: list[Path], base: Any) -> list[Any]:
        tried.extend(folders)
        if len(tried) == 1:
            raise UnderstudyError("nowhere", "holds no finished run", fix="train first")
        return []

    async def load_twice() -> None:
        queue = ModelQueue([Path("nowhere")])
        with pytest.raises(UnderstudyError, match="nowhere"):
            await queue.characters()
        assert await queue.characters() == {}
        queue.close()

    monkeypatch.setattr(model_queue, "load_together", load)
    asyncio.run(load_twice())
    assert len(tried) == 2


def test_a_run_that_goes_on_shows_its_curves_as_it_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, log = StudioRun(tmp_path), tmp_path / "logs.jsonl"
    monkeypatch.setattr(curves, "BETWEEN_LOOKS", 0.05)

    async def look() -> None:
        async with user_simulation(lambda: show_curves(run)) as user:
            await user.open("/")
            await user.should_see("No logs in")
            log.write_text('{"step": 1, "loss": 4.0}\n{"step": 2, "recall_seen_exact": 0.5}\n', encoding="utf-8")
            await sees(user, "going on, or stopped, at step 2")
            (tmp_path / "run.json").write_text("{}", encoding="utf-8")
            await sees(user, "finished at step 2")
            loss, recall = sorted(user.find(ui.echart).elements, key=lambda one: one.id)
            assert loss.options["series"][0]["data"] == [[1, 4.0]]
            assert recall.options["series"][1]["data"] == [[2, 0.5]]

    asyncio.run(look())


def test_the_pages_and_exports_of_a_run_are_found(tmp_path: Path) -> None:
    for name in (
        "report.html",
        "Bram/report.html",
        "bleed.html",
        "exports/card/card.png",
        "exports/.gguf.building/x",
        "exports/note",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    run = StudioRun(tmp_path)
    assert list(run.recall_pages()) == ["Report", "Bram", "Who knows what of whom"]
    assert run.exported() == {"card": [tmp_path / "exports/card/card.png"]}
    assert [run.new_export(name).name for name in ("card", "gguf")] == ["card-2", "gguf"]


def test_an_export_of_ggufs_shows_its_usual_types_and_asks_for_those_that_are_chosen(
    tiny_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: asyncio.Queue[list[str]] = asyncio.Queue()

    async def ask(_: CommandLog, arguments: list[str]) -> bool:
        asked.put_nowait(arguments)
        return True

    monkeypatch.setattr(CommandLog, "run", ask)
    run = StudioRun(write_trained_folder(tmp_path / "run", tiny_model_folder))

    async def story() -> None:
        async def options() -> list[str]:
            user.find("Export").click()
            command = await asyncio.wait_for(asked.get(), 60)
            return command[command.index("--to") + 1 : command.index("--out")]

        async with user_simulation(lambda: show_exports(run)) as user:
            await user.open("/")
            (form,) = user.find(ui.select).elements
            assert "--outtype" not in await options()
            form.value = "gguf"
            (types,) = user.find(ui.select).elements - {form}
            assert types.value == ["f16", "q8_0"]
            types.value = ["q4_k_m"]
            assert (await options())[-2:] == ["--outtype", "q4_k_m"]
            form.value = "adapter"
            assert "--outtype" not in await options()

    asyncio.run(story())


def test_a_recipe_that_is_no_longer_one_is_said_on_its_panel_and_the_rest_is_there(
    queue: ModelQueue, tmp_path: Path
) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text("charactre: Mira\noutput_dir: out\n", encoding="utf-8")

    async def story() -> None:
        run = StudioRun.of_recipe(recipe, base="elsewhere")
        assert run.base_options == ["--base=elsewhere"]
        async with user_simulation(lambda: show_studio([run], queue, str)) as user:
            await user.open("/")
            await sees(user, "Mira is here.")
            user.find("Records").click()
            await sees(user, "charactre")

    asyncio.run(story())
    queue.close()


@pytest.fixture
def guarded() -> TestClient:
    """A page and a WebSocket behind a password."""

    async def page(_: Any) -> PlainTextResponse:
        return PlainTextResponse("seen")

    async def talk(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("heard")

    routes = [Route("/", page), WebSocketRoute("/talk", talk)]
    return TestClient(Access(Starlette(routes=routes), password="密码"))


def test_without_the_password_nothing_is_seen(guarded: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.web.access.AFTER_A_WRONG_PASSWORD", 0)
    assert "Password" in guarded.get("/").text
    with pytest.raises(WebSocketDisconnect), guarded.websocket_connect("/talk"):
        pass
    wrong = guarded.post("/login", data={"password": "x"})
    assert wrong.status_code == 401
    assert "That is not the password." in wrong.text
    assert "Password" in guarded.get("/").text
    assert guarded.post("/login", data={"password": "密码"}).text == "seen"
    with guarded.websocket_connect("/talk") as socket:
        assert socket.receive_text() == "heard"


def test_another_sites_page_gets_no_connection_and_nothing_is_loaded_from_elsewhere(guarded: TestClient) -> None:
    own, elsewhere = {"origin": "http://testserver"}, {"origin": "http://elsewhere.example"}
    guarded.post("/login", data={"password": "密码"}, headers=own)
    with guarded.websocket_connect("/talk", headers=own) as socket:
        assert socket.receive_text() == "heard"
    for other in (elsewhere, {"origin": "null"}):
        with pytest.raises(WebSocketDisconnect), guarded.websocket_connect("/talk", headers=other):
            pass
        assert guarded.get("/", headers=other).status_code == 403
    policy = guarded.get("/").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy


def test_other_machines_are_let_in_with_a_password_alone(tmp_path: Path) -> None:
    assert all(map(is_this_machine, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_this_machine, ("0.0.0.0", "::", "192.0.2.1", "a.example", "")))  # noqa: S104
    with pytest.raises(UnderstudyError, match=r"lets other machines in.*--password_file FILE"):
        run_studio([], host="192.0.2.1", port=0)
    with pytest.raises(UnderstudyError, match="try another --port"):
        run_studio([], host="127.0.0.1", port=99_999)
    file = tmp_path / "password"
    with pytest.raises(UnderstudyError, match="cannot be read"):
        read_password(file)
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(UnderstudyError, match="has no password"):
        read_password(file)
    file.write_text(" open sesame \nand more", encoding="utf-8")
    assert read_password(file) == "open sesame"
