"""A URL names a host, and the environment the proxy that leads there."""

import unittest

from aster_collect.net.address import Endpoint, route


class TheHost(unittest.TestCase):
    def test_ports_are_the_usual_ones_unless_given(self) -> None:
        """The scheme says whether TLS is spoken, and where; an IPv6 address keeps its brackets."""
        for url, host, port, tls, netloc in (
            ("wss://fstream.asterdex.com", "fstream.asterdex.com", 443, True, "fstream.asterdex.com"),
            ("http://h:443", "h", 443, False, "h:443"),
            ("https://h:80/x?y=1", "h", 80, True, "h:80"),
            ("WS://[::1]", "::1", 80, False, "[::1]"),
        ):
            way = route(url, {})
            self.assertEqual((way.to, way.proxy), (Endpoint(host, port, tls), None))
            self.assertEqual(way.to.netloc, netloc)
        self.assertEqual(str(route("ws://[::1]", {})), "[::1]:80")

    def test_a_user_and_a_password(self) -> None:
        """User and password become a header, up to the last `@`, and are not told."""
        way = route("https://me:p%40ss@w@host", {})
        self.assertEqual((way.to.host, way.to.authorization), ("host", "Basic bWU6cEBzc0B3"))
        self.assertEqual(str(way), "host:443")


class TheProxy(unittest.TestCase):
    def proxy(self, url: str, **environment: str) -> str | None:
        """Return the proxy that leads to a host, as told."""
        proxy = route(url, environment).proxy
        return None if proxy is None else str(proxy)

    def test_each_scheme_has_its_own(self) -> None:
        """What is spoken with TLS goes by `https_proxy`, all else by `http_proxy`, in small letters or capitals."""
        both = {"http_proxy": "http://plain:8080", "HTTPS_PROXY": "tls:3128/"}
        for url, proxy in (("ws://h", "plain:8080"), ("wss://h", "tls:3128"), ("https://h", "tls:3128")):
            self.assertEqual(self.proxy(url, **both), proxy)
        self.assertEqual(self.proxy("ws://h", http_proxy="http://plain"), "plain:80")
        self.assertIsNone(self.proxy("ws://h", https_proxy="http://tls:3128"))
        self.assertIsNone(self.proxy("ws://h", http_proxy=""))

    def test_it_is_told_without_its_password(self) -> None:
        """The way is told with host and port of the proxy alone."""
        way = route("wss://h", {"https_proxy": "http://me:s@cret@tls:3128"})
        self.assertEqual(str(way), "h:443 by way of proxy tls:3128")
        assert way.proxy is not None
        self.assertEqual(way.proxy.authorization, "Basic bWU6c0BjcmV0")

    def test_what_no_proxy_names(self) -> None:
        """`no_proxy` names hosts with all below them, addresses, networks, a host with its port, or everything."""
        for url, exceptions, direct in (
            ("ws://a.example.com", "example.com", True),
            ("ws://a.example.com", "x, .example.com", True),
            ("ws://a.example.com", "*.example.com", True),
            ("ws://example.com", ".example.com", True),
            ("ws://notexample.com", "example.com", False),
            ("ws://example.com:81", "example.com:81", True),
            ("ws://example.com:81", "example.com:82", False),
            ("ws://10.1.2.3", "10.0.0.0/8", True),
            ("ws://10.1.2.3", "10.1.2.3", True),
            ("ws://11.1.2.3", "10.0.0.0/8,10.1.2.3", False),
            ("ws://[fd00::1]", "fd00::/8", True),
            ("ws://h", "*", True),
            ("ws://h", " ,", False),
        ):
            with self.subTest(url, no_proxy=exceptions):
                self.assertEqual(self.proxy(url, http_proxy="p:1", no_proxy=exceptions) is None, direct)

    def test_this_machine(self) -> None:
        """No proxy leads to this machine's own addresses."""
        for url in ("ws://127.0.0.1:8080", "ws://localhost", "ws://[::1]:1", "ws://127.9.9.9"):
            self.assertIsNone(self.proxy(url, http_proxy="p:1"))

    def test_a_proxy_of_another_kind(self) -> None:
        """A proxy that does not speak HTTP, or can't be read, is an error that shows no password."""
        for odd in ("socks5://me:s@cret@h:1080", "http://me:s@cret@h:port", "http://:8080", "http://me:s@cret@[h"):
            with self.assertRaises(ValueError) as caught:
                self.proxy("ws://h", http_proxy=odd)
            told = str(caught.exception)
            self.assertIn("http_proxy: ", told)
            self.assertIn("http://HOST[:PORT] allowed", told)
            self.assertNotIn("cret", told)


if __name__ == "__main__":
    unittest.main()
