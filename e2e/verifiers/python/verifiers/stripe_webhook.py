"""Stripe's own library, mounted as `examples/webhooks.py` of stripe-python."""

import stripe
from flask import request

from .catalog import Operation, mounted

SECRET = "whsec_7d0b5f2c91e84a36b8c4"
EVENT = (
    '{"id":"evt_1QnD3zJx","object":"event","type":"payment_intent.succeeded",'
    '"data":{"object":{"id":"pi_3QnD3y","object":"payment_intent","amount":2000}}}'
)


@mounted(
    "stripe-python",
    library="stripe",
    document="https://github.com/stripe/stripe-python/blob/master/examples/webhooks.py",
    scheme="stripe",
    signing={"preset": "stripe", "secret": SECRET, "headers": {"signature": "Stripe-Signature: t={ts},v1={sig}"}},
    operations=(Operation("POST", "/webhooks", "application/json", EVENT),),
)
def mount(app):
    @app.post("/webhooks")
    def webhooks():
        payload = request.data
        received_sig = request.headers.get("Stripe-Signature", None)
        try:
            event = stripe.Webhook.construct_event(payload, received_sig, SECRET)
        except ValueError:
            return "Bad payload", 400
        except stripe.SignatureVerificationError:
            return "Bad signature", 400
        app.logger.info("received event: id=%s, type=%s", event.id, event.type)
        return "", 200
