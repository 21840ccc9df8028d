// Stripe's own library, mounted as its example of webhook signing for Express.

import express from "express";
import Stripe from "stripe";
import { mounted } from "../catalog.mjs";

const SECRET = "whsec_7d0b5f2c91e84a36b8c4";

mounted({
  name: "stripe-node",
  library: "stripe",
  document: "https://github.com/stripe/stripe-node/tree/master/examples/webhook-signing",
  scheme: "stripe",
  signing: {
    preset: "stripe",
    secret: SECRET,
    headers: { timestamp: "Stripe-Signature: t={ts},v1={sig}", signature: "Stripe-Signature: t={ts},v1={sig}" },
  },
  operations: [
    {
      method: "POST",
      target: "/webhook",
      content_type: "application/json",
      body: JSON.stringify({ id: "evt_1QnD3zJx", object: "event", type: "payment_intent.succeeded", data: { object: {} } }),
    },
  ],
  mount(app) {
    const stripe = new Stripe("sk_test_of_no_account");
    app.post("/webhook", express.raw({ type: "application/json" }), (req, res) => {
      const sig = req.headers["stripe-signature"];
      let event;
      try {
        event = stripe.webhooks.constructEvent(req.body, sig, SECRET);
      } catch (err) {
        console.log(`error: ${err.message}`);
        res.status(400).send(`Webhook Error: ${err.message}`);
        return;
      }
      console.log("success:", event.id);
      res.json({ received: true });
    });
  },
});
