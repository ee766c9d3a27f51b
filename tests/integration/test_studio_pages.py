"""The studio in a real browser, with a run that was really trained."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from tests.conftest import write_raw_files, write_tiny_recipe
from tests.runs import MODULE, PATIENCE, run, start, succeeded

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
WITH_A_BROWSER = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no Chromium here (Debian: chromium-driver)")
NAME = "<img src=x onerror=document.title='run'>"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory, tiny_model_folder: Path) -> Path:
    """A trained character with a name that would be markup."""
    folder = tmp_path_factory.mktemp("studio")
    raw = write_raw_files(folder / "raw")
    for file in raw.iterdir():
        file.write_text(file.read_text(encoding="utf-8").replace('"Mira"', json.dumps(NAME)), encoding="utf-8")
    recipe = write_tiny_recipe(folder, raw, tiny_model_folder)
    values = json.loads(recipe.read_text(encoding="utf-8")) | {"character": NAME, "num_train_epochs": 1}
    recipe.write_text(json.dumps(values), encoding="utf-8")
    succeeded(*MODULE, "pipeline.train", "--config", str(recipe), "--max_steps", "2")
    return recipe


@contextmanager
def studio(folder: Path, *arguments: str) -> Iterator[str]:
    """The address of a studio, until the block ends."""
    said, errors = folder / "studio.out", folder / "studio.err"
    process = start([*MODULE, "pipeline.studio", "--port", "0", *arguments], said, errors)
    try:
        yield until(lambda: re.search(r"http://\S+", said.read_text(encoding="utf-8") if said.exists() else "")).group()
    finally:
        process.kill()
        process.wait()


def until(look: Callable[[], Any]) -> Any:
    """What a look at something gives, once it gives something."""
    began = time.monotonic()
    while not (found := look()):
        assert time.monotonic() - began < PATIENCE
        time.sleep(0.05)
    return found


@pytest.fixture
def browser() -> Iterator[Any]:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


def texts(browser: Any, css: str) -> list[str]:
    """The texts of the elements that are shown, all at one moment."""
    script = "return [...document.querySelectorAll(arguments[0])].filter(e => e.offsetParent).map(e => e.innerText)"
    return list(browser.execute_script(script, css))


def sees(browser: Any, css: str, text: str) -> None:
    until(lambda: any(text in one for one in texts(browser, css)))


def click(browser: Any, css: str, text: str) -> None:
    """Click what has this text, once it is there and can be clicked."""
    script = """const [css, text] = arguments
        const found = [...document.querySelectorAll(css)].find(e => e.innerText == text && !e.disabled)
        found?.click()
        return Boolean(found)"""
    until(lambda: browser.execute_script(script, css, text))


@WITH_A_BROWSER
@pytest.mark.launch
def test_the_studio_is_used_from_a_keyboard_and_texts_of_strangers_stay_texts(
    recipe: Path, tmp_path: Path, browser: Any
) -> None:
    from selenium.webdriver import ActionChains, Keys

    with studio(tmp_path, "--config", str(recipe)) as address:
        browser.get(address)
        sees(browser, ".note", "is here.")
        until(lambda: browser.switch_to.active_element.tag_name == "textarea")
        ActionChains(browser).send_keys("Who are you? <b>好</b>", Keys.ENTER).perform()
        until(lambda: texts(browser, ".who") == [NAME, "base model"] and "Stop" not in texts(browser, "button"))
        assert texts(browser, ".mine") == ["Who are you? <b>好</b>"]
        ActionChains(browser).send_keys("word " * 600, Keys.ENTER).perform()
        sees(browser, ".q-notification", "tokens too long for this model")
        assert len(texts(browser, ".mine")) == 1

        click(browser, ".q-tab", "Records")
        frame = until(lambda: browser.find_elements("css selector", "iframe"))[0]
        browser.switch_to.frame(frame)
        sees(browser, "h1", "What became of the")
        browser.switch_to.default_content()
        click(browser, ".q-tab", "Training")
        sees(browser, ".note", "finished at step 2")
        until(lambda: browser.find_elements("css selector", ".chart svg path"))
        click(browser, ".q-tab", "What the loss sees")
        click(browser, "button", "Show what the loss sees")
        until(lambda: browser.find_elements("css selector", "iframe[title=Walks]"))
        click(browser, ".q-tab", "Export")
        click(browser, "button", "Export")
        sees(browser, "button", "card_v3.json")

        browser.set_window_size(500, 900)
        assert browser.execute_script("return document.documentElement.scrollWidth <= innerWidth")
        assert browser.title == "Understudy studio"
        assert not browser.get_log("browser")
        loaded = browser.execute_script("return performance.getEntries().map(one => one.name)")
        assert all(name.startswith(address) for name in loaded if "://" in name)


@WITH_A_BROWSER
@pytest.mark.launch
def test_the_studio_asks_for_its_password(recipe: Path, tmp_path: Path, browser: Any) -> None:
    password = tmp_path / "password"
    password.write_text("open sesame\n", encoding="utf-8")
    with studio(tmp_path, "--config", str(recipe), "--password_file", str(password)) as address:
        browser.get(address)
        for given, seen in (("wrong", "[role=alert]"), ("open sesame", ".note")):
            browser.find_element("css selector", "input").send_keys(given)
            click(browser, "button", "Enter")
            until(lambda seen=seen: texts(browser, seen))


@pytest.mark.launch
def test_only_this_machine_is_served_and_only_what_was_made_to_be_seen(recipe: Path, tmp_path: Path) -> None:
    with studio(tmp_path, "--config", str(recipe)) as address:
        with urlopen(address) as answer:  # noqa: S310
            assert "Understudy studio" in answer.read().decode()
        for path, headers, code in (("/", {"Host": "elsewhere.example"}, 400), ("/frames/recipe.yaml", {}, 404)):
            with pytest.raises(HTTPError) as refused:
                urlopen(Request(address + path, headers=headers))  # noqa: S310
            assert refused.value.code == code
        taken = run(*MODULE, "pipeline.studio", "--config", str(recipe), "--port", address.rpartition(":")[2])
        assert taken.returncode == 2
        assert "try another --port" in taken.stderr
    nothing = run(*MODULE, "pipeline.studio", "--adapter", str(tmp_path))
    assert nothing.returncode == 2
    assert "holds no finished run" in nothing.stderr
    assert "Traceback" not in taken.stderr + nothing.stderr
