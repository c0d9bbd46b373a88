"""What a server answered is told in one short printable line, and how long it wants to be left alone is obeyed."""

import json
import unittest

from aster_collect.net.reply import Reply, ban_s, not_json, refusal

NOW_S = 1_764_000_000.0


def reply(status: int, phrase: str = "", body: object = b"", **headers: str) -> Reply:
    """Return an answer; `_` in a header's name stands for `-`."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply("host:443", status, phrase, {name.replace("_", "-"): value for name, value in headers.items()}, data)


class Words(unittest.TestCase):
    def test_a_page_for_people(self) -> None:
        """HTML is told as that, with the status and what it means here."""
        for page in (
            reply(403, "Forbidden", b"  <!DOCTYPE html><title>Blocked</title>"),
            reply(403, "Forbidden", content_type="text/html; charset=utf-8"),
        ):
            self.assertEqual(refusal(page), "HTML from host:443: 403 Forbidden (its firewall refuses this address)")
        self.assertIn("does not serve this country", refusal(reply(451, "Unavailable For Legal Reasons")))

    def test_the_exchanges_own_error(self) -> None:
        """The exchange's error is told by its code and words."""
        error = reply(400, "Bad Request", {"code": -1121, "msg": "Invalid symbol."})
        self.assertEqual(refusal(error), "host:443: 400 Bad Request: -1121 Invalid symbol.")

    def test_something_else(self) -> None:
        """Any other body is told by its beginning, and no body by the status alone."""
        self.assertEqual(refusal(reply(503, "Down", b"maintenance")), "host:443: 503 Down: 'maintenance'")
        self.assertEqual(refusal(reply(500)), "host:443: 500")

    def test_a_redirect(self) -> None:
        """A redirect is told by the host that it leads to."""
        for location, to in (
            ("https://evil.example/x", "evil.example"), ("/login", "another path"), ("", "another path"),
            ("file:///etc/passwd", "file:/etc/passwd"), ("http://[", "nowhere"),
        ):  # fmt: skip
            told = refusal(reply(302, "Found", location=location))
            self.assertEqual(told, f"host:443 answered 302 with a redirect to {to}, not followed")

    def test_not_json(self) -> None:
        """A good status with a body that is no JSON is told by its beginning."""
        self.assertEqual(not_json(reply(200, "OK", b"<!DOCTYPE html>")), "not JSON from host:443: '<!DOCTYPE html>'")
        self.assertEqual(not_json(reply(200)), "nothing from host:443")

    def test_words_that_would_forge_a_line(self) -> None:
        """Whatever stands in phrase, body, error and location, the line is short and printable."""
        odd = "\x1b[31m\n2026-11-24T00:00:00Z ERROR forged\u202e" + "x" * 100_000
        for answer in (
            reply(400, odd), reply(400, "", odd.encode()), reply(400, "", b"\xff" * 5000),
            reply(400, "", {"code": -1, "msg": odd[:500]}), reply(302, location=f"https://{odd}/"),
            reply(302, location=odd),
        ):  # fmt: skip
            for told in (refusal(answer), not_json(answer)):
                self.assertTrue(told.isprintable(), told)
                self.assertLess(len(told), 300)

    def test_an_error_of_another_shape(self) -> None:
        """What only looks like the exchange's error is none."""
        for odd in ({"code": "x", "msg": "y"}, {"msg": "y"}, {"code": -1}, [1], {"code": -1, "msg": None}):
            self.assertIsNone(reply(400, "", odd).error())
        self.assertIsNone(reply(400, "", b"[" * 5000).error())


class Bans(unittest.TestCase):
    def test_the_longer_word_counts(self) -> None:
        """Retry-After and the text both say how long, and without either it is the least there is."""
        text = {"code": -1003, "msg": f"Way too many requests; IP banned until {int(NOW_S + 500)}000."}
        for status, body, retry_after, expected_s in (
            (418, {}, "300", 300), (418, {}, "", 120), (429, {}, "", 60), (418, text, "", 500), (418, text, "10", 500),
            (418, text, "1000", 1000), (429, {}, "soon", 60), (429, {}, "-5", 60), (429, {}, "9" * 400, 3 * 86_400),
        ):  # fmt: skip
            self.assertEqual(ban_s(reply(status, "", body, retry_after=retry_after), NOW_S), expected_s)


if __name__ == "__main__":
    unittest.main()
