// What a scan does not reach in the JavaScript files of `remedies/`, by calling it.
//
//   NODE_PATH=FOLDER/node_modules node --test e2e/remedies.test.mjs

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { newKey, needsScope, requireKey } from "../remedies/api-key-lookup/express.mjs";
import { only } from "../remedies/declared-fields/express.mjs";
import { limitTries } from "../remedies/rate-limit/express.mjs";
import { secret } from "../remedies/secret-from-environment/node.mjs";

const require = createRequire(import.meta.url);
const express = require("express");
const { SignJWT } = await import(pathToFileURL(require.resolve("jose")));

// `import` finds jose only beside the importing file, so the file goes where jose is.
const besideJose = resolve(process.env.NODE_PATH, "../jwt-verification.mjs");
copyFileSync(new URL("../remedies/jwt-verification/express.mjs", import.meta.url), besideJose);
const { tokensOf } = await import(pathToFileURL(besideJose));

const SECRET = "Xq7vTz1nWc4LrYp0KfJs8HbGmDe5Ua29Rt3iNo6xQvBk2SwZhPy7jCuEl8gMdA4f";
const RULE = { issuer: "https://shop.example", audience: "orders-api" };

/** Statuses of requests to an application, one after the other. */
async function statuses(app, requests) {
  const server = await new Promise((listening) => {
    const server = app.listen(0, "127.0.0.1", () => listening(server));
  });
  const found = [];
  for (const { path, headers } of requests) {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers });
    found.push(answer.status);
    await answer.arrayBuffer();
  }
  server.closeAllConnections();
  server.close();
  return found;
}

test("tokens are verified by the rule alone", async () => {
  const tokens = tokensOf(SECRET, RULE);
  const app = express();
  app.get("/me", tokens.required, (request, response) => response.json(request.subject));
  const key = new TextEncoder().encode(SECRET);
  const good = { sub: "alice", iss: RULE.issuer, aud: RULE.audience };
  const token = (claims, { alg = "HS256", end = "5m", by = key } = {}) => {
    const made = new SignJWT({ ...good, ...claims }).setProtectedHeader({ alg }).setIssuedAt();
    return (end ? made.setExpirationTime(end) : made).sign(by);
  };
  const unsigned = Buffer.from('{"alg":"none"}').toString("base64url");
  const payload = (await tokens.issue("alice")).split(".")[1];
  const refused = {
    expired: await token({}, { end: "-1m" }),
    "without an end": await token({}, { end: null }),
    "for another audience": await token({ aud: "billing-api" }),
    "of another issuer": await token({ iss: "https://evil.example" }),
    "of another secret": await token({}, { by: key.toReversed() }),
    "of another algorithm": await token({}, { alg: "HS512" }),
    unsigned: `${unsigned}.${payload}.`,
    "none at all": "",
  };
  const bearer = (text) => ({ path: "/me", headers: { Authorization: `Bearer ${text}` } });
  assert.deepEqual(await statuses(app, [bearer(await tokens.issue("alice")), bearer(await token({}))]), [200, 200]);
  for (const [why, text] of Object.entries(refused)) assert.deepEqual(await statuses(app, [bearer(text)]), [401], why);
  assert.throws(() => tokensOf("secret", RULE));
});

test("the limit stops failures, and what succeeds is not counted", async () => {
  const app = express();
  app.get("/login", limitTries({ most: 2, seconds: 60 }), (request, response) => {
    response.sendStatus(request.query.password === "right" ? 200 : 401);
  });
  const words = ["right", "right", "right", "wrong", "wrong", "right"];
  const requests = words.map((word) => ({ path: `/login?password=${word}` }));
  assert.deepEqual(await statuses(app, requests), [200, 200, 200, 401, 401, 429]);
});

test("a key needs to be whole and to have the scope", async () => {
  const { key, digest } = newKey();
  const app = express();
  app.use(requireKey((presented) => (presented === digest ? { scopes: ["orders:read"] } : undefined)));
  app.get("/read", needsScope("orders:read"), (request, response) => response.sendStatus(200));
  app.get("/export", needsScope("orders:export"), (request, response) => response.sendStatus(200));
  const by = (path, text) => ({ path, headers: { "X-API-Key": text } });
  const requests = [by("/read", key), by("/export", key), by("/read", key.slice(0, -1)), { path: "/read" }];
  assert.deepEqual(await statuses(app, requests), [200, 403, 401, 401]);
});

test("members below are picked too", () => {
  const record = { id: 7, cost: 3, owner: { name: "acme", api_key: "k" }, lines: [{ item: "a", margin: 2 }] };
  const fields = { id: true, owner: ["name"], lines: ["item"], absent: true };
  assert.deepEqual(only(fields, record), { id: 7, owner: { name: "acme" }, lines: [{ item: "a" }] });
});

test("weak secrets end the program and are not repeated", () => {
  process.env.SIGNING_SECRET = SECRET;
  assert.equal(secret("SIGNING_SECRET"), SECRET);
  for (const weak of ["", "changeme", "{{shared_secret}}", "a".repeat(40), `change-me-${SECRET}`]) {
    process.env.SIGNING_SECRET = weak;
    assert.throws(() => secret("SIGNING_SECRET"), (error) => !weak || !error.message.includes(weak));
  }
});
