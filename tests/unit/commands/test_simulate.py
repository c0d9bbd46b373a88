"""`simulate` refuses what it can't be in one line, before it opens anything."""

import os
import socket
import unittest
from pathlib import Path

from tests.unit.commands.calls import Folder, call

PROGRAM = "aster-collect simulate"


class ABadCall(Folder):
    def test_values_that_it_can_not_have(self) -> None:
        """Each is one line that says what was given and what is allowed, and exit status 2."""
        Path("faults.json").write_text('[{"fault": "drop", "value": 5}]', "utf-8")
        gone = os.strerror(2)
        for words, told in (
            (["--rate", "0"], "--rate: 0 given, 0.001 to 1000000 frames a second allowed"),
            (["--rate", "fast"], "--rate: 'fast' given, 0.001 to"),
            (["--port", "70000"], "--port: 70000 given, 0 to 65535 allowed"),
            (["--seed", "-1"], "--seed: -1 given, 0 to 4294967295 allowed"),
            (["--faults", "none.json"], f"--faults: none.json given, a file of faults allowed: {gone}"),
            (
                ["--faults", "faults.json"],
                "--faults: faults.json given, a file of faults allowed: entry 1: fault 'drop' takes no 'value'",
            ),
            (["--tls", "a"], "--tls: too little given, a file's name and a file's name allowed"),
            (["--tls", "a", "b"], f"--tls: a b given, two PEM files allowed: {gone}"),
            (["--market", "margin"], "--market: 'margin' given, futures, spot allowed"),
            (["--spot-depth", "deep"], "--spot-depth: 'deep' given, published, bare, seen, none allowed"),
            (["--frames", "none.gz"], f"--frames: none.gz given, a file of lines `<Unix ns> <frame>` allowed: {gone}"),
            (["--frames", "faults.json"], "`<Unix ns> <frame>` allowed: line 1 is not"),
            (["--speed", "0"], "--speed: 0 given, 0.1 to 100 times allowed"),
            (["--symbols"], "--symbols: too little given; 'aster-collect simulate --help' says what is allowed"),
            (["--symbols", ""], "at least one symbol"),
            (["--log-level", "loud"], "--log-level: 'loud' given, DEBUG, INFO, WARNING, ERROR allowed"),
            (["BTCUSDT"], "'BTCUSDT' given, no further word allowed"),
            (["--symbol", "BTCUSDT"], "--symbol: no such option; did you mean --symbols?"),
        ):
            self.assert_refused(call("simulate", *words), told, program=PROGRAM)

    def test_a_port_that_is_taken(self) -> None:
        """It is refused with the system's reason."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            self.assert_refused(call("simulate", "--port", port), f"--port: {port} given, ", program=PROGRAM)


if __name__ == "__main__":
    unittest.main()
