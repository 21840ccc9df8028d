// The orders API behind every verifier: who may call is the verifier's business, the rest is here.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import { describe } from "./description.mjs";
import { newFiles, ORDERS } from "./records.mjs";

const LARGEST_BODY = 1 << 20;
const REASONS = { 400: "bad request", 404: "not found", 405: "method not allowed", 413: "body too large" };

class Fault extends Error {
  constructor(status) {
    super(REASONS[status]);
    this.status = status;
  }
}

/** The server of one verifier, not yet listening. */
export function ordersApi(entry) {
  const files = newFiles();
  const state = { files, answer: (fields) => (entry.errors.style === "ok-false" ? { ok: true, ...fields } : fields) };
  return createServer(async (request, response) => {
    try {
      const answered = await respond(entry, state, request);
      send(response, request, answered);
    } catch (error) {
      const status = error instanceof Fault ? error.status : 500;
      send(response, request, fault(entry.errors, status));
    }
  });
}

async function respond(entry, state, request) {
  request.tenant = "northwind";
  const path = request.url.split("?")[0];
  if (path === "/health") return json(200, state.answer({ status: "up" }));
  if (path === "/openapi.json") return json(200, describe(entry));
  const view = route(entry, state, request, path);
  if (entry.guards === "routes" && !view) throw new Fault(404);
  if (entry.early) await entry.early(request, state);
  const body = request.collected ?? (await read(request));
  const verdict = await entry.verify(request, body);
  if (verdict !== true) {
    await wait(entry.errors.delay_ms);
    return refusal(entry.errors, entry.errors.status, verdict === false ? entry.errors.text : verdict);
  }
  if (!view) throw new Fault(404);
  return view(body);
}

function route(entry, state, request, path) {
  const method = request.method === "HEAD" ? "GET" : request.method;
  const own = entry.route?.(request, path, state);
  if (own) return (body) => json(200, state.answer(own(body)));
  const ordered = () => ORDERS.filter((order) => order.owner === request.tenant);
  const order = /^\/orders\/(\d{1,9})$/.exec(path);
  const answering = (make) => (body) => json(200, state.answer(make(body)));
  if (path === "/orders" && method === "GET") return answering(() => ({ orders: ordered() }));
  if (order && method === "GET") {
    return answering(() => {
      const found = ordered().find(({ id }) => id === Number(order[1]));
      if (!found) throw new Fault(404);
      return found;
    });
  }
  if (path === "/search" && method === "GET") {
    const words = new URLSearchParams(request.url.split("?")[1]).get("q") ?? "";
    return answering(() => ({
      query: words,
      found: ordered().filter(({ item }) => item.includes(words.toLowerCase())),
    }));
  }
  if (path === "/echo" && method === "POST") return answering((body) => received(request, body));
  if (entry.files && path.startsWith("/files/")) return file(state, method, path);
  return null;
}

/** A file's name is the path as it was sent: %2F is a part of a name, / is not. */
function file(state, method, path) {
  const name = path.slice("/files/".length);
  if (method === "GET") {
    return () => {
      if (!state.files.has(name)) throw new Fault(404);
      return { status: 200, type: "application/octet-stream", body: state.files.get(name) };
    };
  }
  if (method !== "PUT") return null;
  return (body) => {
    if (state.files.size >= 1000) throw new Fault(400);
    state.files.set(name, body);
    return json(200, state.answer({ path: name, bytes: body.length, sha256: sha256(body) }));
  };
}

function received(request, body) {
  const type = (request.headers["content-type"] ?? "").split(";")[0];
  let fields = {};
  if (type === "application/json") {
    try {
      fields = JSON.parse(body.toString());
    } catch {
      throw new Fault(400);
    }
  }
  if (type === "application/x-www-form-urlencoded") fields = Object.fromEntries(new URLSearchParams(body.toString()));
  return { method: request.method, bytes: body.length, sha256: sha256(body), fields };
}

export async function read(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > LARGEST_BODY) throw new Fault(413);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function refusal({ style }, status, text) {
  switch (style) {
    case "json":
      return json(status, { error: text });
    case "coded":
      return json(status, {
        error: { code: status >= 500 ? "SERVER_ERROR" : "REQUEST_REFUSED", message: text },
        success: false,
      });
    case "ok-false":
      return json(status, { ok: false, error: text });
    case "problem":
      return json(status, { type: "about:blank", title: text, status }, "application/problem+json");
    case "text":
      return { status, type: "text/plain; charset=utf-8", body: `${text}\n` };
    case "html":
      return {
        status,
        type: "text/html; charset=utf-8",
        body: `<!doctype html>\n<title>${status}</title>\n<p>${text}</p>\n`,
      };
  }
  throw new Error(`unknown error style ${style}`);
}

function fault(errors, status) {
  const text = REASONS[status] ?? "internal server error";
  if (errors.style === "ok-false" && status < 500) return json(200, { ok: false, error: text.replaceAll(" ", "_") });
  return refusal(errors, status, text);
}

function json(status, value, type = "application/json") {
  return { status, type, body: JSON.stringify(value) };
}

function send(response, request, { status, type, body }) {
  const bytes = Buffer.from(body);
  const headers = { "Content-Type": type, "Content-Length": bytes.length, "Cache-Control": "no-store" };
  // What was not read of a refused body would be taken for the next request.
  if (!request.complete) headers.Connection = "close";
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : bytes);
}

export function sha256(bytes, encoding = "hex") {
  return createHash("sha256").update(bytes).digest(encoding);
}
