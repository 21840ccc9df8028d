// Admits a request only if one of our clients signed all of it, just now, and for the first time.
//
//   const secrets = new Map([["acme", process.env.ACME_SIGNING_SECRET]]);
//   app.use(requireSignature((keyId) => secrets.get(keyId)));
//
// For Express 5. It stands in place of express.json(): the body that is parsed is the body that was signed.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const WINDOW_SECONDS = 120;
const MOST_BYTES = 1024 * 1024;

/** Nonces seen within twice the window, in this process. */
export function nonces() {
  const expiry = new Map();
  return (nonce) => {
    const now = Date.now();
    for (const [seen, until] of expiry) {
      if (until > now) break;
      expiry.delete(seen);
    }
    if (expiry.has(nonce)) return false;
    expiry.set(nonce, now + 2000 * WINDOW_SECONDS);
    return true;
  };
}

/**
 * Middleware that verifies each request. `secretOf(keyId)` is the client's secret or undefined;
 * `firstUse(text)` is true once. The key id is then `request.client`, the bytes `request.rawBody`.
 */
export function requireSignature(secretOf, firstUse = nonces()) {
  return async (request, response, next) => {
    const body = await bodyOf(request);
    if (!body) return response.status(413).json({ error: "content too large" });
    request.client = await signer(request, body, secretOf, firstUse);
    if (!request.client) {
      return response.status(401).set("WWW-Authenticate", "HMAC").json({ error: "unauthorized" });
    }
    request.rawBody = body;
    try {
      if (request.is("json")) request.body = JSON.parse(body);
    } catch {
      return response.status(400).json({ error: "bad request" });
    }
    next();
  };
}

async function bodyOf(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length <= MOST_BYTES) chunks.push(chunk);
  }
  return length <= MOST_BYTES ? Buffer.concat(chunks) : null;
}

/** The key id of the client that signed the request, or undefined. */
async function signer(request, body, secretOf, firstUse) {
  const names = ["x-key-id", "x-timestamp", "x-nonce", "x-signature"];
  const [keyId, timestamp, nonce, signature] = names.map((name) => request.get(name) ?? "");
  const secret = await secretOf(keyId);
  if (!secret || !/^[0-9]{10}$/.test(timestamp)) return;
  if (!/^[\w-]{16,64}$/.test(nonce) || !/^[0-9a-f]{64}$/.test(signature)) return;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > WINDOW_SECONDS) return;
  const { host = "", "content-type": type = "" } = request.headers;
  const digest = createHash("sha256").update(body).digest("hex");
  const lines = ["v1", keyId, timestamp, nonce, request.method, host, request.originalUrl, type, digest];
  const expected = createHmac("sha256", secret).update(lines.join("\n"), "latin1").digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, "hex"))) return;
  // Last, so that only signed requests fill the store.
  return (await firstUse(`${keyId} ${nonce}`)) ? keyId : undefined;
}
