// Admits a request only with a whole, known API key in its header.
//
//   app.get("/health", …);                                  // public routes come before it
//   app.use(requireKey((digest) => keysByDigest.get(digest)));
//   app.post("/exports", needsScope("orders:export"), …);
//
// For Express 5.

import { createHash, randomBytes } from "node:crypto";

/** A key, which its owner is shown once, and the digest to store. */
export function newKey(prefix = "sk_") {
  const key = prefix + randomBytes(32).toString("base64url");
  return { key, digest: digest(key) };
}

export function digest(key) {
  return createHash("sha256").update(key).digest("hex");
}

/** The token of `Authorization: Bearer`, for `requireKey(find, bearer)`. */
export function bearer(request) {
  return /^Bearer ([^ ]+)$/i.exec(request.get("authorization") ?? "")?.[1];
}

/** Middleware; the record that `find(digest)` returns is then `request.key`. */
export function requireKey(find, presented = (request) => request.get("x-api-key")) {
  const challenge = presented === bearer ? "Bearer" : "ApiKey";
  return async (request, response, next) => {
    request.key = await find(digest(presented(request) ?? ""));
    if (request.key) return next();
    response.status(401).set("WWW-Authenticate", challenge).json({ error: "unauthorized" });
  };
}

/** Middleware that refuses keys whose record does not list the scope. */
export function needsScope(scope) {
  return (request, response, next) => {
    if (request.key.scopes.includes(scope)) return next();
    response.status(403).json({ error: "forbidden" });
  };
}
