"""Issues and verifies tokens by a fixed rule. Needs PyJWT.

    tokens = Tokens(os.environ["JWT_SECRET"], issuer="https://shop.example", audience="orders-api")

    @app.get("/me")
    def me():
        return jsonify({"username": tokens.subject()})
"""

import time

import jwt
from flask import abort, request
from werkzeug.datastructures import WWWAuthenticate

LIFETIME_SECONDS = 900


class Tokens:
    def __init__(self, secret, issuer, audience):
        if len(secret.encode()) < 32:
            raise ValueError("a secret for HS256 has at least 32 bytes")
        self.secret, self.issuer, self.audience = secret, issuer, audience

    def issue(self, subject):
        now = int(time.time())
        claims = {"sub": subject, "iss": self.issuer, "aud": self.audience, "iat": now, "exp": now + LIFETIME_SECONDS}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def subject(self):
        """Returns whom the request's bearer token names; any other request is a 401."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            abort(401, www_authenticate=WWWAuthenticate("bearer"))
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=["HS256"],
                issuer=self.issuer,
                audience=self.audience,
                options={"require": ["sub", "iss", "aud", "iat", "exp"]},
            )
        except jwt.InvalidTokenError:
            abort(401, www_authenticate=WWWAuthenticate("bearer"))
        return claims["sub"]
