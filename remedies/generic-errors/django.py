"""Answers every error with its status alone.

    # settings.py
    DEBUG = False
    MIDDLEWARE = ["shop.errors.AnswerErrorsGenerically", ...]
"""

import logging
from http import HTTPStatus

from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, JsonResponse

log = logging.getLogger(__name__)
STATUS = {Http404: 404, PermissionDenied: 403, BadRequest: 400, SuspiciousOperation: 400}


class AnswerErrorsGenerically:
    """Middleware: exceptions of views, and the pages that Django makes of errors."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        return answer(response.status_code) if response.status_code >= 400 and is_page else response

    def process_exception(self, request, error):
        status = next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)
        if status == 500:
            # The class alone: texts of exceptions may hold what callers sent.
            log.error("unexpected %s at %s", type(error).__name__, request.resolver_match.route)
        return answer(status)


def answer(status):
    return JsonResponse({"error": HTTPStatus(status).phrase.lower()}, status=status)
