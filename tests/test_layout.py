"""Imports point one way, and what is pure stays pure."""

import ast
import unittest
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "aster_collect"

# Groups from the top of the design down: a module imports only from those above its own.
GROUPS = (
    ("__init__", "errors", "events"),
    ("settings", "frames", "wire", "rows", "suspects", "question", "clock", "reorder", "pacing", "inbox"),
    ("tape", "snapshot", "coverage", "symbols", "written", "offset", "address", "reply"),
    ("status", "metrics", "links", "market", "bundle"),
    ("plain", "dial"),
    ("tail", "lock", "appender", "limits", "replace", "terminal", "health"),
    ("rejects", "rotate", "journal", "bans"),
    ("feed", "rest", "opening"),
    ("folder", "compress"),
    ("table",),
    ("sheet",),
    ("store", "report"),
    ("collector",),
    ("app",),
    ("cli",),
    ("__main__",),
)
PURE = (
    "errors",
    "events",
    "settings",
    "frames",
    "wire",
    "rows",
    "suspects",
    "question",
    "tape",
    "clock",
    "coverage",
    "reorder",
    "pacing",
    "inbox",
    "snapshot",
    "symbols",
    "address",
    "reply",
    "status",
    "metrics",
    "links",
    "market",
    "written",
    "offset",
    "bundle",
)
IMPURE = {"asyncio", "logging", "os", "queue", "select", "selectors", "shutil", "signal", "socket", "ssl", "subprocess",
          "tempfile", "threading", "time", "urllib.request", "websocket"}  # fmt: skip
ALLOWED = {"inbox": {"queue"}}  # it is one
SECOND_PROGRAMS = {"simulator", "verify"}
CALLS = {"open", "print", "input"}


def imports(path: Path) -> tuple[set[str], set[str]]:
    """Return what a module imports: names within the package, and names outside it."""
    own: set[str] = set()
    other: set[str] = set()
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            other |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == depth:
            own |= {node.module.split(".")[0]} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            other.add(node.module or "")
    return {name if (PACKAGE / f"{name}.py").exists() or name in SECOND_PROGRAMS else "__init__" for name in own}, other


MODULES = {path.stem: path for path in PACKAGE.glob("*.py")}


class Layout(unittest.TestCase):
    def test_every_module_has_its_group(self) -> None:
        """Each module of the package stands in exactly one group."""
        grouped = [name for group in GROUPS for name in group]
        self.assertEqual(len(grouped), len(set(grouped)))
        self.assertFalse(set(MODULES) - set(grouped), "give each module its group in this table, and in the design")

    def test_imports_point_up(self) -> None:
        """A module imports only from the groups above its own."""
        above: set[str] = set()
        for group in GROUPS:
            for name in set(group) & set(MODULES):
                own, _ = imports(MODULES[name])
                allowed = above | (SECOND_PROGRAMS if name == "cli" else set())
                self.assertLessEqual(own, allowed, f"{name} imports from below")
            above |= set(group)

    def test_what_is_pure_stays_pure(self) -> None:
        """A pure module imports no socket, file, clock, thread or logger, and opens and prints nothing."""
        for name in set(PURE) & set(MODULES):
            _, other = imports(MODULES[name])
            self.assertFalse(other & IMPURE - ALLOWED.get(name, set()), name)
            for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    self.assertNotIn(node.func.id, CALLS, f"{name}:{node.lineno}")

    def test_one_module_imports_websocket(self) -> None:
        """Nothing but the feed and the simulator knows the WebSocket library."""
        users = {name for name, path in MODULES.items() if any(one.startswith("websocket") for one in imports(path)[1])}
        self.assertEqual(users, {"feed"})

    def test_verify_knows_nothing_of_the_collector_but_rows(self) -> None:
        """The proof does not use what it proves: `verify` imports `rows` and the standard library."""
        for path in (PACKAGE / "verify").glob("*.py"):
            own, other = imports(path)
            self.assertLessEqual(own, {"rows"}, path.name)
            self.assertFalse(
                {name for name in other if name.split(".")[0] in ("websocket", "aster_collect")}, path.name
            )

    def test_the_simulator_knows_nothing_of_the_collector(self) -> None:
        """The exchange that tests are held against shares no code with what it tests."""
        for path in (PACKAGE / "simulator").glob("*.py"):
            own, other = imports(path)
            self.assertFalse(own - {"__init__"}, path.name)
            self.assertFalse({name for name in other if name.startswith("aster_collect")}, path.name)


if __name__ == "__main__":
    unittest.main()
