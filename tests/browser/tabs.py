"""A real Chromium, and the tabs in it that show the chat."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

SWITCHES = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
WAIT_SECONDS = 10.0
POLL_SECONDS = 0.05

VIEW = """
return {
  state: document.body.dataset.state,
  disabled: document.getElementById("text").disabled,
  outage: !document.getElementById("outage").hidden,
  people: [...document.querySelectorAll("#people .who")].map((each) => each.textContent),
  me: [...document.querySelectorAll("#people li")].filter((each) => each.querySelector(".you:not([hidden])"))
    .map((each) => each.querySelector(".who").textContent),
  messages: [...document.querySelectorAll("#log .message")].map((each) => ({
    name: each.querySelector(".who").textContent,
    text: each.querySelector(".text").textContent,
    mine: each.classList.contains("mine"),
    markup: each.querySelector(".text").childElementCount + each.querySelector(".who").childElementCount > 0,
  })),
  notices: [...document.querySelectorAll("#log .notice .text")].map((each) => each.textContent),
};
"""


class Broken(Exception):
    """A promise that does not hold, with a picture of the tab in which that shows."""

    def __init__(self, detail: str, tab: Tab | None = None) -> None:
        super().__init__(detail)
        self.picture = tab.picture() if tab is not None else None


@dataclass(frozen=True)
class Said:
    name: str
    text: str
    mine: bool
    markup: bool


@dataclass(frozen=True)
class View:
    """What a tab shows at one moment."""

    state: str
    disabled: bool
    outage: bool
    people: list[str]
    me: list[str]
    messages: list[Said]
    notices: list[str]

    def texts(self) -> list[str]:
        return [said.text for said in self.messages]


class Browser:
    def __init__(self, chromium: str, chromedriver: str) -> None:
        # Else selenium looks for newer browsers and drivers on the network, and reports that it was used.
        os.environ.update(SE_OFFLINE="true", SE_AVOID_STATS="true")
        self._profile = tempfile.TemporaryDirectory(prefix="wsgate-browser-", ignore_cleanup_errors=True)
        options = Options()
        options.binary_location = chromium
        for switch in [*SWITCHES, f"--user-data-dir={self._profile.name}"]:
            options.add_argument(switch)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(chromedriver))
        self.driver.set_page_load_timeout(WAIT_SECONDS)
        self.driver.set_script_timeout(WAIT_SECONDS)
        self._spare = self.driver.current_window_handle
        self._console: list[dict[str, Any]] = []

    def open(self, url: str) -> Tab:
        self.driver.switch_to.window(self._spare)
        self.driver.switch_to.new_window("tab")
        tab = Tab(self.driver, self.driver.current_window_handle)
        self.driver.get(url)
        return tab

    def console(self) -> list[dict[str, Any]]:
        """Everything that was logged so far, by all tabs."""
        self._console += self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return self._console

    def quit(self) -> None:
        self.driver.quit()
        self._profile.cleanup()


class Tab:
    def __init__(self, driver: webdriver.Chrome, handle: str) -> None:
        self._driver = driver
        self._handle = handle
        self.name = "?"

    def join(self, name: str) -> None:
        """Fills in the form as a person does; does not wait for the answer."""
        self.name = name or "the guest"
        self._activate()
        field = self._driver.find_element(By.ID, "name")
        field.clear()
        field.click()
        self._insert(name)
        field.send_keys(Keys.ENTER)

    def say(self, text: str) -> None:
        """Writes a message and presses Enter; lines are parted by Shift+Enter."""
        self.write(text)
        self._driver.find_element(By.ID, "text").send_keys(Keys.ENTER)

    def write(self, text: str) -> None:
        self.until(lambda view: not view.disabled, "the message field can be written to")
        self._driver.find_element(By.ID, "text").click()
        for number, line in enumerate(text.split("\n")):
            if number > 0:
                ActionChains(self._driver).key_down(Keys.SHIFT).send_keys(Keys.ENTER).key_up(Keys.SHIFT).perform()
            self._insert(line)

    def run(self, script: str) -> Any:
        self._activate()
        return self._driver.execute_script(script)

    def view(self) -> View:
        shown = self.run(VIEW)
        shown["messages"] = [Said(**said) for said in shown["messages"]]
        return View(**shown)

    def until(self, holds: Callable[[View], bool], what: str, within: float = WAIT_SECONDS) -> View:
        """Waits until the condition holds for what the tab shows, and returns that."""
        latest: View | None = None

        def look(_: webdriver.Chrome) -> View | None:
            nonlocal latest
            latest = self.view()
            return latest if holds(latest) else None

        try:
            return WebDriverWait(self._driver, within, POLL_SECONDS).until(look)  # type: ignore[return-value]
        except TimeoutException:
            seen = "nothing" if latest is None else summary(latest)
            raise Broken(f"{self.name} waited {within:.0f} s until {what}; sees {seen}", self) from None

    def until_script(self, script: str, what: str) -> None:
        try:
            WebDriverWait(self._driver, WAIT_SECONDS, POLL_SECONDS).until(lambda _: self.run(script))
        except TimeoutException:
            raise Broken(f"{self.name} waited {WAIT_SECONDS:.0f} s until {what}", self) from None

    def reload(self) -> None:
        self._activate()
        self._driver.refresh()

    def close(self) -> None:
        self._activate()
        self._driver.close()

    def picture(self) -> bytes:
        """A PNG."""
        self._activate()
        return self._driver.get_screenshot_as_png()

    def _activate(self) -> None:
        self._driver.switch_to.window(self._handle)

    def _insert(self, text: str) -> None:
        # As an input method does: send_keys knows no characters outside the basic plane.
        self._driver.execute_cdp_cmd("Input.insertText", {"text": text})


def summary(view: View) -> str:
    latest = [f"{said.name}: {said.text[:80]!r}" for said in view.messages[-3:]]
    return f"{view.state}, people {view.people}, latest messages {latest}, latest notices {view.notices[-3:]}"
