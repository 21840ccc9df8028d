"""Keeps every answer out of caches, except those whose view set Cache-Control.

    forbid_storing(app)
"""


def forbid_storing(app):
    @app.after_request
    def forbid(response):
        response.headers.setdefault("Cache-Control", "no-store")
        return response
