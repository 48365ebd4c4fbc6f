"""What the chat promises to two people who talk in two tabs: each promise is a function of their conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote

from chat_server import ChatServer
from foreign_page import ForeignPage
from tabs import Broken, Browser, Tab

ADA, GRACE = "Ada", "Grace"
MAX_MESSAGE_BYTES = 2_000
# A page's pauses double while the server is away: this is more than an outage of some seconds leads to.
RECONNECT_SECONDS = 30.0

SPECIAL = {
    "markup": "<b>bold</b> <img src=x onerror=\"document.title='injected'\"> &amp; </script>",
    "quotes": "\"double\" 'single' `back` „German“",
    "backslashes": 'C:\\new\\table \\u0041 \\" \\\\',
    "emoji": "👋🏽 👩‍👩‍👧 🦀",
    "scripts": "Łódź ελληνικά 日本語 עברית",
    "lines": "first\n\n  third, indented\nfourth",
    "tab": "before\tafter",
    "json": '{"type":"leave","name":"Ada"}',
}


class Conversation:
    """Ada and Grace in their tabs, and the server that they talk through."""

    def __init__(self, server: ChatServer, browser: Browser) -> None:
        self.server = server
        self.browser = browser
        self.ada = browser.open(server.url)
        self.grace = browser.open(server.url)
        self.foreign_origins: list[str] = []
        self.logged_before_the_outage = 0

    @property
    def tabs(self) -> tuple[Tab, Tab]:
        return self.ada, self.grace

    def say(self, speaker: Tab, text: str) -> None:
        """Says it, and waits until it is the latest message in both tabs."""
        speaker.say(text)
        for tab in self.tabs:
            tab.until(lambda view: view.texts()[-1:] == [text], f"{speaker.name}'s {text[:80]!r} is the latest message")

    @contextmanager
    def visitor(self, typed: str, name: str, url: str | None = None) -> Iterator[Tab]:
        """A third person, who types one name and is known by another, from joining to leaving."""
        third = self.browser.open(url or self.server.url)
        try:
            third.join(typed)
            third.until(lambda view: view.people == [ADA, GRACE, name] and view.me == [name], f"{name!r} is here")
            for tab in self.tabs:
                tab.until(lambda view: view.people == [ADA, GRACE, name], f"{name!r} is listed")
                tab.until(lambda view: view.notices[-1:] == [f"{name} joined"], f"{name!r} is said to have joined")
            yield third
        finally:
            third.close()
        for tab in self.tabs:
            tab.until(lambda view: view.people == [ADA, GRACE], f"{name!r} is no longer listed")
            tab.until(lambda view: view.notices[-1:] == [f"{name} left"], f"{name!r} is said to have left")


def both_tabs_see_both_people(talk: Conversation) -> None:
    talk.ada.join(ADA)
    talk.ada.until(lambda view: view.people == [ADA] and view.me == [ADA], "Ada is here alone")
    talk.grace.join(GRACE)
    talk.grace.until(lambda view: view.people == [ADA, GRACE] and view.me == [GRACE], "both are listed")
    talk.ada.until(lambda view: view.people == [ADA, GRACE] and view.me == [ADA], "both are listed")
    talk.ada.until(lambda view: f"{GRACE} joined" in view.notices, "Grace is said to have joined")


def what_one_says_the_other_sees_both_ways_in_order(talk: Conversation) -> None:
    earlier = {tab: len(tab.view().messages) for tab in talk.tabs}
    turns = [(talk.tabs[number % 2], f"message {number}") for number in range(20)]
    for speaker, text in turns:
        talk.say(speaker, text)
    for tab in talk.tabs:
        seen = [(said.name, said.text, said.mine) for said in tab.view().messages[earlier[tab] :]]
        if seen != [(speaker.name, text, speaker is tab) for speaker, text in turns]:
            raise Broken(f"{tab.name} sees {seen}", tab)


def special_characters_arrive_as_text(talk: Conversation) -> None:
    for number, (kind, text) in enumerate(SPECIAL.items()):
        talk.say(talk.tabs[number % 2], text)
        for tab in talk.tabs:
            if tab.view().messages[-1].markup:
                raise Broken(f"{kind} became markup for {tab.name}", tab)
    for tab in talk.tabs:
        if tab.run("return document.title").endswith("injected"):
            raise Broken(f"a message ran as a script for {tab.name}", tab)


def the_longest_message_arrives_and_a_longer_one_is_not_sent(talk: Conversation) -> None:
    longest = "ü" * (MAX_MESSAGE_BYTES // 2)
    talk.say(talk.ada, longest)
    talk.grace.write(longest + "!")
    if not talk.grace.run("return document.getElementById('send').disabled"):
        raise Broken("the page would send more than the server takes", talk.grace)
    talk.grace.run("""
        const text = document.getElementById("text");
        text.value = "";
        text.dispatchEvent(new Event("input"));
    """)


def a_third_tab_is_seen_to_join_and_to_leave(talk: Conversation) -> None:
    # By its other name: the chat allows pages from localhost, too.
    with talk.visitor("Barbara", "Barbara", talk.server.url.replace("127.0.0.1", "localhost")) as barbara:
        talk.say(talk.ada, "Hello, Barbara")
        barbara.until(lambda view: view.texts() == ["Hello, Barbara"], "only what is said since then is seen")


def a_name_may_have_special_characters(talk: Conversation) -> None:
    name = '<i>Zoë</i> + "\\" & 50 % 🦀'
    with talk.visitor(name, name) as zoe:
        zoe.say("hello")
        for tab in talk.tabs:
            view = tab.until(lambda view: view.texts()[-1:] == ["hello"], "the greeting is seen")
            if view.messages[-1].name != name or view.messages[-1].markup:
                raise Broken(f"the name became {view.messages[-1].name!r}", tab)


def who_gives_no_name_is_a_guest(talk: Conversation) -> None:
    with talk.visitor("", "guest-1"):
        pass


def a_reloaded_tab_comes_back_under_its_name(talk: Conversation) -> None:
    talk.grace.reload()
    talk.grace.until(lambda view: view.people == [ADA, GRACE] and view.me == [GRACE], "Grace is back")
    talk.ada.until(lambda view: view.people == [ADA, GRACE], "Grace is listed once")
    # Two connections of one browser: the new one may be there before the old one is gone.
    told = [f"{GRACE} joined", f"{GRACE} left"]
    talk.ada.until(lambda view: sorted(view.notices[-2:]) == told, "her return is told")


def a_page_of_a_foreign_origin_is_refused_and_the_chat_goes_on(talk: Conversation) -> None:
    notices = {tab: tab.view().notices for tab in talk.tabs}
    with ForeignPage() as page:
        talk.foreign_origins.append(page.origin)
        target = f"ws://{talk.server.address}/chat?name=Mallory"
        tab = talk.browser.open(f"{page.origin}/?{quote(target, safe='')}")
        tab.name = "Mallory"
        try:
            tab.until_script("return document.title !== 'waiting'", "the connection opened or failed")
            outcome = tab.run("return document.title")
            if outcome != "refused":
                raise Broken(f"the foreign page's connection is {outcome}", tab)
            # The page cannot know why, the console does.
            logged = [entry["message"] for entry in talk.browser.console() if entry["message"].startswith(page.origin)]
            if not any("403" in message for message in logged):
                raise Broken(f"the refusal is no 403: {logged}", tab)
        finally:
            tab.close()
    talk.say(talk.ada, "Who was that?")
    talk.say(talk.grace, "Nobody.")
    for each in talk.tabs:
        if each.view().notices != notices[each]:
            raise Broken(f"{each.name} was told of somebody who was refused", each)


def a_stopped_server_says_so_and_the_tabs_wait_for_it(talk: Conversation) -> None:
    talk.logged_before_the_outage = len(talk.browser.console())
    status = talk.server.stop()
    for tab in talk.tabs:
        tab.until(lambda view: view.outage and view.disabled and view.people == [], "the outage shows")
        tab.until(
            lambda view: view.notices[-1:] == ["Disconnected: The server is shutting down."],
            "it is said that the server is shutting down (1001)",
        )
        tab.until_script(
            """
            if (document.body.dataset.state !== "waiting") return false;
            if (!/^Reconnecting in \\d+ s$/.test(document.getElementById("countdown").textContent)) return false;
            document.getElementById("retry").click();
            return document.body.dataset.state === "connecting";
            """,
            "a countdown runs, and 'Try now' tries at once",
        )
    if status != 0:
        raise Broken(f"the server ended with {status}; it printed:\n{talk.server.tail()}")


def after_a_restart_both_tabs_come_back_and_chat_again(talk: Conversation) -> None:
    talk.server.start()
    for tab in talk.tabs:
        tab.until(lambda view: sorted(view.people) == [ADA, GRACE], "both are back by themselves", RECONNECT_SECONDS)
    talk.say(talk.ada, "Are you still there?")
    talk.say(talk.grace, "I am.")


def the_console_shows_no_errors(talk: Conversation) -> None:
    console = talk.browser.console()
    unexpected = []
    for number, entry in enumerate(console):
        if entry["level"] not in ("SEVERE", "WARNING") or entry["message"].startswith(tuple(talk.foreign_origins)):
            continue
        # By itself the browser logs each attempt that fails while there is no server. The driver does not stamp entries
        # with their own time, but keeps their order.
        if number >= talk.logged_before_the_outage and "WebSocket connection to" in entry["message"]:
            continue
        unexpected.append(entry["message"])
    if unexpected:
        raise Broken("; ".join(unexpected))


PROMISES: list[Callable[[Conversation], None]] = [
    both_tabs_see_both_people,
    what_one_says_the_other_sees_both_ways_in_order,
    special_characters_arrive_as_text,
    the_longest_message_arrives_and_a_longer_one_is_not_sent,
    a_third_tab_is_seen_to_join_and_to_leave,
    a_name_may_have_special_characters,
    who_gives_no_name_is_a_guest,
    a_reloaded_tab_comes_back_under_its_name,
    a_page_of_a_foreign_origin_is_refused_and_the_chat_goes_on,
    a_stopped_server_says_so_and_the_tabs_wait_for_it,
    after_a_restart_both_tabs_come_back_and_chat_again,
    the_console_shows_no_errors,
]
