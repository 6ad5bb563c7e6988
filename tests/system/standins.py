"""Stand-ins for Slack, PagerDuty, a webhook and what apprise tells, and a mail server: scripts for a host of the tests.

Each notes what it took as a line of JSON in /run/told/NAME. What the services document of their payloads is checked as
they do it: what is wrong is answered with 400 and noted under `refused`. While /run/told/outage is there all HTTP
answers are 503.
"""

from __future__ import annotations

from typing import Final

HTTP_PORT: Final = 5080
MAIL_PORT: Final = 5025
USER: Final = "healthd"
PASSWORD: Final = "mail-s3cret"

HTTP: Final = """
import base64, datetime, hashlib, hmac, http.server, json, pathlib, re, time

TOLD = pathlib.Path("/run/told")
SECRET = b"hook-s3cret"

def need(true, why):
    if not true:
        raise ValueError(why)

def text(block, most, kinds=("plain_text", "mrkdwn")):
    need(block["type"] in kinds, "invalid_blocks: type of text")
    need(0 < len(block["text"]) <= most, "invalid_blocks: length of text")
    need(set(block) <= {"type", "text", "emoji", "verbatim"}, "invalid_blocks: fields of text")

def slack(said, headers, body):
    need(set(said) <= {"text", "blocks", "attachments", "thread_ts", "mrkdwn"}, "invalid_payload")
    need(said.get("text") or said.get("blocks"), "no_text")
    need(len(said.get("attachments", [])) <= 100, "too_many_attachments")
    for attachment in said.get("attachments", []):
        need(re.fullmatch("#[0-9a-f]{6}|good|warning|danger", attachment["color"]), "invalid_attachments: color")
        need(0 < len(attachment["blocks"]) <= 50, "invalid_blocks")
        for block in attachment["blocks"]:
            kind = block["type"]
            if kind == "header":
                text(block["text"], 150, ("plain_text",))
            elif kind == "section":
                text(block["text"], 3000)
            elif kind == "context":
                need(0 < len(block["elements"]) <= 10, "invalid_blocks: elements")
                for element in block["elements"]:
                    text(element, 3000)
            else:
                need(kind == "divider", "invalid_blocks: " + kind)
    return 200, b"ok"

def pagerduty(said, headers, body):
    known = {"routing_key", "event_action", "dedup_key", "payload", "client", "client_url", "links", "images"}
    need(set(said) <= known, "unknown fields")
    need(re.fullmatch("[0-9a-f]{32}", said["routing_key"]), "Invalid routing key")
    need(said["event_action"] in ("trigger", "acknowledge", "resolve"), "event_action")
    need(0 < len(said["dedup_key"]) <= 255, "dedup_key")
    if said["event_action"] == "trigger":
        payload = said["payload"]
        optional = {"timestamp", "component", "group", "class", "custom_details"}
        needed = {"summary", "source", "severity"}
        need(needed <= set(payload) <= needed | optional, "payload")
        need(0 < len(payload["summary"]) <= 1024 and payload["source"], "summary, source")
        need(payload["severity"] in ("critical", "error", "warning", "info"), "severity")
        datetime.datetime.fromisoformat(payload["timestamp"])
    need(len(body) <= 512 * 1024, "too large")
    key = said["dedup_key"]
    return 202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": key}).encode()

def change(said, headers, body):
    need(set(said) <= {"routing_key", "payload", "links", "images"}, "unknown fields")
    need(re.fullmatch("[0-9a-f]{32}", said["routing_key"]), "Invalid routing key")
    payload = said["payload"]
    need({"summary"} <= set(payload) <= {"summary", "timestamp", "source", "custom_details"}, "payload")
    need(0 < len(payload["summary"]) <= 1024, "summary")
    datetime.datetime.fromisoformat(payload["timestamp"])
    return 202, json.dumps({"status": "success", "message": "Change event processed"}).encode()

def webhook(said, headers, body):
    signed = hmac.new(SECRET, headers["X-Healthd-Timestamp"].encode() + b"." + body, "sha256").hexdigest()
    need(hmac.compare_digest(headers["X-Healthd-Signature"], "sha256=" + signed), "signature")
    need(headers["Idempotency-Key"] == said["id"] and said["version"] == 1, "id, version")
    return 204, b""

def apprise(said, headers, body):
    sent = base64.b64encode(b"healthd:app-s3cret").decode()
    need(headers["Authorization"] == "Basic " + sent, "Authorization")
    need(said["type"] in ("info", "success", "warning", "failure") and said["title"] and said["message"], "fields")
    return 200, b""

ROUTES = {"/services/T0/B0/slack-s3cret": slack, "/v2/enqueue": pagerduty, "/hook": webhook}
ROUTES |= {"/v2/change/enqueue": change, "/app": apprise}

class StandIn(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        at = time.time()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name, status, answer = "refused", 400, b""
        try:
            need(self.headers["Content-Type"] == "application/json", "Content-Type")
            route = ROUTES[self.path]
            status, answer = route(json.loads(body), self.headers, body)
            name = route.__name__
        except (KeyError, TypeError, ValueError) as error:
            answer = repr(error).encode()
        if (TOLD / "outage").exists():
            name, status, answer = "outage", 503, b"not now"
        with (TOLD / name).open("a") as file:
            file.write(json.dumps({"at": at, "said": json.loads(body), "answer": answer.decode()}) + "\\n")
        self.send_response(status)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_GET(self):
        known = self.path == "/switch/switch-s3cret"
        if known:
            (TOLD / "switch").touch()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

TOLD.mkdir(exist_ok=True)
http.server.ThreadingHTTPServer(("127.0.0.1", 5080), StandIn).serve_forever()
"""

MAIL: Final = """
import asyncio, email, email.policy, json, pathlib, ssl, subprocess, time
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

TOLD = pathlib.Path("/run/told")

class Mailbox:
    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        parts = {part.get_content_subtype(): part.get_content() for part in mail.iter_parts()}
        said = {"headers": dict(mail.items()), "to": envelope.rcpt_tos, "tls": session.ssl is not None, **parts}
        with (TOLD / "email").open("a") as file:
            file.write(json.dumps({"at": time.time(), "said": said}) + "\\n")
        return "250 Message accepted for delivery"

def authenticate(server, session, envelope, mechanism, data):
    return AuthResult(success=(data.login, data.password) == (b"healthd", b"mail-s3cret"), handled=True)

TOLD.mkdir(exist_ok=True)
subprocess.run(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=mail", "-keyout", "/run/mail.key",
     "-out", "/run/mail.crt", "-days", "2"], check=True, capture_output=True,
)
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain("/run/mail.crt", "/run/mail.key")
Controller(
    Mailbox(), hostname="127.0.0.1", port=5025, tls_context=context, require_starttls=True, auth_required=True,
    authenticator=authenticate,
).start()
asyncio.new_event_loop().run_forever()
"""
