"""What every test starts from: keys, tokens, and a small server that plays the keys and the feed of a Hallpass server."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, RSAPSSAlgorithm

ISSUER = "https://login.example.org"
CLIENT = ("orders", "s3cret/with:signs")
ALGORITHMS = ("ES256", "EdDSA", "RS256", "PS256")

# Long enough for a slow machine; a test waits so long only to fail.
PATIENCE = 10.0


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def eventually(happened: Callable[[], object], what: str = "what the test waits for") -> None:
    """Waits for something that nothing announces."""
    until = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < until, f"{what} did not happen"
        time.sleep(0.002)


class SigningKey:
    """One private key, as the server has it."""

    def __init__(self, algorithm: str, kid: str = "k1") -> None:
        self.algorithm, self.kid = algorithm, kid
        if algorithm == "ES256":
            self.private, self._kind = ec.generate_private_key(ec.SECP256R1()), ECAlgorithm(ECAlgorithm.SHA256)
        elif algorithm == "EdDSA":
            self.private, self._kind = ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm()
        else:
            kind = RSAAlgorithm if algorithm == "RS256" else RSAPSSAlgorithm
            self.private, self._kind = rsa.generate_private_key(65537, 2048), kind(kind.SHA256)

    def jwk(self, **members: Any) -> dict[str, Any]:
        public = type(self._kind).to_jwk(self.private.public_key(), as_dict=True)
        public.pop("key_ops", None)
        return public | {"kid": self.kid, "alg": self.algorithm, "use": "sig"} | members

    def header(self, **members: Any) -> dict[str, Any]:
        return {"typ": "at+jwt", "alg": self.algorithm, "kid": self.kid} | members

    def sign_text(self, header: str | bytes, payload: str | bytes) -> str:
        """A token of these texts, whatever they are."""
        parts = [part.encode() if isinstance(part, str) else part for part in (header, payload)]
        message = ".".join(base64url(part) for part in parts)
        return f"{message}.{base64url(self._kind.sign(message.encode(), self.private))}"

    def token(self, *, header: dict[str, Any] | None = None, without: str = "", **members: Any) -> str:
        """A token that was issued a minute ago and is good for four more; `members` are other claims."""
        payload = claims() | members
        payload.pop(without, None)
        return self.sign_text(json.dumps(header or self.header()), json.dumps(payload))


def claims() -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": ISSUER,
        "sub": "42",
        "aud": ISSUER,
        "client_id": "hallpass",
        "exp": now + 240,
        "iat": now - 60,
        "jti": "7bD0kC6y0W1m",
        "sid": "0198c0de-7a11-7000-8000-00000000002a",
        "auth_time": now - 600,
        "amr": ["pwd"],
        "roles": ["support"],
        "account_version": 3,
    }


def some_session() -> str:
    """A session that nobody has used before."""
    text = str(uuid.uuid4())
    return f"{text[:14]}7{text[15:]}"


def session_line(session: str, forget_after: float = 600) -> dict[str, Any]:
    return {"session": session, "forget_at": int(time.time() + forget_after)}


def account_line(account: int, below_version: int, forget_after: float = 600) -> dict[str, Any]:
    return {"account": account, "below_version": below_version, "forget_at": int(time.time() + forget_after)}


@dataclass
class Seen:
    """A request as it came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def streams(self) -> bool:
        return self.headers.get("accept") == "text/event-stream"


@dataclass
class HallpassServer:
    """Plays `/.well-known/jwks.json` and `/api/v1/revocations`. A test changes it within `with server.changed`, or by
    one of the methods.
    """

    keys: list[dict[str, Any]] = field(default_factory=list)
    jwks_body: bytes | None = None
    keys_max_age: int = 900
    lines: list[dict[str, Any]] = field(default_factory=list)
    page: int = 1_000
    secret: str = CLIENT[1]
    heartbeats: bool = True
    status: dict[str, int] = field(default_factory=dict)
    history: str = "a"
    feed_body: bytes | None = None
    requests: list[Seen] = field(default_factory=list)
    open_streams: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self.generation = 0
        self.connections: set[socket.socket] = set()
        self.start()

    def start(self) -> None:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                try:
                    answer(server, self)
                except OSError:
                    self.close_connection = True

            def setup(self) -> None:
                super().setup()
                server.connections.add(self.connection)

            def finish(self) -> None:
                server.connections.discard(self.connection)
                super().finish()

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._http.daemon_threads = True
        self.port = self._http.server_port
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Nobody listens any more, and what was open is closed."""
        self._http.shutdown()
        self._http.server_close()
        self.cut()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Closes every stream and every waiting poll, as a proxy does that restarts."""
        with self.changed:
            self.generation += 1
            self.changed.notify_all()

    def change(self, **members: Any) -> None:
        with self.changed:
            for name, value in members.items():
                assert hasattr(self, name)
                setattr(self, name, value)
            self.changed.notify_all()

    def take_back(self, *lines: dict[str, Any]) -> None:
        with self.changed:
            self.lines.extend(lines)
            self.changed.notify_all()

    def seen(self, path: str) -> list[Seen]:
        with self.changed:
            return [seen for seen in self.requests if seen.path == path]

    def wait_for(self, happened: Callable[[], object]) -> None:
        """Waits for something about requests."""
        with self.changed:
            assert self.changed.wait_for(happened, PATIENCE), "the requests that the test waits for did not come"

    def wait_for_requests(self, path: str, count: int) -> None:
        self.wait_for(lambda: len([seen for seen in self.requests if seen.path == path]) >= count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


JWKS, FEED = "/.well-known/jwks.json", "/api/v1/revocations"


def answer(server: HallpassServer, http: BaseHTTPRequestHandler) -> None:
    url = urlsplit(http.path)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    headers = {name.lower(): value for name, value in http.headers.items()}
    with server.changed:
        server.requests.append(Seen(url.path, query, headers))
        server.changed.notify_all()
        status = server.status.get(url.path, 200)
    if status != 200:
        send(http, status, json.dumps({"code": "unavailable"}).encode())
    elif url.path == JWKS:
        answer_keys(server, http, headers)
    elif url.path != FEED:
        send(http, 404, b"{}")
    elif headers.get("authorization") != "Basic " + base64.b64encode(f"{CLIENT[0]}:{server.secret}".encode()).decode():
        send(http, 401, json.dumps({"code": "client_invalid"}).encode())
    elif headers.get("accept") == "text/event-stream":
        stream(server, http, query)
    else:
        answer_poll(server, http, query, headers)


def answer_keys(server: HallpassServer, http: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
    with server.changed:
        body = server.jwks_body or json.dumps({"keys": server.keys}).encode()
        further = {"ETag": f'"{hash(body)}"', "Cache-Control": f"public, max-age={server.keys_max_age}"}
    if headers.get("if-none-match") == further["ETag"]:
        send(http, 304, b"", further)
    else:
        send(http, 200, body, further)


def read_on(server: HallpassServer, cursor: str | None) -> dict[str, Any]:
    """The next page after a cursor; held by whoever holds `changed`."""
    history, _, place = (cursor or f"{server.history}.0").partition(".")
    reset = history != server.history
    begin = 0 if reset else int(place)
    lines = server.lines[begin : begin + server.page]
    end = begin + len(lines)
    more = end < len(server.lines)
    return {"cursor": f"{server.history}.{end}", "more": more, "reset": reset, "lines": lines}


def answer_poll(
    server: HallpassServer, http: BaseHTTPRequestHandler, query: dict[str, str], headers: dict[str, str]
) -> None:
    with server.changed:
        generation = server.generation
        wait = 0.0 if server.feed_body is not None else float(query.get("wait", "0"))
        server.changed.wait_for(partial(_news, server, query.get("since"), generation), wait)
        page = read_on(server, query.get("since"))
        body = json.dumps(page).encode() if server.feed_body is None else server.feed_body
        cut = server.generation != generation
    if cut:
        return hang_up(http)
    tag = f'"{page["cursor"]}"'
    if headers.get("if-none-match") == tag and server.feed_body is None:
        return send(http, 304, b"", {"ETag": tag})
    return send(http, 200, body, {"ETag": tag})


def stream(server: HallpassServer, http: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
    cursor = query.get("since")
    http.send_response(200)
    http.send_header("Content-Type", "text/event-stream")
    http.send_header("Transfer-Encoding", "chunked")
    http.end_headers()
    with server.changed:
        generation = server.generation
        server.open_streams += 1
        server.changed.notify_all()
    try:
        while True:
            with server.changed:
                server.changed.wait_for(partial(_news, server, cursor, generation), 0.03)
                if server.generation != generation:
                    return hang_up(http)
                page = read_on(server, cursor) if _unread(server, cursor) else None
                heartbeat = server.heartbeats
            if page is not None:
                cursor = page["cursor"]
                del page["more"]
                # In two pieces, as a network may deliver it.
                text = f"id: {cursor}\r\nevent: lines\r\ndata: {json.dumps(page)}\r\n\r\n".encode()
                chunk(http, text[:25])
                chunk(http, text[25:])
            elif heartbeat:
                chunk(http, b": a remark\nevent: heartbeat\ndata: {}\n\n")
    finally:
        with server.changed:
            server.open_streams -= 1
            server.changed.notify_all()


def _news(server: HallpassServer, cursor: str | None, generation: int) -> bool:
    return server.generation != generation or _unread(server, cursor)


def _unread(server: HallpassServer, cursor: str | None) -> bool:
    page = read_on(server, cursor)
    return bool(page["lines"]) or page["reset"]


def chunk(http: BaseHTTPRequestHandler, text: bytes) -> None:
    http.wfile.write(f"{len(text):x}\r\n".encode() + text + b"\r\n")


def send(http: BaseHTTPRequestHandler, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
    http.send_response(status)
    for name, value in (headers or {}).items():
        http.send_header(name, value)
    if status != 304:
        http.send_header("Content-Type", "application/json")
        http.send_header("Content-Length", str(len(body)))
    http.end_headers()
    http.wfile.write(body)


def hang_up(http: BaseHTTPRequestHandler) -> None:
    http.close_connection = True
    http.connection.shutdown(socket.SHUT_RDWR)
