"""Answers every error with its status alone.

    answer_errors_generically(app)
"""

from flask import jsonify, request
from werkzeug.exceptions import HTTPException


def answer_errors_generically(app):
    @app.errorhandler(HTTPException)
    def refused(error):
        response = error.get_response()
        response.data = jsonify({"error": error.name.lower()}).data
        response.content_type = "application/json"
        return response

    @app.errorhandler(Exception)
    def failed(error):
        # The class alone: texts of exceptions may hold what callers sent.
        app.logger.error("unexpected %s at %s", type(error).__name__, request.url_rule)
        return jsonify({"error": "internal server error"}), 500
