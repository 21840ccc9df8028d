// http-signature (draft-cavage), mounted as its README shows, for a shared secret.

import express from "express";
import httpSignature from "http-signature";
import { mounted } from "../catalog.mjs";
import { operations, orders } from "../orders.mjs";

const SECRETS = new Map([["northwind", "0a7d5c8e41f94b6cb2d3e8f7091a6c54"]]);

mounted({
  name: "http-signature",
  library: "http-signature",
  document: "https://github.com/TritonDataCenter/node-http-signature/blob/master/README.md",
  scheme: "cavage",
  signing: { preset: "cavage", key_id: "northwind", secret: SECRETS.get("northwind") },
  operations,
  mount(app) {
    app.use((req, res, next) => {
      let parsed;
      try {
        parsed = httpSignature.parseRequest(req);
      } catch {
        return res.status(401).json({ error: "unauthorized" });
      }
      const secret = SECRETS.get(parsed.keyId);
      if (secret === undefined || !httpSignature.verifyHMAC(parsed, secret)) {
        return res.status(401).json({ error: "unauthorized" });
      }
      return next();
    });
    app.use(express.json());
    orders(app);
  },
});
