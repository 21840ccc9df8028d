// Standard Webhooks' reference library, mounted as its README shows.

import express from "express";
import { Webhook, WebhookVerificationError } from "standardwebhooks";
import { mounted } from "../catalog.mjs";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

mounted({
  name: "standardwebhooks-node",
  library: "standardwebhooks",
  document: "https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/javascript/README.md",
  scheme: "standard-webhooks",
  signing: { preset: "standard-webhooks", secret: SECRET },
  operations: [
    {
      method: "POST",
      target: "/webhooks",
      content_type: "application/json",
      body: JSON.stringify({ type: "invoice.paid", timestamp: "2026-11-03T20:26:10Z", data: { id: "inv_7c1" } }),
    },
  ],
  mount(app) {
    app.post("/webhooks", express.text({ type: "*/*" }), (req, res, next) => {
      const wh = new Webhook(SECRET);
      try {
        wh.verify(req.body, req.headers);
      } catch (error) {
        if (!(error instanceof WebhookVerificationError)) return next(error);
        return res.status(400).json({ error: "invalid signature" });
      }
      return res.json({ received: true });
    });
  },
});
