"""Standard Webhooks' reference library, mounted as its README shows, and Svix's, as its guide for Flask shows."""

from flask import request
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from svix.webhooks import Webhook as SvixWebhook
from svix.webhooks import WebhookVerificationError as SvixVerificationError

from .catalog import Operation, mounted

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = '{"type":"invoice.paid","timestamp":"2026-11-03T20:26:10Z","data":{"id":"inv_7c1","status":"paid"}}'


@mounted(
    "standardwebhooks-python",
    library="standardwebhooks",
    document="https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/python/README.md",
    scheme="standard-webhooks",
    signing={"preset": "standard-webhooks", "secret": SECRET},
    operations=(Operation("POST", "/webhooks", "application/json", EVENT),),
)
def mount_reference(app):
    @app.post("/webhooks")
    def webhooks():
        try:
            event = Webhook(SECRET).verify(request.get_data(), dict(request.headers))
        except WebhookVerificationError:
            return {"error": "invalid signature"}, 400
        app.logger.info("received %s", event)
        return {"received": True}


@mounted(
    "svix-python",
    library="svix",
    document="https://docs.svix.com/receiving/verifying-payloads/how",
    scheme="standard-webhooks",
    signing={
        "preset": "standard-webhooks",
        "secret": SECRET,
        "headers": {"nonce": "svix-id", "timestamp": "svix-timestamp", "signature": "svix-signature: v1,{sig}"},
    },
    operations=(Operation("POST", "/webhook", "application/json", EVENT),),
)
def mount_svix(app):
    @app.post("/webhook")
    def webhook_handler():
        headers = request.headers
        payload = request.get_data()
        try:
            SvixWebhook(SECRET).verify(payload, headers)
        except SvixVerificationError:
            return "", 400
        return "", 204
