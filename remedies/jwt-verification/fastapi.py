"""Issues and verifies tokens by a fixed rule. Needs PyJWT.

    tokens = Tokens(os.environ["JWT_SECRET"], issuer="https://shop.example", audience="orders-api")

    @app.get("/me")
    def me(username: Annotated[str, Depends(tokens.subject)]):
        return {"username": username}
"""

import time
from typing import Annotated

import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

LIFETIME_SECONDS = 900
Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Tokens:
    def __init__(self, secret, issuer, audience):
        if len(secret.encode()) < 32:
            raise ValueError("a secret for HS256 has at least 32 bytes")
        self.secret, self.issuer, self.audience = secret, issuer, audience

    def issue(self, subject):
        now = int(time.time())
        claims = {"sub": subject, "iss": self.issuer, "aud": self.audience, "iat": now, "exp": now + LIFETIME_SECONDS}
        return jwt.encode(claims, self.secret, algorithm="HS256")

    def subject(self, bearer: Bearer):
        """Dependency: whom the request's bearer token names; any other request is a 401."""
        try:
            claims = jwt.decode(
                bearer.credentials if bearer else "",
                self.secret,
                algorithms=["HS256"],
                issuer=self.issuer,
                audience=self.audience,
                options={"require": ["sub", "iss", "aud", "iat", "exp"]},
            )
        except jwt.InvalidTokenError:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
        return claims["sub"]
