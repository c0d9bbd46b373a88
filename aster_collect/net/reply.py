"""What a web server answered, in words: who, which status, and what it usually means. Pure."""

import json
import re
from collections.abc import Mapping
from email.message import Message
from typing import NamedTuple
from urllib.parse import urlsplit

from .pacing import LONGEST_BAN_S

SHOWN = 60  # characters of what somebody else wrote
READ_FOR_WORDS = 4096  # bytes of a body that an error's words are looked for in
BANNED_UNTIL = re.compile(r"banned until (\d{13})")
BANS_S = {429: 60.0, 418: 120.0}  # without a Retry-After: the exchange counts by the minute; the shortest ban
MEANINGS = {
    403: "its firewall refuses this address",
    407: "the proxy wants a user and a password",
    418: "this address is banned for asking on after a 429",
    429: "too many requests from this address",
    451: "the exchange does not serve this country or place",
}


class Reply(NamedTuple):
    """An answer; `where` names who answered: host, port, and the proxy if there was one."""

    where: str
    status: int
    phrase: str
    headers: Message | Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's value, empty without one; the name in lower case."""
        return str(self.headers.get(name) or "").strip()

    @property
    def is_html(self) -> bool:
        """Whether it is a page for people."""
        return "html" in self.header("content-type").lower() or self.body.lstrip()[:1] == b"<"

    def error(self) -> tuple[int, str] | None:
        """Return code and text of the exchange's own error, None where the body is none."""
        try:
            value = json.loads(self.body[:READ_FOR_WORDS])
        except (ValueError, RecursionError):
            return None
        code, text = (value.get("code"), value.get("msg")) if isinstance(value, dict) else (None, None)
        return (code, text) if isinstance(code, int) and isinstance(text, str) else None


def refusal(reply: Reply) -> str:
    """Return one short line for an answer that is not the one asked for."""
    if 300 <= reply.status < 400:
        return f"{reply.where} answered {reply.status} with a redirect to {_redirect(reply)}, not followed"
    meaning = f" ({MEANINGS[reply.status]})" if reply.status in MEANINGS else ""
    status = f"{reply.where}: {reply.status} {printable(reply.phrase)}".rstrip()
    if reply.is_html:
        return f"HTML from {status}{meaning}"
    error = reply.error()
    said = f": {error[0]} {printable(error[1], 160)}" if error else f": {excerpt(reply.body)}" if reply.body else ""
    return f"{status}{meaning}{said}"


def not_json(reply: Reply) -> str:
    """Return one short line for an answer that should be JSON and is not."""
    return f"not JSON from {reply.where}: {excerpt(reply.body)}" if reply.body else f"nothing from {reply.where}"


def excerpt(body: bytes) -> str:
    """Return the beginning of a body in quotes, printable."""
    text = body[: 4 * SHOWN].decode("utf-8", "replace").strip()
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def printable(text: str, most: int = SHOWN) -> str:
    """Return a text of somebody else's, cut, with an escape for what would not print."""
    return repr(text[:most])[1:-1]


def ban_s(reply: Reply, now_s: float) -> float:
    """Return how long the exchange wants to be left alone by a 418 or 429; `now_s` is Unix time."""
    longest_s = 0.0
    retry_after = reply.header("retry-after")
    if retry_after.isascii() and retry_after.isdigit():
        longest_s = float(retry_after)
    until = BANNED_UNTIL.search(reply.body[:READ_FOR_WORDS].decode("utf-8", "replace"))
    if until:
        longest_s = max(longest_s, int(until[1]) / 1000 - now_s)
    return min(longest_s, LONGEST_BAN_S) or BANS_S[reply.status]


def _redirect(reply: Reply) -> str:
    try:
        target = urlsplit(reply.header("location"))
        return printable(target.hostname or f"{target.scheme}:{target.path}" if target.scheme else "another path")
    except ValueError:
        return "nowhere"
