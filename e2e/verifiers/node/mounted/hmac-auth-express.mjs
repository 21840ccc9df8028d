// hmac-auth-express, an HMAC middleware, mounted as its README shows.
//
// Express gives a request without a body the body `{}`, which the library signs as such: a formula of
// the body as sent covers only requests that have one, hence the one operation.

import express from "express";
import { AuthError, HMAC } from "hmac-auth-express";
import { mounted } from "../catalog.mjs";
import { operations, orders } from "../orders.mjs";

const SECRET = "5b8e0c3f96d14a27b7f2e1d890c64a35";

mounted({
  name: "hmac-auth-express",
  library: "hmac-auth-express",
  document: "https://github.com/connorjburton/hmac-auth-express/blob/master/README.md",
  scheme: "own form",
  signing: {
    canonical: "{ts}{METHOD}{path_query}{md5hex(body)}",
    secret: SECRET,
    clock: "ms",
    window_s: 300,
    headers: { timestamp: "Authorization: HMAC {ts}:{sig}", signature: "Authorization: HMAC {ts}:{sig}" },
  },
  operations: operations.filter(({ body }) => body !== undefined),
  mount(app) {
    app.use(express.json());
    app.use(HMAC(SECRET));
    orders(app);
    app.use((error, req, res, next) => {
      if (!(error instanceof AuthError)) return next(error);
      return res.status(401).json({ error: "Invalid request", info: error.message });
    });
  },
});
