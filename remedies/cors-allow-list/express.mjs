// Lets pages of the listed origins, and of no others, read answers.
//
//   app.use(allowOrigins(["https://shop.example"], { headers: "X-API-Key, Content-Type" }));
//
// It stands before what asks for credentials: a preflight carries none.

export function allowOrigins(origins, { headers, methods = "GET, POST, PUT, PATCH, DELETE" }) {
  const allowed = new Set(origins);
  return (request, response, next) => {
    response.vary("Origin");
    const origin = request.get("origin");
    if (allowed.has(origin)) {
      response.set("Access-Control-Allow-Origin", origin);
      response.set("Access-Control-Allow-Headers", headers);
      response.set("Access-Control-Allow-Methods", methods);
    }
    if (request.method === "OPTIONS" && request.get("access-control-request-method")) return response.status(204).end();
    next();
  };
}
