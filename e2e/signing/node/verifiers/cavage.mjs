// Signing HTTP Messages, the draft before RFC 9421: `Authorization: Signature keyId=…,headers="…",signature="…"`.
// Follows https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-12.

import { createHmac, timingSafeEqual } from "node:crypto";
import { sha256 } from "../api.mjs";
import { clients, CONTOSO, NORTHWIND, verifier } from "../catalog.mjs";

const HEADERS = ["(request-target)", "host", "date", "digest", "content-type"];
const scheme = {
  name: "cavage",
  document: "https://datatracker.ietf.org/doc/html/draft-cavage-http-signatures-12",
  signing: {
    preset: "cavage",
    algorithm: "hmac-sha256",
    encoding: "base64",
    components: HEADERS,
    headers: { signature: "Authorization", timestamp: "Date" },
  },
  credentials: [NORTHWIND, CONTOSO],
  gaps: ["SIG-021"],
};

function parse(request) {
  const text = request.headers.authorization ?? "";
  if (!text.startsWith("Signature ")) return null;
  const found = Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]));
  return { ...found, listed: (found.headers ?? "date").toLowerCase().split(" "), client: clients.get(found.keyId) };
}

function signingString(request, listed) {
  const value = (name) =>
    name === "(request-target)" ? `${request.method.toLowerCase()} ${request.url}` : (request.headers[name] ?? "");
  return listed.map((name) => `${name}: ${value(name)}`).join("\n");
}

function authentic(request, sent) {
  const expected = createHmac("sha256", sent.client.secret)
    .update(signingString(request, sent.listed))
    .digest("base64");
  const [a, b] = [Buffer.from(expected), Buffer.from(sent.signature ?? "")];
  return a.length === b.length && timingSafeEqual(a, b);
}

function inTime(request) {
  return Math.abs(Date.now() - Date.parse(request.headers.date)) <= 300_000;
}

function digestHolds(request, body) {
  return request.headers.digest === `SHA-256=${sha256(body, "base64")}`;
}

/** `content-type` need not be listed where there is none. */
function coversEnough(request, listed) {
  return HEADERS.every((name) => listed.includes(name) || (name === "content-type" && !request.headers[name]));
}

function admit(request, sent) {
  request.tenant = sent.client.tenant;
  return true;
}

verifier({
  name: "node-cavage-chosen-headers",
  scheme,
  defect: "SIG-036",
  shows: 'the client lists what it signs: headers="date" is enough',
  errors: { style: "json", status: 401, text: "client request can't be validated" },
  verify(request, body) {
    const sent = parse(request);
    if (!sent?.client || !inTime(request) || !sent.listed.includes("date")) return false;
    if (sent.listed.includes("digest") && !digestHolds(request, body)) return false;
    return authentic(request, sent) && admit(request, sent);
  },
});

verifier({
  name: "node-cavage-algorithm-none",
  scheme,
  defect: "SIG-026",
  shows: 'algorithm="none" in the header skips the comparison',
  errors: { style: "problem", status: 403, text: "HTTP-Signatur ungültig", language: "de" },
  verify(request, body) {
    const sent = parse(request);
    if (!sent?.client || !inTime(request) || !coversEnough(request, sent.listed) || !digestHolds(request, body))
      return false;
    if (sent.algorithm === "none") return admit(request, sent);
    return authentic(request, sent) && admit(request, sent);
  },
});

verifier({
  name: "node-cavage-strict",
  scheme,
  files: true,
  errors: { style: "coded", status: 401, text: "Request signature invalid" },
  verify(request, body) {
    const sent = parse(request);
    if (!sent?.client || !inTime(request) || !coversEnough(request, sent.listed) || !digestHolds(request, body))
      return false;
    return authentic(request, sent) && admit(request, sent);
  },
});
