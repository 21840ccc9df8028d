"""What a scan does not reach in the Python files of `remedies/`, by calling it.

    python e2e/remedies_test.py
"""

import asyncio
import io
import json
import logging
import os
import time
import unittest
from unittest import mock

import django
import jwt
from django.conf import settings
from fastapi import Depends, FastAPI, HTTPException
from flask import Flask, abort, jsonify, request

from remedy import remedy

SECRET = "Xq7vTz1nWc4LrYp0KfJs8HbGmDe5Ua29Rt3iNo6xQvBk2SwZhPy7jCuEl8gMdA4f"
KEY = "sk_live_55d0a1c7b2e94f6c8a13"
RULE = {"issuer": "https://shop.example", "audience": "orders-api"}

settings.configure(CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}})
django.setup()


def call(app, path, headers=(), query=""):
    """Returns status and headers of an ASGI application's answer to a GET."""
    started = {}

    async def receive():
        return {"type": "http.request", "body": b""}

    async def send(message):
        if message["type"] == "http.response.start":
            started.update(status=message["status"], headers=dict(message["headers"]))

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("127.0.0.1", 1),
    }
    asyncio.run(app(scope, receive, send))
    return started["status"], started["headers"]


def tokens_to_refuse():
    """Returns tokens that break the rule in one point each."""
    now = int(time.time())
    good = {"sub": "alice", "iss": RULE["issuer"], "aud": RULE["audience"], "iat": now, "exp": now + 60}

    def token(secret=SECRET, algorithm="HS256", **other):
        claims = {name: value for name, value in (good | other).items() if value is not None}
        return jwt.encode(claims, secret, algorithm=algorithm)

    return {
        "expired": token(exp=now - 60),
        "without an end": token(exp=None),
        "for another audience": token(aud="billing-api"),
        "of another issuer": token(iss="https://evil.example"),
        "of another secret": token(secret=SECRET[::-1]),
        "of another algorithm": token(algorithm="HS512"),
        "unsigned": token(secret=None, algorithm="none"),
        "none at all": "",
    }


class Tokens(unittest.TestCase):
    def test_flask_follows_the_rule(self):
        app = Flask(__name__)
        tokens = remedy("jwt-verification", "flask").Tokens(SECRET, **RULE)
        app.add_url_rule("/me", view_func=lambda: jsonify(tokens.subject()))

        def status(token):
            return app.test_client().get("/me", headers={"Authorization": f"Bearer {token}"}).status_code

        self.assertEqual(status(tokens.issue("alice")), 200)
        for why, token in tokens_to_refuse().items():
            self.assertEqual(status(token), 401, why)

    def test_fastapi_follows_the_rule(self):
        app = FastAPI()
        tokens = remedy("jwt-verification", "fastapi").Tokens(SECRET, **RULE)
        app.get("/me")(lambda subject=Depends(tokens.subject): subject)

        def status(token):
            return call(app, "/me", [("Authorization", f"Bearer {token}")])[0]

        self.assertEqual(status(tokens.issue("alice")), 200)
        for why, token in tokens_to_refuse().items():
            self.assertEqual(status(token), 401, why)

    def test_a_short_secret_is_refused(self):
        for framework in ("flask", "fastapi"):
            with self.assertRaises(ValueError):
                remedy("jwt-verification", framework).Tokens("secret", **RULE)


class Tries(unittest.TestCase):
    """Two failures are allowed; what succeeds is not counted."""

    expected = [200, 200, 200, 401, 401, 429]
    passwords = ["right", "right", "right", "wrong", "wrong", "right"]

    def test_flask_stops_after_the_limit(self):
        app = Flask(__name__)
        tries = remedy("rate-limit", "flask").Tries(most=2, seconds=60)
        login = tries.limited(lambda: "in" if request.args["password"] == "right" else abort(401))
        app.add_url_rule("/login", view_func=login)
        answers = [app.test_client().get("/login", query_string={"password": word}) for word in self.passwords]
        self.assertEqual([answer.status_code for answer in answers], self.expected)
        self.assertEqual(answers[-1].headers["Retry-After"], "60")

    def test_fastapi_stops_after_the_limit(self):
        app = FastAPI()
        tries = remedy("rate-limit", "fastapi").Tries(most=2, seconds=60)

        @app.get("/login", dependencies=[Depends(tries)])
        def login(password: str):
            if password != "right":
                raise HTTPException(401)

        answers = [call(app, "/login", query=f"password={word}") for word in self.passwords]
        self.assertEqual([status for status, _ in answers], self.expected)
        self.assertEqual(answers[-1][1][b"retry-after"], b"60")

    def test_django_stops_after_the_limit(self):
        from django.http import HttpResponse
        from django.test import RequestFactory

        @remedy("rate-limit", "django").limited(most=2, seconds=60)
        def login(request):
            return HttpResponse(status=200 if request.GET["password"] == "right" else 401)

        answers = [login(RequestFactory().get("/login", {"password": word})) for word in self.passwords]
        self.assertEqual([answer.status_code for answer in answers], self.expected)
        self.assertEqual(answers[-1].headers["Retry-After"], "60")


class Logs(unittest.TestCase):
    def setUp(self):
        make = logging.getLogRecordFactory()
        self.addCleanup(logging.setLogRecordFactory, make)
        self.log = io.StringIO()
        handler = logging.StreamHandler(self.log)
        logger = logging.getLogger("orders")
        logger.addHandler(handler)
        self.addCleanup(logger.removeHandler, handler)

    def shows_no_credential(self):
        lines = self.log.getvalue().splitlines()
        self.assertEqual(len(lines), 3, lines)
        self.assertEqual(lines[0], "key [masked] came")
        self.assertEqual(lines[1], '"GET /orders?api_key=[masked]&page=2"')
        self.assertEqual(lines[2], "searched for a\\r\\nadmin logged in")

    def write(self, key):
        log = logging.getLogger("orders")
        log.warning("key %s came", key)
        log.warning('"GET /orders?api_key=%s&page=2"', "sk_live_of_another_request")
        log.warning("searched for %s", "a\r\nadmin logged in")

    def test_flask_masks_credentials_and_line_breaks(self):
        remedy("key-out-of-logs", "flask").keep_credentials_out_of_logs()
        with Flask(__name__).test_request_context("/orders", headers={"X-API-Key": KEY}):
            self.write(KEY)
        self.shows_no_credential()

    def test_fastapi_masks_credentials_and_line_breaks(self):
        app = FastAPI()
        remedy("key-out-of-logs", "fastapi").keep_credentials_out_of_logs(app)
        app.get("/orders")(lambda: self.write(KEY))
        self.assertEqual(call(app, "/orders", [("X-API-Key", KEY)])[0], 200)
        self.shows_no_credential()


class Keys(unittest.TestCase):
    def test_flask_asks_for_the_scope(self):
        keys, app = remedy("api-key-lookup", "flask"), Flask(__name__)
        key, digest = keys.new_key()
        keys.require_key(app, {digest: {"scopes": ["orders:read"]}}.get)
        app.add_url_rule("/read", "read", keys.needs_scope("orders:read")(lambda: "read"))
        app.add_url_rule("/export", "export", keys.needs_scope("orders:export")(lambda: "exported"))
        status = {path: app.test_client().get(path, headers={"X-API-Key": key}).status_code for path in ("/read", "/export")}
        self.assertEqual(status, {"/read": 200, "/export": 403})
        self.assertEqual(app.test_client().get("/read", headers={"X-API-Key": key[:-1]}).status_code, 401)

    def test_fastapi_asks_for_the_scope(self):
        keys = remedy("api-key-lookup", "fastapi")
        key, digest = keys.new_key()
        app = FastAPI(dependencies=[Depends(keys.key_lookup({digest: {"scopes": ["orders:read"]}}.get))])
        app.get("/read", dependencies=[Depends(keys.needs_scope("orders:read"))])(lambda: "read")
        app.get("/export", dependencies=[Depends(keys.needs_scope("orders:export"))])(lambda: "exported")
        status = {path: call(app, path, [("X-API-Key", key)])[0] for path in ("/read", "/export")}
        self.assertEqual(status, {"/read": 200, "/export": 403})
        self.assertEqual(call(app, "/read", [("X-API-Key", key[:-1])])[0], 401)


class Secrets(unittest.TestCase):
    def test_weak_ones_end_the_program_and_are_not_repeated(self):
        read = remedy("secret-from-environment", "python").secret
        with mock.patch.dict(os.environ, {"SIGNING_SECRET": SECRET}):
            self.assertEqual(read("SIGNING_SECRET"), SECRET)
        for weak in ("", "changeme", "{{shared_secret}}", "a" * 40, "change-me-" + SECRET):
            with mock.patch.dict(os.environ, {"SIGNING_SECRET": weak}), self.assertRaises(SystemExit) as ended:
                read("SIGNING_SECRET")
            self.assertTrue(not weak or weak not in str(ended.exception))


class Answers(unittest.TestCase):
    def test_members_below_are_picked_too(self):
        only = remedy("declared-fields", "flask").only
        fields = {"id": None, "owner": {"name"}, "lines": {"item"}}
        record = {"id": 7, "cost": 3, "owner": {"name": "acme", "api_key": KEY}, "lines": [{"item": "a", "margin": 2}]}
        self.assertEqual(only(fields, record), {"id": 7, "owner": {"name": "acme"}, "lines": [{"item": "a"}]})


class Expressions(unittest.TestCase):
    def test_names_are_listed_and_values_bound(self):
        expression = remedy("dynamodb-expression", "boto3")
        names = expression.projection("title", "size")
        self.assertEqual(names["ProjectionExpression"], "#f0, #f1")
        self.assertEqual(names["ExpressionAttributeNames"], {"#f0": "title", "#f1": "size"})
        with self.assertRaises(expression.UnknownName):
            expression.matching("attribute_not_exists(x) or phase", "open", allowed=("phase",))
        bound = expression.statement("SELECT title FROM records WHERE title = ?", "' OR 'a'='a")
        self.assertEqual(json.dumps(bound["Parameters"]), '[{"S": "\' OR \'a\'=\'a"}]')


if __name__ == "__main__":
    unittest.main()
