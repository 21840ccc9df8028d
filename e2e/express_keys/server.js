// A notes API in Express. `VULNERABLE=1` plants the defects that ../README.md lists; else the code of
// `remedies/` keeps them out. Loopback only: VULNERABLE=1 PORT=5104 node server.js

import { randomBytes, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

import { bearer, digest, requireKey } from "../../remedies/api-key-lookup/express.mjs";
import { allowOrigins } from "../../remedies/cors-allow-list/express.mjs";
import { only } from "../../remedies/declared-fields/express.mjs";
import { genericErrors, notFound } from "../../remedies/generic-errors/express.mjs";
import { forbidStoring } from "../../remedies/no-store-answers/express.mjs";
import { securityHeaders } from "../../remedies/security-headers/express.mjs";

// `require` looks into NODE_PATH too, where `cargo xtask test` puts the packages; `import` does not.
const require = createRequire(import.meta.url);
const cors = require("cors");
const express = require("express");
const { body, param, query, matchedData, validationResult } = require("express-validator");

const vulnerable = process.env.VULNERABLE === "1";
const tokens = new Map([
  [digest(process.env.ALICE_TOKEN || randomBytes(24).toString("hex")), "alice"],
  [digest(process.env.BOB_TOKEN || randomBytes(24).toString("hex")), "bob"],
]);
const users = [
  { name: "alice", email: "alice@notes.example" },
  { name: "bob", email: "bob@notes.example" },
];
const notes = [
  { id: "0b6f7c52-5d0e-4d57-9f0a-2a4b8c1d3e11", owner: "alice", title: "Safe", text: "left 17, right 42, left 8" },
  { id: "5f1d2a90-93c4-4b7e-8a66-7d20e5b9f422", owner: "bob", title: "Spare key", text: "under the third flower pot" },
];

const SHOWN = ["id", "title", "text"];
const authenticated = requireKey((presented) => tokens.get(presented), bearer);

const app = express();
app.disable("x-powered-by");
// Express's own error handler writes the stack trace unless `env` is "production".
app.set("env", vulnerable ? "development" : "production");
if (vulnerable) {
  app.use(cors({ origin: true, credentials: true }));
} else {
  app.use(allowOrigins(["https://notes.example"], { headers: "Authorization, Content-Type" }));
  app.use(forbidStoring, securityHeaders);
}
app.use(express.json({ limit: "16kb" }));

app.get("/openapi.json", (request, response) => {
  response.type("application/yaml").send(readFileSync(new URL("openapi.yaml", import.meta.url)));
});

app.get("/notes", authenticated, query("limit").default(20).isInt({ min: 1, max: 50 }).toInt(), valid, (request, response) => {
  const own = notes.filter((note) => note.owner === request.key);
  response.json({ notes: only(SHOWN, own.slice(0, request.data.limit)) });
});

const text = (field, max) => body(field).isString().bail().isLength({ min: 1, max });
app.post("/notes", authenticated, text("title", 80), text("text", 2000), valid, (request, response) => {
  const note = { id: randomUUID(), owner: request.key, title: request.data.title, text: request.data.text };
  notes.push(note);
  response.status(201).json(only(SHOWN, note));
});

app.get("/notes/:id", authenticated, param("id").isUUID(), valid, (request, response) => {
  const note = notes.find((note) => note.id === request.data.id && note.owner === request.key);
  if (!note) return response.status(404).json({ error: "not found" });
  response.json(only(SHOWN, note));
});

app.get("/users", vulnerable ? [] : authenticated, (request, response) => response.json({ users }));

if (!vulnerable) app.use(notFound, genericErrors());

const server = app.listen(Number(process.env.PORT || 5104), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

function valid(request, response, next) {
  const result = validationResult(request);
  if (!result.isEmpty()) return response.status(400).json({ errors: result.array() });
  request.data = matchedData(request);
  next();
}
