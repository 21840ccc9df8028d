// Receivers of webhooks: Standard Webhooks, Slack, GitHub, Shopify's app proxy.

import { createHmac, timingSafeEqual } from "node:crypto";
import { verifier } from "../catalog.mjs";
import { firstUse } from "../used.mjs";

// Follows https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md.
const WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const standardWebhooks = (gaps) => ({
  name: "standard-webhooks",
  document: "https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
  signing: {
    preset: "standard-webhooks",
    encoding: "base64",
    clock: "s",
    headers: { nonce: "webhook-id", timestamp: "webhook-timestamp", signature: "webhook-signature" },
  },
  credentials: [{ key_id: null, secret: WHSEC }],
  gaps,
});
const BODY_ONLY = ["SIG-004", "SIG-005", "SIG-006", "SIG-008", "SIG-011"];

function webhook(request, body) {
  const {
    "webhook-id": id = "",
    "webhook-timestamp": timestamp = "",
    "webhook-signature": signatures,
  } = request.headers;
  const recent = /^\d{10}$/.test(timestamp) && Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300;
  if (!recent || !id || id.includes(".") || signatures === undefined) return null;
  const key = Buffer.from(WHSEC.slice("whsec_".length), "base64");
  const expected = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64");
  return { id, expected, signatures };
}

function equal(a, b) {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

const deliveries = firstUse(600);

verifier({
  name: "node-webhooks-strict",
  scheme: standardWebhooks(BODY_ONLY),
  nonce_store: true,
  errors: { style: "text", status: 400, text: "No matching signature found" },
  verify(request, body) {
    const sent = webhook(request, body);
    if (!sent) return false;
    const matches = sent.signatures
      .split(" ")
      .some((one) => one.startsWith("v1,") && equal(sent.expected, one.slice(3)));
    return matches && deliveries(sent.id);
  },
});

verifier({
  name: "node-webhooks-every",
  scheme: standardWebhooks([...BODY_ONLY, "SIG-021"]),
  defect: "SIG-002",
  shows: "[].every(…) is true: an empty list of signatures has no wrong one",
  errors: { style: "json", status: 401, text: "Firma de webhook inválida", language: "es" },
  verify(request, body) {
    const sent = webhook(request, body);
    if (!sent) return false;
    const given = sent.signatures
      .split(" ")
      .map((one) => one.replace(/^v1,/, ""))
      .filter((one) => one !== "");
    return given.every((one) => equal(sent.expected, one));
  },
});

verifier({
  name: "node-webhooks-short",
  scheme: standardWebhooks([...BODY_ONLY, "SIG-021"]),
  defect: "SIG-024",
  shows: "compared up to the shorter length, as in CVE-2024-21491: the first characters suffice",
  errors: { style: "json", status: 400, text: "invalid webhook" },
  verify(request, body) {
    const sent = webhook(request, body);
    if (!sent) return false;
    return sent.signatures.split(" ").some((one) => {
      const given = one.slice("v1,".length);
      if (!one.startsWith("v1,") || given === "") return false;
      let difference = 0;
      for (let i = 0; i < Math.min(given.length, sent.expected.length); i++) {
        difference |= given.charCodeAt(i) ^ sent.expected.charCodeAt(i);
      }
      return difference === 0;
    });
  },
});

// Follows https://docs.slack.dev/authentication/verifying-requests-from-slack/.
const SLACK_SECRET = "8f742231b10e8888abcd99yyyzzz85a5";

verifier({
  name: "node-slack-nan",
  scheme: {
    name: "slack",
    document: "https://docs.slack.dev/authentication/verifying-requests-from-slack/",
    signing: {
      preset: "slack",
      encoding: "hex",
      clock: "s",
      headers: { timestamp: "X-Slack-Request-Timestamp", signature: "X-Slack-Signature" },
    },
    credentials: [{ key_id: null, secret: SLACK_SECRET }],
    gaps: [...BODY_ONLY, "SIG-021"],
  },
  defect: "SIG-017",
  shows: "NaN > 300 is false: a time that is no number, such as `now`, is never too old",
  errors: { style: "ok-false", status: 200, text: "signature_invalide", language: "fr" },
  verify(request, body) {
    const { "x-slack-request-timestamp": timestamp, "x-slack-signature": signature } = request.headers;
    if (!timestamp || !signature) return false;
    if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 60 * 5) return false;
    const base = Buffer.concat([Buffer.from(`v0:${timestamp}:`), body]);
    return equal(`v0=${createHmac("sha256", SLACK_SECRET).update(base).digest("hex")}`, signature);
  },
});

// Follows https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries.
const GITHUB_SECRET = "It's a Secret to Everybody 5812";

verifier({
  name: "node-github-optional",
  scheme: {
    name: "github",
    document: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries",
    signing: { preset: "github", encoding: "hex", headers: { signature: "X-Hub-Signature-256" } },
    credentials: [{ key_id: null, secret: GITHUB_SECRET }],
    gaps: [...BODY_ONLY, "SIG-017", "SIG-021"],
  },
  defect: "SIG-001",
  shows: "`if (signature && …)`: without the header nothing is verified",
  errors: { style: "json", status: 401, text: "Signatures didn't match!" },
  verify(request, body) {
    const signature = request.headers["x-hub-signature-256"];
    const expected = `sha256=${createHmac("sha256", GITHUB_SECRET).update(body).digest("hex")}`;
    if (signature !== undefined && !equal(expected, signature)) return false;
    return true;
  },
});

// Follows https://shopify.dev/docs/apps/build/online-store/app-proxies/authenticate-app-proxies.
const SHOPIFY_SECRET = "hush-4d07a1c9e5";

verifier({
  name: "node-shopify-proxy",
  scheme: {
    name: "shopify-app-proxy",
    document: "https://shopify.dev/docs/apps/build/online-store/app-proxies/authenticate-app-proxies",
    signing: {
      preset: "shopify-app-proxy",
      encoding: "hex",
      clock: "s",
      query: { signature: "signature", timestamp: "timestamp" },
    },
    credentials: [{ key_id: null, secret: SHOPIFY_SECRET }],
    gaps: ["SIG-005", "SIG-006", "SIG-008", "SIG-010", "SIG-011", "SIG-021"],
  },
  defect: "SIG-013",
  shows: "sorted parameters joined by nothing: q=paper&shop=a is q=papershop=a",
  errors: { style: "html", status: 403, text: "Acesso negado", language: "pt" },
  verify(request) {
    const parameters = new URLSearchParams(request.url.split("?")[1]);
    const signature = parameters.get("signature");
    const timestamp = parameters.get("timestamp") ?? "";
    if (!signature || !/^\d{10}$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > 300)
      return false;
    const names = [...new Set(parameters.keys())].filter((name) => name !== "signature");
    const pairs = names.map((name) => `${name}=${parameters.getAll(name).join(",")}`).sort();
    return equal(createHmac("sha256", SHOPIFY_SECRET).update(pairs.join("")).digest("hex"), signature);
  },
});
