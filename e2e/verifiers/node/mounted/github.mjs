// GitHub's methods for webhooks, mounted as GitHub's guide to validating deliveries shows.

import { verify } from "@octokit/webhooks-methods";
import express from "express";
import { mounted } from "../catalog.mjs";

const SECRET = "1f9c0e6b7d52438aa8c46e0d3b95f271";

mounted({
  name: "octokit-webhooks-methods",
  library: "@octokit/webhooks-methods",
  document: "https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#javascript-example",
  scheme: "github",
  signing: { preset: "github", secret: SECRET },
  operations: [
    {
      method: "POST",
      target: "/webhook",
      content_type: "application/json",
      body: JSON.stringify({ action: "opened", issue: { number: 7, title: "A leak" } }),
    },
  ],
  mount(app) {
    app.post("/webhook", express.text({ type: "*/*" }), async (req, res, next) => {
      try {
        const signature = req.headers["x-hub-signature-256"];
        if (!signature || !(await verify(SECRET, req.body, signature))) {
          return res.status(401).send("Unauthorized");
        }
        return res.json({ delivered: true });
      } catch (error) {
        return next(error);
      }
    });
  },
});
