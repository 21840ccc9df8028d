// The OpenAPI description that each app serves at /openapi.json.

export function describe(entry) {
  const schemes = securitySchemes(entry.scheme.signing);
  const signed = [Object.fromEntries(Object.keys(schemes).map((name) => [name, []]))];
  const paths = {
    "/health": { get: operation("health", []) },
    "/orders": { get: operation("listOrders", signed) },
    "/orders/{order_id}": { get: operation("readOrder", signed, [parameter("order_id", "path", "integer", 1001)]) },
    "/search": { get: operation("findOrders", signed, [parameter("q", "query", "string", "paper")]) },
    "/echo": { post: operation("echo", signed, [], "application/json") },
  };
  if (entry.files) {
    const name = parameter("path", "path", "string", "terms.txt");
    paths["/files/{path}"] = {
      get: operation("readFile", signed, [name]),
      put: operation("writeFile", signed, [name], "text/plain"),
    };
  }
  for (const extra of entry.operations) {
    const path = extra.target.split("?")[0];
    const name = extra.method.toLowerCase() + path.replace(/[^A-Za-z0-9]/g, "_");
    paths[path] = { ...paths[path], [extra.method.toLowerCase()]: operation(name, signed, [], extra.content_type) };
  }
  return {
    openapi: "3.0.3",
    info: { title: "Orders API", version: "2.1.0" },
    servers: [{ url: "/" }],
    paths,
    components: { securitySchemes: schemes },
  };
}

function securitySchemes(signing) {
  const places = { header: signing.headers ?? {}, query: signing.query ?? {} };
  const found = Object.entries(places).flatMap(([place, names]) =>
    ["key_id", "signature"]
      .filter((role) => names[role])
      .map((role) => [role, { type: "apiKey", in: place, name: names[role] }]),
  );
  return Object.fromEntries(found);
}

function operation(operationId, security, parameters = [], body = undefined) {
  const responses = { 200: { description: "Done", content: { "application/json": { schema: { type: "object" } } } } };
  const schema = { type: body === "application/json" ? "object" : "string" };
  const requestBody = body && { required: true, content: { [body]: { schema } } };
  return { operationId, summary: operationId, security, parameters, ...(requestBody && { requestBody }), responses };
}

function parameter(name, place, type, example) {
  return { name, in: place, required: true, schema: { type }, example };
}
