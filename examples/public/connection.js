// A WebSocket that comes back: when it is lost it tries again, each time after a longer pause, until it is closed.

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

// A connection that is lost sooner counts as one more failure, so that a server which accepts and then throws everybody
// out is not asked again every second.
const STABLE_MS = 5_000;

// Browsers wait minutes for an answer to the handshake.
const HANDSHAKE_MS = 10_000;

export class Connection {
  #url;
  #on;
  #socket = null;
  #timer = 0;
  #failures = 0;

  /**
   * `on.connecting()` comes with each attempt, `on.message(data)` with each message, and `on.waiting(loss, retryAt)` with
   * each loss, where `loss` is `{ opened, code, reason }` and `retryAt` the time of the next attempt by `Date.now()`.
   */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
  }

  /** Connects now, whatever pause there was still to wait. */
  open() {
    this.#forget();
    const socket = new WebSocket(this.#url);
    let opened = false;
    socket.onopen = () => {
      opened = true;
      this.#after(STABLE_MS, () => { this.#failures = 0; });
    };
    socket.onmessage = (event) => this.#on.message(event.data);
    socket.onclose = (event) => this.#wait({ opened, code: event.code, reason: event.reason });
    this.#socket = socket;
    this.#after(HANDSHAKE_MS, () => socket.close());
    this.#on.connecting();
  }

  /** Whether the text was handed to an open socket. That it arrived is only known when the server sends it back. */
  send(text) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(text);
    return true;
  }

  /** Closes for good; no event follows. */
  close() {
    this.#forget();
  }

  #wait(loss) {
    this.#forget();
    const pause = pauseAfter(this.#failures);
    this.#failures += 1;
    this.#after(pause, () => this.open());
    this.#on.waiting(loss, Date.now() + pause);
  }

  #after(milliseconds, action) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, milliseconds);
  }

  #forget() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = null;
  }
}

// Doubles with each failure. The jitter keeps the clients of a server that went down from coming back all at once.
function pauseAfter(failures) {
  const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures);
  return pause * (0.5 + Math.random() / 2);
}
