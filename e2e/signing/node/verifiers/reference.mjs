// Follows docs: the recommended reference. One field per line, versioned; host, raw target, content type and
// body digest covered; a nonce stored for twice the window; bytes compared; one refusal.

import { createHmac, timingSafeEqual } from "node:crypto";
import { sha256 } from "../api.mjs";
import { clients, ownForm, verifier } from "../catalog.mjs";
import { firstUse } from "../used.mjs";

const WINDOW_SECONDS = 120;
const unused = firstUse(2 * WINDOW_SECONDS);
const CANONICAL = "v1\n{key_id}\n{ts}\n{nonce}\n{METHOD}\n{host}\n{path_query}\n{content_type}\n{sha256hex(body)}";
const scheme = ownForm(CANONICAL, {
  timestamp: "Orders-Time",
  nonce: "Orders-Nonce",
  signature: "Orders-Signature",
  key_id: "Orders-Key",
});

function verify(request, body) {
  const { method, url, headers } = request;
  const { "orders-time": timestamp = "", "orders-nonce": nonce = "", "orders-signature": signature = "" } = headers;
  const client = clients.get(headers["orders-key"]);
  if (!client || !/^[0-9]{10}$/.test(timestamp) || !/^[\w-]{16,64}$/.test(nonce)) return false;
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > WINDOW_SECONDS || !/^[0-9a-f]{64}$/.test(signature))
    return false;
  const fields = [
    "v1",
    client.key_id,
    timestamp,
    nonce,
    method,
    headers.host,
    url,
    headers["content-type"] ?? "",
    sha256(body),
  ];
  const expected = createHmac("sha256", client.secret).update(fields.join("\n")).digest();
  if (!timingSafeEqual(expected, Buffer.from(signature, "hex"))) return false;
  request.tenant = client.tenant;
  return unused(`${client.key_id} ${nonce}`);
}

verifier({
  name: "node-reference",
  scheme: { ...scheme, name: "reference", document: "docs: the recommended reference" },
  nonce_store: true,
  files: true,
  errors: { style: "json", status: 401, text: "Non autorisé", language: "fr" },
  verify,
});

verifier({
  name: "node-reference-slow",
  scheme: { ...scheme, name: "reference", document: "docs: the recommended reference" },
  nonce_store: true,
  files: true,
  guards: "routes",
  errors: { style: "problem", status: 422, text: "La firma no es válida.", language: "es", delay_ms: 300 },
  verify,
});
