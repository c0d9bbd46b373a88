"""Imports point one way, and what is pure stays pure."""

import ast
import sys
import unittest
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "aster_collect"

# What each room of the program may look into, beside itself; the modules at the top stand by their names.
ALLOWED = {
    "__init__": {"archive"},
    "errors": set(),
    "wording": set(),
    "options": {"errors", "wording"},
    "exchange": {"errors", "wording"},
    "settings": {"errors", "exchange", "options", "wording"},
    "order": {"errors", "exchange"},
    "watch": {"__init__", "errors", "exchange", "files.replace", "order.standing", "wording"},
    "net": {"__init__", "errors", "exchange", "files.plain", "files.replace", "wording"},
    "files": {"errors", "exchange"},
    "archive": {"exchange", "files"},
    "export": {"archive", "errors", "exchange", "files", "wording"},
    "merge": {"archive", "errors", "exchange", "files", "wording"},
    "report": {"archive", "errors", "exchange", "files", "wording"},
    "repair": {"archive", "errors", "exchange", "files", "net", "order"},
    "run": {"__init__", "errors", "exchange", "files", "net", "options", "order", "settings", "watch", "wording"},
    "commands": {"__init__", "archive", "errors", "exchange.venues", "export", "files.aside", "files.histories",
                 "files.listed", "files.names", "files.period", "files.replace", "merge", "options", "repair", "report",
                 "run", "settings", "simulator", "verify", "watch", "wording"},
    "cli": {"__init__", "commands", "errors", "wording"},
    "__main__": {"cli"},
    "health": {"cli"},
    "simulator": {"__init__"},
    "verify": {"archive.book", "exchange.cells", "exchange.exact", "exchange.form", "exchange.ledger", "exchange.shape",
               "exchange.streams", "files.histories", "files.listed", "files.names", "files.repairing", "files.source"},
}  # fmt: skip
DOORS = {"verify.__main__", "simulator.__main__"}  # `python -m` of a command that has a room: they open the command
# No circle within a room either: its modules from the top of the design down, each imports from those above alone.
ORDERS = {
    "exchange": ("events", "cells", "exact", "fields", "venues", "streams", "ledger", "form", "shape", "decoder",
                 "pages", "symbols", "subscribe"),
    "order": ("effects", "lane", "entries", "verbatim", "record", "record_reader", "standing", "seen", "links", "tally",
              "question", "clock", "coverage", "bundle", "carriers", "steps", "written", "suspects", "rising",
              "arrivals", "plain", "assembly", "asking", "holes", "proof", "identity", "since", "tape", "sequence",
              "polled", "polls", "silent", "book", "checks", "fetch", "linked", "newids", "lapse", "chain", "lanes",
              "covering", "offset", "answers", "intake", "connections", "engine"),
    "net": ("address", "pacing", "reply", "frames", "inbox", "dial", "calls", "bans", "cookies", "connection", "outlet",
            "feed", "rest"),
    "files": ("names", "period", "plain", "repairing", "tail", "source", "histories", "listed", "contents", "limits",
              "replace", "appender", "lock", "rejects", "rotate", "manifest", "aside", "market", "folder", "resumed",
              "compress", "losses", "kept", "whole", "damage", "table", "turns", "destroyed", "sheet", "sheets",
              "bound", "backlog", "flush", "store", "members", "raw_file", "raw", "raw_reader"),
    "export": ("asked", "folders", "found", "stamps", "changes", "days", "target", "events",
               "tops", "shown", "lake", "parquet", "tardis", "hftbacktest"),
    "merge": ("lacking", "alike", "columns", "feed", "keyed", "aligned", "linked", "ledger", "lanes", "opening", "sink",
              "inputs", "place", "merge"),
    "report": ("histogram", "axis", "rows", "series", "causes", "numbers", "svg", "figures", "drawings", "waits",
               "recipes", "reading", "folder", "strips", "summary", "style", "page"),
    "archive": ("moment", "gaps", "rows", "book", "archive"),
    "repair": ("fetch", "insert", "place", "left", "rewrite", "mark", "mend", "folder"),
    "run": ("recorder", "retold", "moments", "hands", "course", "desk", "loop", "build", "opening", "threads", "roster",
            "lists", "fleet", "feeds", "listing", "packing", "start", "requests", "recording", "reporting",
            "supervisor", "recalled", "behind", "found", "carried", "lacking", "replayed_run", "replay"),
    "commands": ("statuses", "circles", "console", "refusals", "command", "grammar", "signals", "progress", "endings",
                 "collect", "verify", "health", "export", "merge", "repair", "report", "replay", "simulate"),
    "watch": ("health", "snapshot", "rates", "columns", "status", "log_lines", "terminal_line", "metrics", "terminal",
              "journal", "report"),
    "simulator": ("venues", "noise", "faults", "framing", "supply", "instruments", "books", "perpetual", "ids",
                  "quotes", "trades", "batches", "liquidations", "listing", "shown", "payloads", "streams", "market",
                  "board", "recording", "rebuilt", "playback", "replayed_trades", "replayed", "replay", "damage",
                  "troubles", "maker", "due", "subscriptions", "client_socket", "pulse", "connection", "connections",
                  "gate", "rest", "clerk", "injector", "front", "listener", "door", "exchange", "__main__"),
}  # fmt: skip
PURE = {"errors", "wording", "options", "settings", "exchange", "order", "net.frames", "net.inbox",
        "net.pacing", "net.address", "net.reply", "files.losses", "files.names", "files.period",
        "merge.alike", "merge.lacking", "merge.opening", "run.fleet", "run.lacking", "watch.columns",
        "watch.log_lines",
        "watch.metrics", "watch.rates", "watch.snapshot", "watch.status", "watch.terminal_line"}  # fmt: skip
IMPURE = {"asyncio", "logging", "os", "queue", "select", "selectors", "shutil", "signal", "socket", "ssl", "subprocess",
          "tempfile", "threading", "time", "urllib.request", "websocket"}  # fmt: skip
EXCUSED = {"net.inbox": {"queue"}, "files.period": {"time"}}  # the one is a queue; the other names a day
CALLS = {"open", "print", "input"}
# All that a proof of the files may rest on, however far away it is imported: nothing of what wrote them.
PROOF = {"verify", "archive.book", "errors", "exchange.cells", "exchange.events", "exchange.exact", "exchange.fields",
         "exchange.form", "exchange.ledger", "exchange.shape", "exchange.streams", "files.histories", "files.listed",
         "files.names", "files.source", "files.plain", "files.repairing", "files.tail"}  # fmt: skip


def name_of(path: Path) -> str:
    """Return a module's dotted name within the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports(path: Path) -> tuple[set[str], set[str]]:
    """Return what a module imports: dotted names within the package, and names outside it."""
    own: set[str] = set()
    other: set[str] = set()
    folder = path.relative_to(PACKAGE).parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            other |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            base = [*folder[: len(folder) - node.level + 1], *((node.module or "").split(".") if node.module else [])]
            for alias in node.names:
                inside = PACKAGE.joinpath(*base, alias.name)
                module = [*base, alias.name] if inside.with_suffix(".py").exists() or inside.is_dir() else base
                own.add(".".join(module) or "__init__")
        elif isinstance(node, ast.ImportFrom):
            other.add(node.module or "")
    return own, other


def among(name: str, names: set[str]) -> bool:
    """Return whether a module is one of these, or in one of these packages."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in names for length in range(1, len(parts) + 1))


MODULES = {name_of(path): path for path in PACKAGE.rglob("*.py")}


class Layout(unittest.TestCase):
    def test_every_room_says_what_it_may_look_into(self) -> None:
        """Each package and each module at the top stands in the table."""
        self.assertEqual({name.split(".")[0] for name in MODULES}, set(ALLOWED))

    def test_imports_point_one_way(self) -> None:
        """A module imports from its own room, and from those that the table allows it."""
        for name, path in MODULES.items():
            room = name.split(".")[0]
            allowed = {"cli"} if name in DOORS else ALLOWED[room] | {room}
            for imported in imports(path)[0]:
                self.assertTrue(among(imported, allowed), f"{name} imports {imported}")

    def test_no_room_has_a_circle(self) -> None:
        """Within a room each module imports from those above it in the design."""
        for room, order in ORDERS.items():
            found = {name.split(".")[1] for name in MODULES if name.startswith(f"{room}.")} - {"__init__"}
            self.assertEqual(found, set(order), room)
            for at, module in enumerate(order):
                inside = [path for name, path in MODULES.items() if among(name, {f"{room}.{module}"})]
                named = {one.split(".")[1] for path in inside for one in imports(path)[0] if one.startswith(f"{room}.")}
                self.assertLessEqual(named - {module}, set(order[:at]), f"{room}.{module}")

    def test_what_is_pure_stays_pure(self) -> None:
        """A pure module imports no socket, file, clock, thread or logger, and opens and prints nothing."""
        for name, path in MODULES.items():
            if not among(name, PURE):
                continue
            _, other = imports(path)
            self.assertFalse(other & IMPURE - EXCUSED.get(name, set()), name)
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    self.assertNotIn(node.func.id, CALLS, f"{name}:{node.lineno}")

    def test_the_proof_does_not_use_what_it_proves(self) -> None:
        """All that `verify` rests on reads files and knows their columns; nothing in it writes, or is of elsewhere."""
        found, ahead = set[str](), {name for name in MODULES if among(name, {"verify"})} - DOORS
        while ahead:
            found |= ahead
            ahead = {one for name in ahead & set(MODULES) for one in imports(MODULES[name])[0]} - found
        self.assertEqual({name for name in found if not among(name, PROOF)}, set())
        other = {one.split(".")[0] for name in found if name in MODULES for one in imports(MODULES[name])[1]}
        self.assertLessEqual(other, sys.stdlib_module_names)

    def test_one_module_imports_websocket(self) -> None:
        """Nothing but the connection knows the WebSocket library."""
        users = {name for name, path in MODULES.items() if any(one.startswith("websocket") for one in imports(path)[1])}
        self.assertEqual(users, {"net.connection"})

    def test_proof_and_simulator_import_the_package_by_no_other_way(self) -> None:
        """`verify` and the simulator are held to the table: they name the package nowhere else."""
        for name, path in MODULES.items():
            if among(name, {"verify", "simulator"}):
                self.assertFalse(
                    {one for one in imports(path)[1] if one.split(".")[0] in ("websocket", "aster_collect")}, name
                )


if __name__ == "__main__":
    unittest.main()
