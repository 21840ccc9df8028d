"""Sets on every answer the headers that an API's answers should have.

    set_security_headers(app)

gunicorn and Werkzeug name themselves in `Server`: a proxy in front drops that.
"""

from flask import request

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


def set_security_headers(app):
    @app.after_request
    def set_headers(response):
        response.headers.update(HEADERS)
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response
