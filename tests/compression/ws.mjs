// node ws.mjs MODULES: reads plans (plan.py), one a line, and answers each with {count, extensions} or
// {error}. MODULES is the directory with the npm package `ws`.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import "./exchange.js";

const WebSocket = createRequire(`${process.argv[2]}/`)("ws");

const connect = (uri, offer) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(uri, { perMessageDeflate: { threshold: 0, ...offer }, maxPayload: 0 });
    socket.binaryType = "arraybuffer";
    socket.onopen = () => resolve(socket);
    socket.onerror = (event) => reject(new Error(event.message));
  });

// Whole, or in as many fragments as there happen to be.
const send = (socket, message, below) => {
  const binary = typeof message !== "string";
  let rest = Buffer.from(message);
  while (rest.length > 1 && below(2) === 0) {
    const cut = 1 + below(rest.length - 1);
    socket.send(rest.subarray(0, cut), { binary, fin: false });
    rest = rest.subarray(cut);
  }
  socket.send(rest, { binary, fin: true });
};

for await (const line of createInterface({ input: process.stdin })) {
  const { uri, offer, ...plan } = JSON.parse(line);
  let answer;
  try {
    answer = await globalThis.exchange({ connect: () => connect(uri, offer), send, ...plan });
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
}
