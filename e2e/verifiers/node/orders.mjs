// The API behind the verifiers that sign every kind of request: an order, and a price for one.

export const operations = [
  { method: "GET", target: "/orders/1001?expand=lines", path: "/orders/{order_id}" },
  {
    method: "POST",
    target: "/quotes",
    content_type: "application/json",
    body: '{"item":"paper filters","quantity":400}',
  },
];

// Adds the operations. A verifier stands before them.
export function orders(app) {
  app.get("/orders/:order", (req, res) => {
    res.json({ id: req.params.order, item: "paper filters", pickup_code: "QX7-21" });
  });
  app.post("/quotes", (req, res) => {
    res.json({ quote: "Q-88", for: Buffer.isBuffer(req.body) ? req.body.toString() : (req.body ?? null) });
  });
}
