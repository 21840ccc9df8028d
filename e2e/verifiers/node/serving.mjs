// An Express app around a mounted verifier, with its description.

import express from "express";
import { template } from "./catalog.mjs";

// The app: `/health`, `/openapi.json` and the verifier's routes. Express answers what is thrown.
export function serve(entry) {
  const app = express();
  app.get("/health", (_, res) => res.json({ status: "up" }));
  app.get("/openapi.json", (_, res) => res.json(describe(entry)));
  entry.mount(app);
  return app;
}

function describe(entry) {
  const paths = { "/health": { get: { operationId: "health", security: [], responses } } };
  for (const operation of entry.operations) {
    const path = template(operation);
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: described(operation, path) };
  }
  const name = entry.signing.headers?.signature?.split(":")[0] ?? "Authorization";
  return {
    openapi: "3.0.3",
    info: { title: entry.name, version: "1.0.0" },
    servers: [{ url: "/" }],
    paths,
    components: { securitySchemes: { signature: { type: "apiKey", in: "header", name } } },
  };
}

function described(operation, path) {
  const described = {
    operationId: operation.method.toLowerCase() + path.replace(/\W+/g, "_"),
    security: [{ signature: [] }],
    parameters: [...pathParameters(operation, path), ...queryParameters(operation)],
    responses,
  };
  if (operation.body !== undefined) {
    const example = JSON.parse(operation.body);
    described.requestBody = {
      required: true,
      content: { [operation.content_type]: { schema: { type: "object" }, example } },
    };
  }
  return described;
}

const responses = { 200: { description: "Done" } };

function pathParameters({ target }, path) {
  const names = [...path.matchAll(/{(\w+)}/g)].map(([, name]) => name);
  const values = target.split("?")[0].match(new RegExp(`^${path.replace(/{\w+}/g, "([^/]+)")}$`)).slice(1);
  return names.map((name, position) => parameter(name, "path", values[position]));
}

const queryParameters = ({ target }) =>
  [...new URLSearchParams(target.split("?")[1])].map(([name, value]) => parameter(name, "query", value));

const parameter = (name, place, value) => ({
  name,
  in: place,
  required: true,
  schema: { type: "string" },
  example: value,
});
