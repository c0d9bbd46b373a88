"""A real browser without a window, told what to do over its DevTools protocol, and what it complains of."""

import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket

DEADLINE_S = 60.0  # for what takes a moment: only a broken browser takes longer, even on a busy machine
LOOK_S = 0.05
ARGUMENTS = (
    "--headless=new",
    "--remote-debugging-port=0",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
)


def found() -> str:
    """Return where a browser is, nothing where there is none."""
    return shutil.which("chromium") or ""


class Browser:
    """A browser with one page; `events` are what it told without being asked."""

    def __enter__(self) -> Self:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # which root can't have
        self._process = subprocess.Popen(
            [found(), *ARGUMENTS, *root, f"--user-data-dir={self._profile.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.events: list[dict[str, Any]] = []
        self._numbers = itertools.count(1)
        self._session = ""
        try:
            port, path = self._where()
            self._socket = websocket.create_connection(
                f"ws://127.0.0.1:{port}{path}", timeout=DEADLINE_S, suppress_origin=True
            )
            pages = self.call("Target.getTargets")["targetInfos"]
            target = next(one["targetId"] for one in pages if one["type"] == "page")
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._socket.close()
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(DEADLINE_S)
        self._profile.cleanup()

    def _where(self) -> tuple[str, str]:
        """Return the port and the path at which it listens; it writes them when it does."""
        told, deadline_s = Path(self._profile.name) / "DevToolsActivePort", time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline_s and self._process.poll() is None:
            if told.exists() and len(lines := told.read_text("ascii").split()) == 2:
                return lines[0], lines[1]
            time.sleep(LOOK_S)
        raise AssertionError("the browser does not listen")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Do something, and return what it answers."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                found: dict[str, Any] = answer["result"]
                return found
            self.events.append(answer)

    def open(self, path: Path, width: int, scheme: str) -> None:
        """Open a file in a window so wide, light or dark, and wait until it is there."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=features)
        self.call("Page.navigate", url=path.as_uri())
        deadline_s = time.monotonic() + DEADLINE_S
        while self.value("document.URL !== 'about:blank' && document.readyState") != "complete":
            assert time.monotonic() < deadline_s
            time.sleep(LOOK_S)

    def value(self, script: str) -> Any:
        """Return what a script in the page comes to."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key, and let it go."""
        for kind in ("keyDown", "keyUp"):
            typed = {"text": text} if text and kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **typed)
