// Sends messages to an echo server and compares what comes back, byte for byte. Runs in a browser and in node alike:
// a driver brings `connect`, which resolves to an open WebSocket whose binaryType is "arraybuffer", and `send`.
globalThis.exchange = async function exchange({ connect, send, compressed, seed, rounds, large }) {
  // xorshift32: the same messages for the same seed.
  let state = (seed * 2654435761) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>>= 0);
  };
  const below = (bound) => next() % bound;

  const random = (size) => {
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at++) bytes[at] = next() >>> 11;
    return bytes;
  };
  const repetitive = (size) => new Uint8Array(size).fill(0x61 + below(26));
  const mixed = (size) => {
    // Runs that recur, between bytes that don't.
    const bytes = random(size);
    for (let at = 64; at + 300 < size; at += 100 + below(400)) bytes.copyWithin(at, at - 64 + below(32), at + 32 + below(100));
    return bytes;
  };
  const rows = (size) => {
    let text = "";
    while (text.length < size) text += `{"id":${below(1e6)},"name":"n${below(9)}","price":${below(1e4) / 100}},`;
    return text.slice(0, size);
  };
  const signs = (size) => {
    // 5 bytes for 3 characters. Of long ones the same comes again, farther apart than any window reaches.
    const parts = [];
    const length = Math.floor((size * 3) / 5);
    for (let at = 0; at < Math.min(length, 1 << 17); at++) parts.push(String.fromCodePoint(below(3) ? below(128) : 0xa0 + below(0xd000)));
    parts.push(String.fromCodePoint(0x1f600 + below(60)));
    const text = parts.join("");
    return text.repeat(1 + Math.floor(length / (parts.length + 1)));
  };
  const kinds = [random, repetitive, mixed, rows, signs];

  const queue = [];
  let waiting = null;
  const socket = await connect();
  const deliver = (item) => {
    const resolve = waiting;
    waiting = null;
    if (resolve) resolve(item);
    else queue.push(item);
  };
  socket.onmessage = (event) => deliver({ data: event.data });
  socket.onclose = (event) => deliver({ closed: `closed with ${event.code} ${event.reason}` });
  const receive = async () => {
    const item = queue.length > 0 ? queue.shift() : await new Promise((resolve) => (waiting = resolve));
    if (item.closed) throw new Error(item.closed);
    return item.data;
  };
  const check = (sent, came, what) => {
    if (typeof sent === "string") {
      if (sent === came) return;
    } else if (came instanceof ArrayBuffer && came.byteLength === sent.length) {
      const bytes = new Uint8Array(came);
      let at = 0;
      while (at < sent.length && bytes[at] === sent[at]) at++;
      if (at === sent.length) return;
    }
    throw new Error(`${what}: ${sent.length} came back as ${typeof came} of ${came.length ?? came.byteLength}`);
  };

  if (socket.extensions.includes("permessage-deflate") !== compressed) throw new Error(`agreed upon: "${socket.extensions}"`);
  let count = 0;
  const exchangeAll = async (messages) => {
    for (const [message] of messages) send(socket, message, below);
    for (const [message, what] of messages) check(message, await receive(), what);
    count += messages.length;
  };
  const sizes = [0, 1, 5, 125, 126, 1000, 4096, 32768, 65535, 65536, 300000];
  for (const size of sizes) {
    for (const make of kinds) await exchangeAll([[make(size), `${make.name} of ${size}`]]);
  }
  for (let round = 0; round < rounds; round++) {
    // Several at once, of any size, the short ones more often.
    const messages = [];
    for (let n = 1 + below(8); n > 0; n--) {
      const make = kinds[below(kinds.length)];
      const size = below(1 << below(18));
      messages.push([make(size), `round ${round}, ${make.name} of ${size}`]);
    }
    await exchangeAll(messages);
  }
  if (large > 0) {
    for (const make of kinds) await exchangeAll([[make(large), `${make.name} of ${large}`]]);
    for (let round = 0; round < Math.floor(rounds / 4); round++) {
      const make = kinds[below(kinds.length)];
      const size = below(large >>> below(9));
      await exchangeAll([[make(size), `long round ${round}, ${make.name} of ${size}`]]);
    }
  }
  socket.onclose = null;
  socket.close(1000);
  return { count, extensions: socket.extensions };
};
