"""The way out through a proxy that the environment names, for both of the exchange's interfaces."""

import socket
import threading
import unittest
from urllib.parse import urlsplit

from tests import beside
from tests.support import EndToEnd


class Proxy(threading.Thread):
    """A proxy on loopback: whatever host is asked for, it goes to one port here; it notes what it was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.asked: list[str] = []
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Serve until closed."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self) -> None:
        """Take no more clients."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        self.asked.append(f"{method} {target}")
        with client, socket.create_connection(("127.0.0.1", self._to)) as server:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                parts = urlsplit(target)
                server.sendall(head.replace(target.encode(), f"{parts.path}?{parts.query}".encode(), 1))
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # one of the two hung up


class ProxyTest(EndToEnd):
    def test_the_exchange_is_reached_through_the_proxy_that_the_environment_names(self):
        """Neither interface's host can be looked up here, and yet everything is collected."""
        self.begin(rate=300)
        proxy = Proxy(self.exchange.port)
        proxy.start()
        self.addCleanup(proxy.close)
        words = ["--ws-url", "ws://stream.exchange.invalid", "--rest-url", "http://rest.exchange.invalid"]
        collector = self.collect(*words, environment={"http_proxy": proxy.url})
        self.wait_for_everything(collector)
        self.stop(collector)
        self.assertIn("CONNECT stream.exchange.invalid:80", proxy.asked)
        self.assertTrue(any(asked.startswith("GET http://rest.exchange.invalid/fapi") for asked in proxy.asked))
        self.assert_promises(missing=False)


load_tests = beside.load_tests

if __name__ == "__main__":
    unittest.main()
