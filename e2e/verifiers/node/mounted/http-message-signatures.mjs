// http-message-signatures (RFC 9421), mounted as its README shows ("minimal verification").

import express from "express";
import messageSignatures from "http-message-signatures";
import { mounted } from "../catalog.mjs";
import { operations, orders } from "../orders.mjs";

const { httpbis, createVerifier } = messageSignatures;
const SECRET = "9e1f6b04d7c84c0a8b35a2f1e06d7c92";
const KEYS = new Map([
  ["northwind", { id: "northwind", algs: ["hmac-sha256"], verify: createVerifier(SECRET, "hmac-sha256") }],
]);

mounted({
  name: "http-message-signatures-node",
  library: "http-message-signatures",
  document: "https://github.com/dhensby/node-http-message-signatures/blob/main/README.md",
  scheme: "rfc9421",
  signing: { preset: "rfc9421", key_id: "northwind", secret: SECRET },
  operations,
  mount(app) {
    app.use(async (req, res, next) => {
      const message = { method: req.method, url: `http://${req.get("host")}${req.originalUrl}`, headers: req.headers };
      try {
        const keyLookup = async ({ keyid }) => KEYS.get(keyid);
        if (!(await httpbis.verifyMessage({ keyLookup }, message))) {
          return res.status(401).json({ error: "unauthorized" });
        }
      } catch {
        return res.status(401).json({ error: "unauthorized" });
      }
      return next();
    });
    app.use(express.json());
    orders(app);
  },
});
