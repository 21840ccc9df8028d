"""Keeps every answer out of caches, except those whose route set Cache-Control.

    forbid_storing(app)
"""

from starlette.middleware.base import BaseHTTPMiddleware


def forbid_storing(app):
    async def forbid(request, call_next):
        response = await call_next(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=forbid)
