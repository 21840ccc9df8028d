// In-house forms: one field per line, HMAC, a header each. One app each for one mistake that is easy in JavaScript.

import { createHmac, timingSafeEqual } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { read, sha256 } from "../api.mjs";
import { clients, NORTHWIND, ownForm, verifier } from "../catalog.mjs";
import { firstUse } from "../used.mjs";

const CANONICAL = "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}";
const unused = firstUse(600);

function fresh(timestamp) {
  return /^\d{10}$/.test(timestamp ?? "") && Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
}

function admit(request, client, nonce) {
  request.tenant = client.tenant;
  return /^[\w-]{12,64}$/.test(nonce ?? "") && unused(`${client.key_id} ${nonce}`);
}

function same(expected, given) {
  const [a, b] = [Buffer.from(expected), Buffer.from(given ?? "")];
  return a.length === b.length && timingSafeEqual(a, b);
}

function hmac(secret, message, encoding = "hex", algorithm = "sha256") {
  return createHmac(algorithm, secret).update(message).digest(encoding);
}

function canonical(request, body, timestamp, nonce) {
  const { method, url, headers } = request;
  return [timestamp, nonce, method, headers.host, url, headers["content-type"] ?? "", sha256(body)].join("\n");
}

verifier({
  name: "node-promise-not-awaited",
  scheme: ownForm(CANONICAL, {
    timestamp: "X-Timestamp",
    nonce: "X-Nonce",
    signature: "X-Signature",
    key_id: "X-Key-Id",
  }),
  defect: "SIG-003",
  shows: "the comparison is async and nobody awaits it: a promise is truthy",
  errors: { style: "json", status: 401, text: "Invalid signature" },
  verify(request, body) {
    const { "x-timestamp": timestamp, "x-nonce": nonce, "x-signature": signature, "x-key-id": keyId } = request.headers;
    const client = clients.get(keyId);
    const matches = async () => same(hmac(client.secret, canonical(request, body, timestamp, nonce)), signature);
    if (!client || !signature || !fresh(timestamp)) return false;
    if (!matches()) return false;
    return admit(request, client, nonce);
  },
});

verifier({
  name: "node-path-decoded",
  scheme: ownForm(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path}\n{query}\n{content_type}\n{sha256hex(body)}",
    { timestamp: "Doc-Time", nonce: "Doc-Nonce", signature: "Doc-Signature", key_id: "Doc-Key" },
    { encoding: "base64" },
  ),
  defect: "SIG-007",
  shows: "the path is decoded before signing, but not before routing: /files/2026%2Fq3.txt is another file",
  files: true,
  errors: { style: "text", status: 400, text: "Ungültige Signatur", language: "de" },
  verify(request, body) {
    const { "doc-time": timestamp, "doc-nonce": nonce, "doc-signature": signature, "doc-key": keyId } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const [path, query = ""] = request.url.split("?");
    let decoded;
    try {
      decoded = decodeURIComponent(path);
    } catch {
      return false;
    }
    const { method, headers } = request;
    const fields = [
      timestamp,
      nonce,
      method,
      headers.host,
      decoded,
      query,
      headers["content-type"] ?? "",
      sha256(body),
    ];
    return same(hmac(client.secret, fields.join("\n"), "base64"), signature) && admit(request, client, nonce);
  },
});

verifier({
  name: "node-forwarded-host",
  scheme: ownForm(CANONICAL, { timestamp: "X-Req-At", nonce: "X-Req-Id", signature: "X-Req-Sign", key_id: "X-Req-By" }),
  defect: "SIG-009",
  shows: "the host comes from X-Forwarded-Host when it is there",
  errors: { style: "json", status: 403, text: "Forbidden" },
  verify(request, body) {
    const { "x-req-at": timestamp, "x-req-id": nonce, "x-req-sign": signature, "x-req-by": keyId } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const host = request.headers["x-forwarded-host"] ?? request.headers.host;
    const { method, url, headers } = request;
    const fields = [timestamp, nonce, method, host, url, headers["content-type"] ?? "", sha256(body)];
    return same(hmac(client.secret, fields.join("\n")), signature) && admit(request, client, nonce);
  },
});

verifier({
  name: "node-method-override",
  scheme: ownForm(
    CANONICAL,
    { timestamp: "X-T", nonce: "X-N", signature: "X-S", key_id: "X-K" },
    { encoding: "base64url" },
  ),
  defect: "SIG-012",
  shows: "X-HTTP-Method-Override is not signed: POST /drafts under the same signature is handled as GET or DELETE",
  errors: { style: "problem", status: 422, text: "Signature invalide", language: "fr" },
  operations: [{ method: "POST", target: "/drafts", content_type: "application/json", body: "{}" }],
  repeatable: ["POST /drafts"],
  route(request, path) {
    const handled = request.headers["x-http-method-override"] ?? request.method;
    return path === "/drafts" ? () => ({ handled_as: handled }) : null;
  },
  verify(request, body) {
    const { "x-t": timestamp, "x-n": nonce, "x-s": signature, "x-k": keyId } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const expected = hmac(client.secret, canonical(request, body, timestamp, nonce), "base64url");
    return same(expected, signature) && admit(request, client, nonce);
  },
});

verifier({
  name: "node-body-as-string",
  scheme: ownForm(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{body}",
    { timestamp: "Sent-At", nonce: "Sent-Id", signature: "Sent-Signature", key_id: "Sent-By" },
    { algorithm: "hmac-sha512" },
  ),
  defect: "SIG-014",
  shows: "the body is collected as a string: bytes that are not UTF-8 all become U+FFFD",
  files: true,
  errors: { style: "coded", status: 401, text: "La firma no coincide", language: "es" },
  verify(request, body) {
    const { "sent-at": timestamp, "sent-id": nonce, "sent-signature": signature, "sent-by": keyId } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const { method, url, headers } = request;
    const fields = [timestamp, nonce, method, headers.host, url, headers["content-type"] ?? "", body.toString()];
    return same(hmac(client.secret, fields.join("\n"), "hex", "sha512"), signature) && admit(request, client, nonce);
  },
});

verifier({
  name: "node-json-stringify",
  scheme: ownForm("{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{body}", {
    timestamp: "X-Hook-Time",
    nonce: "X-Hook-Id",
    signature: "X-Hook-Signature",
    key_id: "X-Hook-Source",
  }),
  defect: "SIG-016",
  shows: "JSON.stringify(JSON.parse(body)) is signed: spaces, escapes and duplicate keys are free",
  errors: { style: "json", status: 400, text: "Webhook signature invalid" },
  verify(request, body) {
    const { "x-hook-time": timestamp, "x-hook-id": nonce, "x-hook-signature": signature } = request.headers;
    const client = clients.get(request.headers["x-hook-source"]);
    if (!client || !fresh(timestamp)) return false;
    const { method, url, headers } = request;
    let text = body;
    if (headers["content-type"]?.startsWith("application/json")) {
      try {
        text = JSON.stringify(JSON.parse(body.toString()));
      } catch {
        return false;
      }
    }
    const head = [timestamp, nonce, method, headers.host, url, headers["content-type"] ?? ""].join("\n");
    const message = Buffer.concat([Buffer.from(`${head}\n`), Buffer.from(text)]);
    return same(hmac(client.secret, message), signature) && admit(request, client, nonce);
  },
});

const signaturesSeen = firstUse(600);

verifier({
  name: "node-replay-base64url",
  scheme: ownForm(
    "{ts}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    { timestamp: "X-Call-Time", signature: "X-Call-Signature", key_id: "X-Call-Key" },
    { encoding: "base64" },
  ),
  defect: "SIG-022",
  shows: "used signatures are kept as text; Buffer.from(…, 'base64') reads base64url and no padding as well",
  nonce_store: true,
  errors: { style: "json", status: 401, text: "already used or invalid" },
  verify(request, body) {
    const { "x-call-time": timestamp, "x-call-signature": signature = "", "x-call-key": keyId } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp) || !/^[\w+/-]{43}=?$/.test(signature)) return false;
    const { method, url, headers } = request;
    const message = [timestamp, method, headers.host, url, headers["content-type"] ?? "", sha256(body)].join("\n");
    const expected = createHmac("sha256", client.secret).update(message).digest();
    const given = Buffer.from(signature, "base64");
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    request.tenant = client.tenant;
    return signaturesSeen(signature);
  },
});

const storedNonces = new Set();
const database = {
  has: (nonce) => wait(20, storedNonces.has(nonce)),
  add: (nonce) => wait(20).then(() => storedNonces.add(nonce)),
};

verifier({
  name: "node-nonce-race",
  scheme: ownForm(CANONICAL, {
    timestamp: "X-Bus-Time",
    nonce: "X-Bus-Nonce",
    signature: "X-Bus-Signature",
    key_id: "X-Bus-Key",
  }),
  defect: "SIG-022",
  shows: "the nonce is looked up and then stored: copies sent at once all pass",
  nonce_store: true,
  errors: { style: "json", status: 401, text: "Nonce ou signature invalide", language: "fr" },
  async verify(request, body) {
    const { "x-bus-time": timestamp, "x-bus-nonce": nonce = "", "x-bus-signature": signature } = request.headers;
    const client = clients.get(request.headers["x-bus-key"]);
    if (!client || !fresh(timestamp) || !/^[\w-]{12,64}$/.test(nonce)) return false;
    if (!same(hmac(client.secret, canonical(request, body, timestamp, nonce)), signature)) return false;
    if (await database.has(nonce)) return false;
    await database.add(nonce);
    request.tenant = client.tenant;
    return true;
  },
});

verifier({
  name: "node-any-secret",
  scheme: ownForm(CANONICAL, {
    timestamp: "X-Time",
    nonce: "X-Nonce",
    signature: "X-Tenant-Signature",
    key_id: "X-Tenant-Key",
  }),
  defect: "SIG-027",
  shows: "any client's secret will do, and the caller is who the key id says",
  errors: { style: "ok-false", status: 200, text: "not_authorized" },
  verify(request, body) {
    const {
      "x-time": timestamp,
      "x-nonce": nonce,
      "x-tenant-signature": signature,
      "x-tenant-key": keyId,
    } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const message = canonical(request, body, timestamp, nonce);
    const matches = [...clients.values()].some(({ secret }) => same(hmac(secret, message), signature));
    return matches && admit(request, client, nonce);
  },
});

verifier({
  name: "node-default-secret",
  scheme: ownForm(
    CANONICAL,
    { timestamp: "X-Shop-Time", nonce: "X-Shop-Nonce", signature: "X-Shop-Hmac" },
    { encoding: "base64", credentials: [{ key_id: null, secret: "secret" }] },
  ),
  defect: "SIG-028",
  shows: 'SIGNING_SECRET ?? "secret"',
  errors: { style: "json", status: 401, text: "Nicht autorisiert", language: "de" },
  verify(request, body) {
    const { "x-shop-time": timestamp, "x-shop-nonce": nonce, "x-shop-hmac": signature } = request.headers;
    if (!fresh(timestamp)) return false;
    const expected = hmac("secret", canonical(request, body, timestamp, nonce), "base64");
    return same(expected, signature) && admit(request, NORTHWIND, nonce);
  },
});

verifier({
  name: "node-old-version",
  scheme: ownForm(CANONICAL, {
    timestamp: "Api-Time",
    nonce: "Api-Nonce",
    signature: "Api-Signature",
    key_id: "Api-Key",
  }),
  defect: "SIG-030",
  shows: "/v1/orders, of before signing, answers to the key alone",
  errors: { style: "json", status: 401, text: "Signature required" },
  operations: [{ method: "GET", target: "/v2/orders" }],
  route(request, path) {
    const versioned = /^\/v[12]\/orders$/.test(path) && request.method === "GET";
    return versioned
      ? () => ({ version: path.slice(1, 3), orders: [{ id: 1001, pickup_code: "nw-7f3a9c2e41d8" }] })
      : null;
  },
  verify(request, body) {
    const { "api-time": timestamp, "api-nonce": nonce, "api-signature": signature, "api-key": keyId } = request.headers;
    const client = clients.get(keyId);
    if (client && request.url.startsWith("/v1/")) return true;
    if (!client || !fresh(timestamp)) return false;
    return (
      same(hmac(client.secret, canonical(request, body, timestamp, nonce)), signature) && admit(request, client, nonce)
    );
  },
});

verifier({
  name: "node-length-crash",
  scheme: ownForm(CANONICAL, { timestamp: "X-Stamp", nonce: "X-Nonce", signature: "X-Check", key_id: "X-User" }),
  defect: "SIG-031",
  shows: "timingSafeEqual throws a RangeError for another length: a short signature is a 500",
  errors: { style: "json", status: 401, text: "Unauthorized" },
  verify(request, body) {
    const { "x-stamp": timestamp, "x-nonce": nonce, "x-check": signature = "", "x-user": keyId } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const expected = hmac(client.secret, canonical(request, body, timestamp, nonce));
    return timingSafeEqual(Buffer.from(expected), Buffer.from(signature)) && admit(request, client, nonce);
  },
});

verifier({
  name: "node-canonical-in-error",
  scheme: ownForm(CANONICAL, {
    timestamp: "X-Iot-Time",
    nonce: "X-Iot-Nonce",
    signature: "X-Iot-Mac",
    key_id: "X-Iot-Device",
  }),
  defect: "SIG-032",
  shows: "the refusal quotes the expected signature and the string that was signed",
  errors: { style: "json", status: 403, text: "Access denied" },
  verify(request, body) {
    const {
      "x-iot-time": timestamp,
      "x-iot-nonce": nonce,
      "x-iot-mac": signature,
      "x-iot-device": keyId,
    } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    const message = canonical(request, body, timestamp, nonce);
    const expected = hmac(client.secret, message);
    if (!same(expected, signature))
      return `Access denied: got ${signature}, want ${expected} over ${JSON.stringify(message)}`;
    return admit(request, client, nonce);
  },
});

verifier({
  name: "node-stream-then-verify",
  scheme: ownForm(CANONICAL, {
    timestamp: "X-Up-Time",
    nonce: "X-Up-Nonce",
    signature: "X-Up-Signature",
    key_id: "X-Up-Key",
  }),
  defect: "SIG-033",
  shows: "an upload is stored while it is hashed; a wrong signature is refused and the file stays",
  files: true,
  errors: { style: "html", status: 401, text: "Carga rechazada", language: "es" },
  async early(request, { files }) {
    const path = request.url.split("?")[0];
    if (request.method !== "PUT" || !path.startsWith("/files/") || files.size >= 1000) return;
    request.collected = await read(request);
    files.set(path.slice("/files/".length), request.collected);
  },
  verify(request, body) {
    const {
      "x-up-time": timestamp,
      "x-up-nonce": nonce,
      "x-up-signature": signature,
      "x-up-key": keyId,
    } = request.headers;
    const client = clients.get(keyId);
    if (!client || !fresh(timestamp)) return false;
    return (
      same(hmac(client.secret, canonical(request, body, timestamp, nonce)), signature) && admit(request, client, nonce)
    );
  },
});

verifier({
  name: "node-declared-digest",
  scheme: ownForm(
    "{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}",
    {
      timestamp: "X-Cloud-Date",
      nonce: "X-Cloud-Nonce",
      signature: "X-Cloud-Signature",
      key_id: "X-Cloud-Key",
      derived: { "X-Cloud-Content-Sha256": "{sha256hex(body)}" },
    },
    { clock: "ms" },
  ),
  defect: "SIG-035",
  also: ["SIG-010"],
  shows: "X-Cloud-Content-Sha256 is signed and believed: the body is never hashed",
  errors: { style: "json", status: 403, text: "SignatureDoesNotMatch" },
  verify(request) {
    const { "x-cloud-date": timestamp = "", "x-cloud-nonce": nonce, "x-cloud-signature": signature } = request.headers;
    const client = clients.get(request.headers["x-cloud-key"]);
    const recent = /^\d{13}$/.test(timestamp) && Math.abs(Date.now() - Number(timestamp)) <= 300_000;
    if (!client || !recent) return false;
    const { method, url, headers } = request;
    const digest = headers["x-cloud-content-sha256"] ?? "";
    const message = [timestamp, nonce, method, headers.host, url, headers["content-type"] ?? "", digest].join("\n");
    return same(hmac(client.secret, message), signature) && admit(request, client, nonce);
  },
});
