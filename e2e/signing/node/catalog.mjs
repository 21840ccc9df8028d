// What a verifier is, and the table of all of them. The fields are those of ../python/signing_lab/catalog.py.

export const verifiers = new Map();

export const NORTHWIND = { key_id: "ak_northwind_7d1f", secret: "northwind-2f8e61c09ab54d7783e1", tenant: "northwind" };
export const CONTOSO = { key_id: "ak_contoso_b03c", secret: "contoso-91d44be7f02a4c6b8a57", tenant: "contoso" };
export const clients = new Map([NORTHWIND, CONTOSO].map((client) => [client.key_id, client]));

/**
 * Registers a verifier. `verify(request, body)` gives true, false, or a text of its own to refuse with;
 * `request` is node's IncomingMessage with a `tenant` to set, `body` a Buffer.
 */
export function verifier(entry) {
  verifiers.set(entry.name, {
    defect: "none",
    also: [],
    shows: "",
    files: false,
    guards: "every path",
    nonce_store: false,
    hosts: [],
    public: [],
    operations: [],
    body: '{"item":"paper filters","quantity":400}',
    ...entry,
    errors: { language: "en", delay_ms: 0, ...entry.errors },
  });
}

/** A scheme in the manner of Hawk and Azure SharedKey: a header each, HMAC over joined fields. */
export function ownForm(canonical, headers, more = {}) {
  const {
    algorithm = "hmac-sha256",
    encoding = "hex",
    clock = "s",
    gaps = [],
    credentials = [NORTHWIND, CONTOSO],
  } = more;
  return {
    name: "own form",
    document: "in-house, after Hawk's normalized request string",
    signing: { canonical, algorithm, encoding, headers, clock },
    credentials,
    gaps,
  };
}

/** What an object holds that is not null. */
const present = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value != null));

/** Each client as an identity of middlebrick.yaml, by the name of its tenant. */
function identities(scheme) {
  const named = scheme.credentials.map(({ tenant, ...client }, position) => [
    ["northwind", "contoso"][position],
    { signing: { ...scheme.signing, ...present(client) } },
  ]);
  return Object.fromEntries(named);
}

/** The entry of `--list`. */
export function listing(entry) {
  const { scheme } = entry;
  const [first] = scheme.credentials;
  const found = [
    { method: "GET", target: "/orders" },
    { method: "GET", target: "/orders/1001" },
    { method: "GET", target: "/search?q=paper" },
    { method: "POST", target: "/echo", content_type: "application/json", body: entry.body },
  ];
  if (entry.files) {
    found.push({ method: "GET", target: "/files/terms.txt" });
    found.push({ method: "PUT", target: "/files/a", content_type: "text/plain", body: "/b" });
  }
  const signing = { ...scheme.signing, secret: first.secret, ...(first.key_id ? { key_id: first.key_id } : {}) };
  return {
    name: entry.name,
    language: "node",
    framework: "node:http",
    scheme: scheme.name,
    document: scheme.document,
    defect: entry.defect,
    also: entry.also,
    gaps: scheme.gaps,
    shows: entry.shows,
    errors: entry.errors,
    guards: entry.guards,
    nonce_store: entry.nonce_store,
    hosts: entry.hosts,
    headers: scheme.signing.headers ?? {},
    encoding: scheme.signing.encoding ?? "",
    credentials: scheme.credentials.map(({ tenant, ...client }) => client),
    signing,
    identities: identities(scheme),
    operations: [...found, ...entry.operations],
    public: ["GET /health", "GET /openapi.json", ...entry.public],
    repeatable: ["POST /echo", ...(entry.files ? ["PUT /files/{path}"] : []), ...(entry.repeatable ?? [])],
    description: "/openapi.json",
  };
}
