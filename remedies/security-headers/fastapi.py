"""Sets on every answer the headers that an API's answers should have.

    set_security_headers(app)

uvicorn names itself in `Server` unless it is started with --no-server-header.
"""

from starlette.middleware.base import BaseHTTPMiddleware

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def set_security_headers(app):
    async def set_headers(request, call_next):
        response = await call_next(request)
        response.headers.update(HEADERS)
        if request.url.scheme == "https":
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response

    app.add_middleware(BaseHTTPMiddleware, dispatch=set_headers)
