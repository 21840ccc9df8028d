// Issues and verifies tokens by a fixed rule. Needs jose.
//
//   const tokens = tokensOf(process.env.JWT_SECRET, { issuer: "https://shop.example", audience: "orders-api" });
//   app.get("/me", tokens.required, (request, response) => response.json({ username: request.subject }));

import { SignJWT, jwtVerify } from "jose";

export function tokensOf(text, { issuer, audience }) {
  const secret = new TextEncoder().encode(text);
  if (secret.length < 32) throw new Error("a secret for HS256 has at least 32 bytes");
  const rule = { algorithms: ["HS256"], issuer, audience, requiredClaims: ["sub", "iat", "exp"] };

  const issue = (subject) =>
    new SignJWT()
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setSubject(subject)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("15m")
      .sign(secret);

  async function required(request, response, next) {
    const [, token = ""] = /^Bearer ([^ ]+)$/i.exec(request.get("authorization") ?? "") ?? [];
    try {
      request.subject = (await jwtVerify(token, secret, rule)).payload.sub;
    } catch {
      return response.status(401).set("WWW-Authenticate", "Bearer").json({ error: "unauthorized" });
    }
    next();
  }

  return { issue, required };
}
