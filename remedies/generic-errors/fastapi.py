"""Answers every error with its status alone.

    answer_errors_generically(app)
"""

import logging
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

log = logging.getLogger(__name__)


def answer(status, headers=None):
    return JSONResponse({"error": HTTPStatus(status).phrase.lower()}, status, headers)


def answer_errors_generically(app):
    app.debug = False

    @app.exception_handler(HTTPException)
    async def refused(request, error):
        return answer(error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def malformed(request, error):
        # The handler of FastAPI repeats the input.
        fields = [list(problem["loc"]) for problem in error.errors()]
        return JSONResponse({"error": "unprocessable content", "fields": fields}, 422)

    @app.exception_handler(Exception)
    async def failed(request, error):
        # The class alone: texts of exceptions may hold what callers sent.
        log.error("unexpected %s", type(error).__name__)
        return answer(500)
