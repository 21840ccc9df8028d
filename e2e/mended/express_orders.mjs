// The orders API in Express: careless, or with the remedies that are named.
//
//   node e2e/mended/express_orders.mjs PORT keyed|signed [REMEDY...]

import { createHmac, createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { digest, requireKey } from "../../remedies/api-key-lookup/express.mjs";
import { allowOrigins } from "../../remedies/cors-allow-list/express.mjs";
import { only } from "../../remedies/declared-fields/express.mjs";
import { genericErrors, notFound } from "../../remedies/generic-errors/express.mjs";
import { forbidStoring } from "../../remedies/no-store-answers/express.mjs";
import { securityHeaders } from "../../remedies/security-headers/express.mjs";
import { requireSignature } from "../../remedies/verify-signature/express.mjs";

// `require` looks into NODE_PATH, where `cargo xtask test` puts Express; `import` does not.
const express = createRequire(import.meta.url)("express");

const [port, guard, ...remedies] = process.argv.slice(2);
const mended = (name) => remedies.includes(name);
const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url)));
const orders = read("orders.json");
const keys = { acme: process.env.ACME_KEY, globex: process.env.GLOBEX_KEY };
const secrets = new Map([["acme", process.env.ACME_SECRET]]);
const client = (name) => ({ name, plan: "wholesale", api_key: keys[name] });

const app = express();
app.set("env", mended("generic-errors") ? "production" : "development");
app.use(mended("cors-allow-list") ? allowOrigins(["https://shop.example"], { headers: "X-API-Key" }) : reflectEveryOrigin);
if (mended("no-store-answers")) app.use(forbidStoring);
if (mended("security-headers")) app.use(securityHeaders);
app.get("/openapi.json", (request, response) => response.json(read(`openapi.${guard}.json`)));

if (mended("verify-signature")) {
  app.use(requireSignature((keyId) => secrets.get(keyId)));
} else if (mended("api-key-lookup")) {
  const byDigest = new Map(Object.entries(keys).map(([name, key]) => [digest(key), client(name)]));
  app.use(requireKey((presented) => byDigest.get(presented)));
} else if (guard === "signed") {
  app.use(express.text({ type: () => true }), signedAsInTheArticle);
} else {
  app.use(keyInTheList);
}

const own = (request) => orders[guard === "keyed" ? request.key.name : "acme"];
app.get("/orders", (request, response) => response.json({ orders: own(request) }));
app.get("/orders/:number", (request, response) => {
  if (!/^\d{1,9}$/.test(request.params.number)) throw Object.assign(new Error("no number"), { status: 400 });
  const found = own(request).find((order) => order.id === Number(request.params.number));
  if (!found) return response.status(404).json({ error: "not found" });
  response.json(found);
});
app.get("/search", (request, response) => {
  response.json({ orders: own(request).filter((order) => order.item.includes(request.query.q)) });
});
app.post("/echo", (request, response) => {
  const body = typeof request.body === "string" ? JSON.parse(request.body) : request.body;
  response.json({ received: body });
});
app.get("/profile", (request, response) => {
  response.json(mended("declared-fields") ? only(["name", "plan"], request.key) : request.key);
});
if (mended("generic-errors")) app.use(notFound, genericErrors());

app.listen(Number(port), "127.0.0.1");

function reflectEveryOrigin(request, response, next) {
  response.set("Access-Control-Allow-Origin", request.get("origin") ?? "*");
  response.set("Access-Control-Allow-Credentials", "true");
  next();
}

function keyInTheList(request, response, next) {
  const key = request.get("x-api-key");
  const list = Object.values(keys).join(",");
  if (!key || !list.includes(key)) return response.status(401).json({ error: "unauthorized" });
  request.key = client(key === keys.globex ? "globex" : "acme");
  next();
}

function signedAsInTheArticle(request, response, next) {
  const timestamp = request.get("x-timestamp") ?? "";
  const text = `${timestamp}${request.method}${request.path}${request.body ?? ""}`;
  const expected = createHmac("sha256", secrets.get("acme")).update(text).digest("hex");
  // Digests of both, so that the lengths are equal.
  const same = [expected, request.get("x-signature") ?? ""].map((s) => createHash("sha256").update(s).digest());
  const fresh = Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
  if (!fresh || !timingSafeEqual(...same)) return response.status(401).json({ error: "unauthorized" });
  next();
}
