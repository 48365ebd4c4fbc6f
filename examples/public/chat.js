// The chat's page. The server sends JSON, one object a message: `welcome` with everybody who is here, then `join`, `leave`
// and `say`. What a person says goes out as plain text. All that people wrote reaches the page through textContent alone.

import { Connection } from "./connection.js";

const MAX_MESSAGE_BYTES = 2_000; // the endpoint's max message size
const SIZE_SHOWN_FROM = 1_600;
const MAX_LOG_ENTRIES = 500;
const GROUP_WITHIN_MS = 2 * 60_000;
const NAME_KEY = "wsgate-chat-name";

const $ = (id) => document.getElementById(id);
const title = document.title;

let connection = null;
let me = "";
let people = []; // { name, me }: names are not unique
let unconfirmed = []; // texts that were sent and have not come back yet, in order
let lastMessage = null;
let unread = 0;
let followsEnd = true;
let countdown = 0;
let resumeTyping = false;

function enter(name) {
  remember(name);
  document.activeElement.blur(); // a hidden tab would leave the focus in the hidden form
  $("door").hidden = true;
  $("room").hidden = $("leave").hidden = false;
  // Not URLSearchParams: it writes a space as "+", which only forms mean so.
  const url = new URL(`/chat?name=${encodeURIComponent(name.toWellFormed())}`, location.href);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  connection = new Connection(url, { connecting, message: receive, waiting });
  resumeTyping = true;
  connection.open();
}

function leave() {
  connection.close();
  connection = null;
  giveUpUnconfirmed();
  clearInterval(countdown);
  forget();
  setState("out", "Not connected");
  showPeople([]);
  $("room").hidden = $("leave").hidden = $("outage").hidden = true;
  $("door").hidden = false;
  $("name").focus();
}

// The tab keeps its name over a reload; a new tab is only offered the last one. Storage throws where it is blocked, and
// then the page simply asks again.
function remember(name) {
  try {
    sessionStorage.setItem(NAME_KEY, name);
    localStorage.setItem(NAME_KEY, name);
  } catch {}
}

function remembered() {
  try {
    return { here: sessionStorage.getItem(NAME_KEY), last: localStorage.getItem(NAME_KEY) };
  } catch {
    return { here: null, last: null };
  }
}

function forget() {
  try {
    sessionStorage.removeItem(NAME_KEY);
  } catch {}
}

function connecting() {
  clearInterval(countdown);
  $("outage").hidden = true;
  setState("connecting", "Connecting…");
}

function waiting(loss, retryAt) {
  const reason = reasonOf(loss);
  if (document.body.dataset.state === "online") notice("Disconnected:", reason);
  setState("waiting", "Offline");
  showPeople([]);
  giveUpUnconfirmed();
  $("why").textContent = reason;
  const tick = () => {
    const seconds = Math.max(1, Math.ceil((retryAt - Date.now()) / 1_000));
    $("countdown").textContent = `Reconnecting in ${seconds} s`;
  };
  tick();
  clearInterval(countdown);
  countdown = setInterval(tick, 1_000);
  $("outage").hidden = false;
  scrollToEnd();
}

function reasonOf({ opened, code, reason }) {
  // A page is not told why its handshake failed: a 403 and a server that is down look the same to it.
  if (!opened) return `The server refused the connection from ${location.origin}, or cannot be reached.`;
  switch (code) {
    case 1001: return "The server is shutting down.";
    case 1006: return "The connection was lost.";
    case 1009: return "The server found the message too long.";
    case 1013: return "The server has too much to do.";
    default: return `The server closed the connection: ${reason || `code ${code}`}.`;
  }
}

function setState(state, text) {
  document.body.dataset.state = state;
  $("status").textContent = text;
  const online = state === "online";
  // A field that gets disabled loses the focus, and nobody wants to find it again after each outage.
  if (document.activeElement === $("text")) resumeTyping = true;
  $("text").disabled = !online;
  measure();
  if (online && resumeTyping) {
    resumeTyping = false;
    if (document.activeElement === document.body) $("text").focus();
  }
}

function receive(data) {
  const message = JSON.parse(data);
  switch (message.type) {
    case "welcome": return welcome(message);
    case "join": return joined(message);
    case "leave": return left(message);
    case "say": return said(message);
  }
}

function welcome({ name, people: names }) {
  me = name;
  // The list is in order of arrival: of several with my name, I am the last.
  const mine = names.lastIndexOf(name);
  showPeople(names.map((each, index) => ({ name: each, me: index === mine })));
  setState("online", "Connected");
  notice("You joined as", name);
}

function joined({ name }) {
  showPeople([...people, { name, me: false }]);
  notice(name, "joined");
}

function left({ name }) {
  const index = people.findIndex((person) => person.name === name && !person.me);
  if (index >= 0) showPeople(people.toSpliced(index, 1));
  notice(name, "left");
}

function said({ name, text }) {
  const mine = isMine(name, text);
  const now = new Date();
  const entry = fromTemplate("message");
  fillPerson(entry, { name, me: mine });
  entry.querySelector(".text").textContent = text;
  entry.classList.toggle("mine", mine);
  entry.classList.toggle("continued", continues(lastMessage, { name, mine, now }));
  lastMessage = { name, mine, now };
  append(entry, now, mine);
  if (document.hidden) showUnread(unread + 1);
}

// Somebody else may have my name. What I said comes back in the order in which I said it.
function isMine(name, text) {
  const index = name === me ? unconfirmed.indexOf(text) : -1;
  if (index < 0) return false;
  unconfirmed.splice(0, index + 1);
  return true;
}

function continues(last, { name, mine, now }) {
  return last !== null && last.name === name && last.mine === mine && now - last.now < GROUP_WITHIN_MS;
}

function giveUpUnconfirmed() {
  if (unconfirmed.length > 0) notice("Perhaps not delivered:", unconfirmed.join(" · "));
  unconfirmed = [];
}

function showPeople(list) {
  people = list;
  $("here-count").textContent = people.length || "";
  $("people").replaceChildren(...people.map((person) => {
    const item = fromTemplate("person");
    fillPerson(item, person);
    return item;
  }));
}

function fillPerson(element, { name, me: mine }) {
  element.querySelector(".who").textContent = name;
  element.querySelector(".you").hidden = !mine;
  element.querySelector(".face").textContent = [...name][0]?.toUpperCase() ?? "";
  element.style.setProperty("--hue", hueOf(name));
}

// The same name has the same colour for everybody.
function hueOf(name) {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + character.codePointAt(0)) % 0x7fffffff;
  return hash % 360;
}

function notice(...words) {
  const entry = fromTemplate("notice");
  entry.querySelector(".text").textContent = words.join(" ");
  lastMessage = null;
  append(entry, new Date(), false);
}

function append(entry, now, mine) {
  const time = entry.querySelector("time");
  time.dateTime = now.toISOString();
  time.textContent = now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const log = $("log");
  log.append(entry);
  while (log.childElementCount > MAX_LOG_ENTRIES) log.firstElementChild.remove();
  if (followsEnd || mine) scrollToEnd();
  else $("newer").hidden = false;
}

function scrollToEnd() {
  $("log").scrollTop = $("log").scrollHeight;
}

function noticeScroll() {
  const log = $("log");
  followsEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  if (followsEnd) $("newer").hidden = true;
}

function showUnread(count) {
  unread = count;
  document.title = count > 0 ? `(${count}) ${title}` : title;
}

function fromTemplate(id) {
  return $(id).content.firstElementChild.cloneNode(true);
}

function say() {
  // A lone surrogate goes out as U+FFFD and has to be recognised when it comes back.
  const text = $("text").value.toWellFormed();
  if ($("send").disabled || !connection.send(text)) return;
  unconfirmed.push(text);
  $("text").value = "";
  measure();
  $("text").focus();
}

function measure() {
  const bytes = new TextEncoder().encode($("text").value).length;
  const tooLong = bytes > MAX_MESSAGE_BYTES;
  $("size").textContent = bytes < SIZE_SHOWN_FROM ? ""
    : `${bytes.toLocaleString()} of ${MAX_MESSAGE_BYTES.toLocaleString()} bytes${tooLong ? ": too long" : ""}`;
  $("text").setAttribute("aria-invalid", tooLong);
  $("send").disabled = $("text").disabled || tooLong || $("text").value.trim() === "";
}

$("join").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("name").value.trim());
});
$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  say();
});
$("text").addEventListener("input", measure);
$("text").addEventListener("keydown", (event) => {
  // While an input method composes, Enter chooses a candidate.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("say").requestSubmit();
});
$("leave").addEventListener("click", leave);
$("retry").addEventListener("click", () => connection.open());
$("newer").addEventListener("click", scrollToEnd);
$("log").addEventListener("scroll", noticeScroll);
new ResizeObserver(() => followsEnd && scrollToEnd()).observe($("log"));
window.addEventListener("online", () => {
  if (document.body.dataset.state === "waiting") connection.open();
});
document.addEventListener("visibilitychange", () => document.hidden || showUnread(0));

const { here, last } = remembered();
$("name").value = here ?? last ?? "";
setState("out", "Not connected");
if (here !== null) enter(here);
