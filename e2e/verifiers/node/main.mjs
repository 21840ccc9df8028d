// `node main.mjs NAME PORT` serves one app on loopback, `node main.mjs --list` prints all as JSON.

import { readdirSync } from "node:fs";
import { listing, verifiers } from "./catalog.mjs";
import { serve } from "./serving.mjs";

const folder = new URL("./mounted/", import.meta.url);
for (const name of readdirSync(folder).sort()) await import(new URL(name, folder));

process.env.NODE_ENV ??= "production"; // no stack traces in answers
const [name, port] = process.argv.slice(2);
if (name === "--list") {
  const entries = [...verifiers.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  console.log(JSON.stringify(entries.map(listing), null, 2));
} else if (verifiers.has(name) && /^\d+$/.test(port ?? "")) {
  serve(verifiers.get(name)).listen(Number(port), "127.0.0.1");
} else {
  console.error("usage: node main.mjs NAME PORT | --list");
  process.exitCode = 2;
}
