"""The orders API in FastAPI: careless, or with the remedies that are named.

    python e2e/mended/fastapi_orders.py PORT keyed|signed [REMEDY...]
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.middleware.base import BaseHTTPMiddleware

import before

sys.path.append(str(Path(__file__).parents[1]))
from remedy import remedy

PUBLIC = {"/openapi.json"}


def orders_api(guard, remedies):
    app = FastAPI(openapi_url=None)
    guards = []
    # What is added last sees a request first.
    if "verify-signature" in remedies:
        remedy("verify-signature", "fastapi").require_signature(app, before.SECRETS.get, public=PUBLIC)
    elif "api-key-lookup" in remedies:
        guards = [Depends(remedy("api-key-lookup", "fastapi").key_lookup(before.digests().get))]
    else:
        app.add_middleware(BaseHTTPMiddleware, dispatch=careless(guard))
    if "generic-errors" in remedies:
        remedy("generic-errors", "fastapi").answer_errors_generically(app)
    if "security-headers" in remedies:
        remedy("security-headers", "fastapi").set_security_headers(app)
    if "no-store-answers" in remedies:
        remedy("no-store-answers", "fastapi").forbid_storing(app)
    if "cors-allow-list" in remedies:
        remedy("cors-allow-list", "fastapi").allow_origins(app, ["https://shop.example"], headers=["X-API-Key"])
    else:
        app.add_middleware(BaseHTTPMiddleware, dispatch=reflect_every_origin)

    @app.get("/openapi.json")
    def openapi():
        return before.description(guard)

    add_routes(app, guards, guard, remedies)
    return app


def careless(guard):
    async def check(request, call_next):
        if request.url.path in PUBLIC:
            return await call_next(request)
        if guard == "signed":
            good = before.signed_as_in_the_article(
                request.headers.get("X-Timestamp"),
                request.headers.get("X-Signature"),
                request.method,
                request.url.path,
                (await request.body()).decode(errors="replace"),
            )
        else:
            key = request.headers.get("X-API-Key")
            request.state.key = before.client_of(key)
            good = before.known(key)
        return await call_next(request) if good else JSONResponse({"error": "unauthorized"}, 401)

    return check


async def reflect_every_origin(request, call_next):
    response = await call_next(request)
    response.headers["Access-Control-Allow-Origin"] = request.headers.get("Origin", "*")
    response.headers["Access-Control-Allow-Credentials"] = "true"
    return response


def add_routes(app, guards, guard, remedies):
    def own(request: Request):
        return before.ORDERS[request.state.key["name"] if guard == "keyed" else "acme"]

    @app.get("/orders", dependencies=guards)
    def list_orders(request: Request):
        return {"orders": own(request)}

    def one_of(request, number):
        found = [order for order in own(request) if order["id"] == number]
        return found[0] if found else JSONResponse({"error": "not found"}, 404)

    if "generic-errors" in remedies:

        @app.get("/orders/{number}", dependencies=guards)
        def read_order(request: Request, number: int):
            return one_of(request, number)
    else:

        @app.get("/orders/{number}", dependencies=guards)
        def read_order(request: Request, number: str):
            try:
                return one_of(request, int(number))
            except ValueError as e:
                raise HTTPException(400, str(e)) from e

    @app.get("/search", dependencies=guards)
    def find_orders(request: Request, q: str):
        return {"orders": [order for order in own(request) if q in order["item"]]}

    @app.post("/echo", dependencies=guards)
    def echo(body: dict = Body()):
        return {"received": body}

    shown = None
    if "declared-fields" in remedies:

        class Profile(remedy("declared-fields", "fastapi").Answer):
            name: str
            plan: str

        shown = Profile

    @app.get("/profile", dependencies=guards, response_model=shown)
    def read_profile(request: Request):
        return request.state.key


if __name__ == "__main__":
    port, guard, *remedies = sys.argv[1:]
    uvicorn.run(orders_api(guard, remedies), host="127.0.0.1", port=int(port), log_level="warning", server_header=False)
