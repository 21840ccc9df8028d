"""Errors in the styles that real APIs have."""

import json
import time
from html import escape

from flask import Response

REASONS = {400: "bad request", 404: "not found", 405: "method not allowed", 415: "unsupported media type"}


def refuse(errors, text=None):
    """The refusal of an app, with its own words unless `text` is given."""
    time.sleep(errors.delay_ms / 1000)
    return render(errors.style, errors.status, errors.text if text is None else text)


def fault(errors, status):
    """An error that is not about signatures, in the same style."""
    if errors.style == "ok-false" and status < 500:
        return render("ok-false", 200, REASONS.get(status, "bad request").replace(" ", "_"))
    return render(errors.style, status, REASONS.get(status, "internal server error"))


def render(style, status, text):
    match style:
        case "json":
            return respond(status, "application/json", json.dumps({"error": text}, ensure_ascii=False))
        case "coded":
            code = "SERVER_ERROR" if status >= 500 else "REQUEST_REFUSED"
            body = {"error": {"code": code, "message": text}, "success": False}
            return respond(status, "application/json", json.dumps(body, ensure_ascii=False))
        case "ok-false":
            return respond(status, "application/json", json.dumps({"ok": False, "error": text}, ensure_ascii=False))
        case "problem":
            body = {"type": "about:blank", "title": text, "status": status}
            return respond(status, "application/problem+json", json.dumps(body, ensure_ascii=False))
        case "text":
            return respond(status, "text/plain; charset=utf-8", text + "\n")
        case "html":
            page = f"<!doctype html>\n<title>{status}</title>\n<h1>{status}</h1>\n<p>{escape(text)}</p>\n"
            return respond(status, "text/html; charset=utf-8", page)
        case "xml":
            code = {403: "SignatureDoesNotMatch", 404: "NoSuchKey"}.get(status, "InvalidRequest")
            error = f"<Error><Code>{code}</Code><Message>{escape(text)}</Message></Error>"
            return respond(status, "application/xml", f'<?xml version="1.0" encoding="UTF-8"?>\n{error}\n')
    raise ValueError(f"unknown error style {style}")


def respond(status, content_type, body):
    return Response(body, status=status, headers={"Content-Type": content_type})
