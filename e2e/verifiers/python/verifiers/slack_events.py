"""Slack's own library, mounted as its guide to verifying requests shows."""

from flask import make_response, request
from slack_sdk.signature import SignatureVerifier

from .catalog import Operation, mounted

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"
COMMAND = "command=%2Fweather&text=94070&team_id=T0001&user_id=U2CERLKJA"


@mounted(
    "slack-sdk",
    library="slack_sdk",
    document="https://docs.slack.dev/authentication/verifying-requests-from-slack",
    scheme="slack",
    signing={"preset": "slack", "secret": SECRET},
    operations=(Operation("POST", "/slack/events", "application/x-www-form-urlencoded", COMMAND),),
)
def mount(app):
    verifier = SignatureVerifier(SECRET)

    @app.post("/slack/events")
    def slack_app():
        if not verifier.is_valid_request(request.get_data(), request.headers):
            return make_response("invalid request", 403)
        return make_response(f"The weather of {request.form.get('text', 'nowhere')} is fine.", 200)
