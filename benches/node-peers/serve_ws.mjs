// npm's ws. node serve_ws.mjs MODULES MODE PORT
import { createRequire } from "node:module";

const [modules, mode, port] = process.argv.slice(2);
const { WebSocketServer } = createRequire(`${modules}/`)("ws");

// Each message for itself, or with takeover, which is its default.
const how = process.env.DEFLATE;
const shared = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const perMessageDeflate = how ? { threshold: 0, ...(how === "shared" ? shared : {}) } : false;

const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port), perMessageDeflate, maxPayload: 64 << 20 });
server.on("connection", (client) => {
  client.on("error", () => {});
  client.on("message", (data, binary) => {
    if (mode === "echo") client.send(data, { binary });
    else for (const each of server.clients) each.send(data, { binary });
  });
});
