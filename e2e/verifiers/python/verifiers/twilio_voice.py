"""Twilio's own library, mounted as its tutorial for Flask shows."""

from functools import wraps

from flask import abort, request
from twilio.request_validator import RequestValidator

from .catalog import Operation, mounted

TOKEN = "b3c94e1f6a0d47d2a58e92f1c07d6e35"
CALL = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%2B18005551212"


@mounted(
    "twilio-python",
    library="twilio",
    document="https://www.twilio.com/docs/usage/tutorials/how-to-secure-your-flask-app-by-validating-incoming-twilio-requests",
    scheme="twilio",
    signing={"preset": "twilio", "secret": TOKEN},
    operations=(Operation("POST", "/voice", "application/x-www-form-urlencoded", CALL),),
)
def mount(app):
    @app.post("/voice")
    @validate_twilio_request
    def incoming_call():
        twiml = f"<Response><Say>Thanks for calling {request.form.get('To', '')}</Say></Response>"
        return twiml, 200, {"Content-Type": "text/xml"}


def validate_twilio_request(f):
    """Validates that incoming requests genuinely originated from Twilio."""

    @wraps(f)
    def decorated_function(*args, **kwargs):
        validator = RequestValidator(TOKEN)
        request_valid = validator.validate(request.url, request.form, request.headers.get("X-TWILIO-SIGNATURE", ""))
        if request_valid:
            return f(*args, **kwargs)
        return abort(403)

    return decorated_function
