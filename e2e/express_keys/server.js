"use strict";
// A notes API in Express. `VULNERABLE=1` plants the defects that ../README.md lists.
// Loopback only: VULNERABLE=1 PORT=5104 node server.js

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const cors = require("cors");
const express = require("express");
const { body, param, query, matchedData, validationResult } = require("express-validator");

const vulnerable = process.env.VULNERABLE === "1";
const tokens = new Map([
  [digest(process.env.ALICE_TOKEN || crypto.randomBytes(24).toString("hex")), "alice"],
  [digest(process.env.BOB_TOKEN || crypto.randomBytes(24).toString("hex")), "bob"],
]);
const users = [
  { name: "alice", email: "alice@notes.example" },
  { name: "bob", email: "bob@notes.example" },
];
const notes = [
  { id: "0b6f7c52-5d0e-4d57-9f0a-2a4b8c1d3e11", owner: "alice", title: "Safe", text: "left 17, right 42, left 8" },
  { id: "5f1d2a90-93c4-4b7e-8a66-7d20e5b9f422", owner: "bob", title: "Spare key", text: "under the third flower pot" },
];

const app = express();
app.disable("x-powered-by");
// Express's own error handler writes the stack trace unless `env` is "production".
app.set("env", vulnerable ? "development" : "production");
app.use(cors(vulnerable ? { origin: true, credentials: true } : { origin: "https://notes.example" }));
app.use((request, response, next) => {
  if (!vulnerable) response.set({ "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" });
  next();
});
app.use(express.json({ limit: "16kb" }));

app.get("/openapi.json", (request, response) => {
  response.type("application/yaml").send(fs.readFileSync(path.join(__dirname, "openapi.yaml")));
});

app.get("/notes", authenticated, query("limit").default(20).isInt({ min: 1, max: 50 }).toInt(), valid, (request, response) => {
  const own = notes.filter((note) => note.owner === request.user);
  response.json({ notes: own.slice(0, request.data.limit).map(shown) });
});

const text = (field, max) => body(field).isString().bail().isLength({ min: 1, max });
app.post("/notes", authenticated, text("title", 80), text("text", 2000), valid, (request, response) => {
  const note = { id: crypto.randomUUID(), owner: request.user, title: request.data.title, text: request.data.text };
  notes.push(note);
  response.status(201).json(shown(note));
});

app.get("/notes/:id", authenticated, param("id").isUUID(), valid, (request, response) => {
  const note = notes.find((note) => note.id === request.data.id && note.owner === request.user);
  if (!note) return response.status(404).json({ error: "not found" });
  response.json(shown(note));
});

app.get("/users", vulnerable ? [] : authenticated, (request, response) => response.json({ users }));

if (!vulnerable) {
  app.use((request, response) => response.status(404).json({ error: "not found" }));
  app.use((error, request, response, next) => {
    if (response.headersSent) return next(error);
    const status = error.status >= 400 && error.status < 500 ? error.status : 500;
    response.status(status).json({ error: status === 500 ? "internal server error" : "bad request" });
  });
}

const server = app.listen(Number(process.env.PORT || 5104), "127.0.0.1", (error) => {
  if (error) throw error;
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});

function authenticated(request, response, next) {
  const [, token] = /^Bearer ([^ ]+)$/i.exec(request.get("authorization") || "") || [];
  request.user = token && tokens.get(digest(token));
  if (request.user) return next();
  response.status(401).set("WWW-Authenticate", 'Bearer realm="notes"').json({ error: "unauthorized" });
}

function valid(request, response, next) {
  const result = validationResult(request);
  if (!result.isEmpty()) return response.status(400).json({ errors: result.array() });
  request.data = matchedData(request);
  next();
}

// A lookup by digest takes no time that tells how much of a token was right.
function digest(token) {
  return crypto.createHash("sha256").update(token).digest("hex");
}

function shown({ id, title, text }) {
  return { id, title, text };
}
