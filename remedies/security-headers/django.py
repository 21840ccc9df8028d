"""Sets on every answer the headers that an API's answers should have.

    # settings.py; SecurityMiddleware sends the rest
    MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "shop.headers.set_policy", ...]
    SECURE_HSTS_SECONDS = 31536000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_CONTENT_TYPE_NOSNIFF = True
    SECURE_REFERRER_POLICY = "no-referrer"
"""


def set_policy(get_response):
    def set_header(request):
        response = get_response(request)
        response.headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
        return response

    return set_header
