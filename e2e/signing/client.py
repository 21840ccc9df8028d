"""The client's side of every scheme in the lab, written apart from the verifiers, and plain HTTP."""

import base64
import copy
import hashlib
import hmac
import http.client
import json
import re
import secrets
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import parse_qsl, unquote, urlsplit

import jwt

ENCODE = {
    "hex": bytes.hex,
    "base64": lambda raw: base64.b64encode(raw).decode(),
    "base64url": lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"=").decode(),
}
# Where a scheme keeps its signature: the header and what stands around the value.
SIGNATURE = {
    "slack": "v0=(.*)",
    "github": "sha256=(.*)",
    "stripe": "v1=([^,]*)",
    "standard-webhooks": "v1,(.*)",
    "sigv4": "Signature=(.*)",
    "rfc9421": "=:(.*):",
    "cavage": 'signature="([^"]*)"',
    "dpop": r"[^.]*\.[^.]*\.(.*)",
}


@dataclass
class Request:
    method: str
    target: str
    body: bytes = b""
    content_type: str | None = None
    host: str = ""
    headers: dict = field(default_factory=dict)

    def but(self, **changes):
        """Returns a copy with these fields changed and `headers` merged; None drops a header."""
        changed = copy.deepcopy(self)
        for name, value in changes.pop("headers", {}).items():
            changed.headers.pop(name, None)
            if value is not None:
                changed.headers[name] = value
        for name, value in changes.items():
            setattr(changed, name, value)
        return changed


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def accepted(self):
        """Whether it is a success, also where errors come with status 200."""
        refused = isinstance(self.json, dict) and self.json.get("ok") is False
        return 200 <= self.status < 300 and not refused


def send(port, request):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
    connection.putheader("Host", request.host)
    if request.content_type is not None:
        connection.putheader("Content-Type", request.content_type)
    if request.body or request.method in ("POST", "PUT"):
        connection.putheader("Content-Length", str(len(request.body)))
    for name, value in request.headers.items():
        connection.putheader(name, value.encode("utf-8") if isinstance(value, str) else value)
    connection.endheaders(request.body)
    response = connection.getresponse()
    answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
    connection.close()
    return answer


@dataclass
class Stamp:
    """What a client chooses for one request; `clock` is in seconds."""

    clock: float
    nonce: str
    key_id: str | None
    secret: str
    text: str | None = None


def sign(entry, request, shift=0, nonce=None, key_id=None, secret=None, **chosen):
    """Returns the request with the headers or parameters of its scheme; `shift` moves the clock, in seconds."""
    signing = entry["signing"]
    stamp = Stamp(
        time.time() + shift,
        nonce or secrets.token_hex(12),
        signing.get("key_id") if key_id is None else key_id,
        signing["secret"] if secret is None else secret,
        chosen.pop("text", None),
    )
    kind = SIGNERS.get(entry["scheme"], formula)
    return kind(signing, request, stamp, **chosen)


def mac(stamp, message, algorithm="sha256"):
    return hmac.new(stamp.secret.encode(), message, algorithm).digest()


def timestamp(signing, stamp):
    if stamp.text is not None:
        return stamp.text
    return str(int(stamp.clock * 1000 if signing.get("clock") == "ms" else stamp.clock))


def expand(template, request, stamp, ts):
    """Fills a canonical formula; the result is bytes, because bodies are."""
    path, _, query = request.target.partition("?")
    fields = {
        "ts": ts,
        "nonce": stamp.nonce,
        "key_id": stamp.key_id or "",
        "METHOD": request.method,
        "method": request.method.lower(),
        "host": request.host,
        "raw_path": path,
        "path": unquote(path, errors="replace"),
        "query": query,
        "path_query": request.target,
        "content_type": request.content_type or "",
        "body": request.body,
        "sha256hex(body)": hashlib.sha256(request.body).hexdigest(),
    }
    parts = re.split(r"\{([^{}]+)\}", template)
    out = b""
    for index, part in enumerate(parts):
        value = fields[part] if index % 2 else part
        out += value if isinstance(value, bytes) else value.encode()
    return out


def formula(signing, request, stamp):
    """The schemes whose configuration says it all: a formula, an algorithm, an encoding, headers."""
    names, ts = signing["headers"], timestamp(signing, stamp)
    if "canonical" not in signing:
        return request.but(headers={names["key_id"]: stamp.key_id})
    message = expand(signing["canonical"], request, stamp, ts)
    if signing["algorithm"] == "sha256-secret-first":
        raw = hashlib.sha256(stamp.secret.encode() + message).digest()
    else:
        raw = mac(stamp, message, signing["algorithm"].removeprefix("hmac-"))
    values = {
        "timestamp": ts,
        "nonce": stamp.nonce,
        "key_id": stamp.key_id,
        "signature": ENCODE[signing["encoding"]](raw),
    }
    headers = {name: expand(template, request, stamp, ts) for name, template in names.get("derived", {}).items()}
    return request.but(headers=headers | {name: values[role] for role, name in names.items() if role != "derived"})


def stripe(signing, request, stamp, scheme="v1"):
    ts = timestamp(signing, stamp)
    signature = mac(stamp, ts.encode() + b"." + request.body).hex()
    return request.but(headers={"Stripe-Signature": f"t={ts},{scheme}={signature}"})


def slack(signing, request, stamp):
    ts = timestamp(signing, stamp)
    signature = mac(stamp, f"v0:{ts}:".encode() + request.body).hex()
    return request.but(headers={"X-Slack-Request-Timestamp": ts, "X-Slack-Signature": f"v0={signature}"})


def github(_signing, request, stamp):
    return request.but(headers={"X-Hub-Signature-256": "sha256=" + mac(stamp, request.body).hex()})


def standard_webhooks(signing, request, stamp):
    ts, key = timestamp(signing, stamp), base64.b64decode(stamp.secret.removeprefix("whsec_"))
    raw = hmac.digest(key, f"{stamp.nonce}.{ts}.".encode() + request.body, "sha256")
    signature = f"v1,{base64.b64encode(raw).decode()}"
    return request.but(headers={"webhook-id": stamp.nonce, "webhook-timestamp": ts, "webhook-signature": signature})


def coinbase(signing, request, stamp):
    ts, names = timestamp(signing, stamp), signing["headers"]
    message = expand(signing.get("canonical", "{ts}{METHOD}{path_query}{body}"), request, stamp, ts)
    raw = hmac.digest(base64.b64decode(stamp.secret), message, "sha256")
    values = {"timestamp": ts, "key_id": stamp.key_id, "signature": base64.b64encode(raw).decode()}
    return request.but(headers={names[role]: value for role, value in values.items()})


def binance(signing, request, stamp, window=None):
    ts = timestamp(signing, stamp)
    parameters = f"timestamp={ts}" + (f"&recvWindow={window}" if window else "")
    target = request.target + ("&" if "?" in request.target else "?") + parameters
    message = expand(signing.get("canonical", "{query}{body}"), request.but(target=target), stamp, ts)
    signature = mac(stamp, message).hex()
    return request.but(target=f"{target}&signature={signature}", headers={"X-MBX-APIKEY": stamp.key_id})


def shopify(signing, request, stamp):
    target = request.target + ("&" if "?" in request.target else "?") + f"timestamp={timestamp(signing, stamp)}"
    pairs = sorted(f"{name}={value}" for name, value in parse_qsl(target.partition("?")[2], keep_blank_values=True))
    return request.but(target=f"{target}&signature={mac(stamp, ''.join(pairs).encode()).hex()}")


def twilio(_signing, request, stamp):
    target = request.target
    form = request.content_type == "application/x-www-form-urlencoded"
    if request.body and not form:
        target += ("&" if "?" in target else "?") + "bodySHA256=" + hashlib.sha256(request.body).hexdigest()
    message = f"http://{request.host}{target}"
    if form:
        message += "".join(name + value for name, value in sorted(parse_qsl(request.body.decode())))
    signature = base64.b64encode(mac(stamp, message.encode(), "sha1")).decode()
    return request.but(target=target, headers={"X-Twilio-Signature": signature})


def sigv4(signing, request, stamp, components=None):
    date = datetime.fromtimestamp(stamp.clock, UTC).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(request.body).hexdigest()
    values = {
        "host": request.host,
        "x-amz-date": date,
        "x-amz-content-sha256": digest,
        "content-type": request.content_type,
    }
    names = sorted(name for name in components or signing["components"] if values[name] is not None)
    path, _, query = request.target.partition("?")
    query = "&".join(sorted(part if "=" in part else part + "=" for part in query.split("&") if part))
    headers = "".join(f"{name}:{values[name]}\n" for name in names)
    canonical = "\n".join((request.method, path, query, headers, ";".join(names), digest))
    scope = f"{date[:8]}/{signing['region']}/{signing['service']}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + stamp.secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"AWS4-HMAC-SHA256 Credential={stamp.key_id}/{scope}, SignedHeaders={';'.join(names)}"
    authorization = f"{credential}, Signature={signature}"
    return request.but(headers={"X-Amz-Date": date, "X-Amz-Content-Sha256": digest, "Authorization": authorization})


def rfc9421(signing, request, stamp, components=None, label="sig1"):
    digest = f"sha-256=:{base64.b64encode(hashlib.sha256(request.body).digest()).decode()}:"
    values = {
        "@method": request.method,
        "@authority": request.host,
        "@target-uri": f"http://{request.host}{request.target}",
        "content-type": request.content_type,
        "content-digest": digest,
    }
    wanted = signing["components"] if components is None else components
    names = [name for name in wanted if values[name] is not None]
    listed = " ".join(f'"{name}"' for name in names)
    parameters = f'({listed});created={int(stamp.clock)};nonce="{stamp.nonce}";keyid="{stamp.key_id}"'
    base = "".join(f'"{name}": {values[name]}\n' for name in names) + f'"@signature-params": {parameters}'
    signature = base64.b64encode(mac(stamp, base.encode())).decode()
    return request.but(
        headers={
            "Content-Digest": digest,
            "Signature-Input": f"{label}={parameters}",
            "Signature": f"{label}=:{signature}:",
        }
    )


def cavage(signing, request, stamp, components=None):
    digest = "SHA-256=" + base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    date = format_datetime(datetime.fromtimestamp(int(stamp.clock), UTC), usegmt=True)
    values = {
        "(request-target)": f"{request.method.lower()} {request.target}",
        "host": request.host,
        "date": date,
        "digest": digest,
        "content-type": request.content_type,
    }
    names = [name for name in components or signing["components"] if values[name] is not None]
    text = "\n".join(f"{name}: {values[name]}" for name in names)
    signature = base64.b64encode(mac(stamp, text.encode())).decode()
    authorization = (
        f'Signature keyId="{stamp.key_id}",algorithm="hs2019",headers="{" ".join(names)}",signature="{signature}"'
    )
    return request.but(headers={"Date": date, "Digest": digest, "Authorization": authorization})


def dpop(signing, request, stamp):
    key = json.loads(stamp.secret)
    public = {name: key[name] for name in ("kty", "crv", "x", "y")}
    claims = {
        "htm": request.method,
        "htu": f"http://{request.host}{urlsplit(request.target).path}",
        "iat": int(stamp.clock),
        "jti": stamp.nonce,
        "ath": base64.urlsafe_b64encode(hashlib.sha256(signing["token"].encode()).digest()).rstrip(b"=").decode(),
    }
    proof = jwt.encode(claims, jwt.PyJWK(key).key, algorithm="ES256", headers={"typ": "dpop+jwt", "jwk": public})
    return request.but(headers={"DPoP": proof, "Authorization": f"DPoP {signing['token']}"})


SIGNERS = {
    "stripe": stripe,
    "slack": slack,
    "github": github,
    "standard-webhooks": standard_webhooks,
    "coinbase": coinbase,
    "binance": binance,
    "shopify-app-proxy": shopify,
    "twilio": twilio,
    "sigv4": sigv4,
    "rfc9421": rfc9421,
    "cavage": cavage,
    "dpop": dpop,
}


def signs_query(entry):
    """Whether the signature is a query parameter."""
    return "signature" in entry["signing"].get("query", {})


def signature_of(entry, request):
    """The signature of a signed request, without what stands around it."""
    if signs_query(entry):
        return request.target.rpartition("&signature=")[2]
    place = entry["signing"]["headers"]["signature"]
    return re.search(SIGNATURE.get(entry["scheme"], "(.*)"), request.headers[place]).group(1)


def with_signature(entry, request, signature):
    """The signed request with another signature in place of its own."""
    own = signature_of(entry, request)
    if signs_query(entry):
        return request.but(target=request.target[: len(request.target) - len(own)] + signature)
    place = entry["signing"]["headers"]["signature"]
    return request.but(headers={place: signature.join(request.headers[place].rsplit(own, 1))})


def without_signature(entry, request):
    if signs_query(entry):
        return request.but(target=request.target.rpartition("&signature=")[0])
    return request.but(headers={entry["signing"]["headers"]["signature"]: None})


def corrupted(entry, request):
    """The signed request with two characters of its signature changed: the first and the one in the middle."""
    own = list(signature_of(entry, request))
    for place in (0, len(own) // 2):
        own[place] = "0" if own[place] != "0" else "1"
    return with_signature(entry, request, "".join(own))
