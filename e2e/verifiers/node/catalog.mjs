// What a mounted verifier is, and the table of all of them.

import { readFileSync } from "node:fs";

export const verifiers = new Map();

// Registers what `mount(app)` adds to an Express app. `document` is what the routes follow, `signing`
// the block of middlebrick.yaml with the credentials; an operation is a request that works when signed.
export function mounted(entry) {
  verifiers.set(entry.name, entry);
}

// The entry of `--list`: everything that a client of this app needs.
export function listing({ name, library, document, scheme, signing, operations }) {
  return {
    name,
    language: "node",
    framework: "Express",
    library,
    version: installed(library),
    document,
    scheme,
    signing,
    operations,
    public: ["GET /health", "GET /openapi.json"],
    repeatable: operations.filter(({ method }) => method !== "GET").map(key),
    description: "/openapi.json",
  };
}

export const template = ({ path, target }) => path ?? target.split("?")[0];

const key = (operation) => `${operation.method} ${template(operation)}`;

function installed(library) {
  // Beside the link to this folder: see README.md.
  const described = new URL(`../node_modules/${library}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(described, "utf8")).version;
}
