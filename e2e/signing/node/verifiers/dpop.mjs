// DPoP: an access token bound to the client's key, and a proof for each request, signed with ES256.
// Follows RFC 9449, sections 4.3 and 7.1.

import { createHash, createPublicKey, verify as verifySignature } from "node:crypto";
import { verifier } from "../catalog.mjs";
import { firstUse } from "../used.mjs";

const TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU";
// A key made for this lab: the client's, in full, because the client here is a test.
const KEY = {
  kty: "EC",
  crv: "P-256",
  x: "BEjdb8ZtKif0s4lWNvHXe9S6gc1ULvzSB1vQdrh4MZM",
  y: "A8dBQdxRuvvxN7r6pYkTGYSV3nF-AJbmn-XmGLkTvq8",
  d: "9eq9cxTz0RCevKN9W25RvFk5sufgUPVVVL4HT-Rf2f4",
};
const THUMBPRINT = thumbprint(KEY);
const scheme = {
  name: "dpop",
  document: "RFC 9449",
  signing: { preset: "dpop", algorithm: "es256", headers: { signature: "DPoP" }, clock: "s", token: TOKEN },
  credentials: [{ key_id: null, secret: JSON.stringify(KEY) }],
  gaps: ["SIG-004", "SIG-010", "SIG-011"],
};
const proofs = firstUse(600);

function thumbprint({ crv, kty, x, y }) {
  return createHash("sha256").update(JSON.stringify({ crv, kty, x, y })).digest("base64url");
}

/** The claims of the request's proof, if it is signed with the key that the token is bound to. */
function proven(request) {
  const parts = (request.headers.dpop ?? "").split(".");
  if (parts.length !== 3) return null;
  try {
    const [head, claims] = parts.slice(0, 2).map((part) => JSON.parse(Buffer.from(part, "base64url").toString()));
    if (head.typ !== "dpop+jwt" || head.alg !== "ES256" || "d" in head.jwk || thumbprint(head.jwk) !== THUMBPRINT)
      return null;
    const key = { key: createPublicKey({ key: head.jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" };
    const signed = Buffer.from(parts.slice(0, 2).join("."));
    if (!verifySignature("sha256", signed, key, Buffer.from(parts[2], "base64url"))) return null;
    return Math.abs(Date.now() / 1000 - claims.iat) <= 300 ? claims : null;
  } catch {
    return null;
  }
}

function boundToRequest(request, { htm, htu }) {
  return htm === request.method && htu === `http://${request.headers.host}${request.url.split("?")[0]}`;
}

function boundToToken({ ath }) {
  return ath === createHash("sha256").update(TOKEN).digest("base64url");
}

function hasToken(request, scheme = "DPoP") {
  return request.headers.authorization === `${scheme} ${TOKEN}`;
}

const unused = ({ jti }) => typeof jti === "string" && jti.length >= 12 && proofs(jti);

verifier({
  name: "node-dpop-strict",
  scheme,
  nonce_store: true,
  errors: { style: "json", status: 401, text: "invalid_dpop_proof" },
  verify(request) {
    const claims = hasToken(request) && proven(request);
    return Boolean(claims) && boundToRequest(request, claims) && boundToToken(claims) && unused(claims);
  },
});

verifier({
  name: "node-dpop-replay",
  scheme,
  defect: "SIG-040",
  also: ["SIG-021"],
  shows: "`jti` is not stored: a proof works again and again",
  errors: { style: "json", status: 401, text: "use_dpop_nonce" },
  verify(request) {
    const claims = hasToken(request) && proven(request);
    return Boolean(claims) && boundToRequest(request, claims) && boundToToken(claims);
  },
});

verifier({
  name: "node-dpop-other-request",
  scheme,
  defect: "SIG-040",
  also: ["SIG-005", "SIG-006", "SIG-008"],
  shows: "`htm` and `htu` are not compared: a proof for one request serves another",
  nonce_store: true,
  errors: { style: "coded", status: 401, text: "Ungültiger DPoP-Nachweis", language: "de" },
  verify(request) {
    const claims = hasToken(request) && proven(request);
    return Boolean(claims) && boundToToken(claims) && unused(claims);
  },
});

verifier({
  name: "node-dpop-bearer",
  scheme,
  defect: "SIG-040",
  shows: "the bound token is accepted as plain Bearer, without a proof",
  nonce_store: true,
  errors: { style: "json", status: 401, text: "invalid_token" },
  verify(request) {
    if (hasToken(request, "Bearer")) return true;
    const claims = hasToken(request) && proven(request);
    return Boolean(claims) && boundToRequest(request, claims) && boundToToken(claims) && unused(claims);
  },
});
