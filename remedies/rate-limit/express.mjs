// Limits failed tries per client address.
//
//   app.post("/login", limitTries({ most: 5, seconds: 60 }), login);    // a failure answers with 401

export function limitTries({ most, seconds }) {
  const tries = new Map();
  return (request, response, next) => {
    const now = Date.now();
    for (const [address, { until }] of tries) if (until <= now) tries.delete(address);
    const own = tries.get(request.ip) ?? { count: 0, until: now + 1000 * seconds };
    tries.set(request.ip, own);
    if (own.count >= most) {
      return response.status(429).set("Retry-After", String(seconds)).json({ error: "too many requests" });
    }
    // Counted before the secret is checked, taken back when that went well.
    own.count += 1;
    response.on("finish", () => {
      if (response.statusCode !== 401) own.count -= 1;
    });
    next();
  };
}
