"""What docs/monitoring.md says is so: log events, status keys, metrics, the alert."""

import ast
import json
import re
from unittest import TestCase

from aster_collect.watch.metrics import metrics_text
from aster_collect.watch.status import status_json
from tests.unit.docs.page import DOCS, ROOT, table
from tests.unit.watch.snapshots import snapshot

MONITORING = DOCS["monitoring"]


def event_of(text: str) -> str:
    """Return the words of a log line before its facts."""
    return re.split(r" (?:[\w/]+=|%)", text)[0]


class TheLog(TestCase):
    def test_a_log_line_that_nobody_explains(self) -> None:
        """Every event that the collector logs is in the table with its level, and no other."""
        logged = set()
        for path in (ROOT / "aster_collect").rglob("*.py"):
            if path.parent.name in ("simulator", "verify"):
                continue
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "log"
                ):
                    if not isinstance(node.args[0], ast.Constant):
                        continue  # it says what the engine wants said
                    text = ast.literal_eval(node.args[0])
                    level = {"exception": "ERROR"}.get(node.func.attr, node.func.attr.upper())
                    logged.add((level, event_of(text)))
                elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Say":
                    level, text = (ast.literal_eval(one) for one in node.args[:2])
                    logged.add((level.upper(), event_of(text)))
        told = {(row[0], row[1].strip("`")) for row in table(MONITORING.section("Logs")) if row[0].isupper()}
        self.assertEqual(sorted(told), sorted(logged))


class TheStatus(TestCase):
    def test_a_fact_that_nobody_explains(self) -> None:
        """Every key of status.json is in the table, and no other; a time's second form is told once."""
        told = [key for row in table(MONITORING.section("Status")) for key in re.findall(r"`(\w+)`", row[0])]
        written = [key for key in json.loads(status_json(snapshot())) if not key.endswith("_unix_s")]
        self.assertEqual(sorted(told), sorted(written))

    def test_a_metric_that_nobody_explains(self) -> None:
        """The table is the metrics with their labels and help texts, in order."""
        text = metrics_text(snapshot())
        told = table(MONITORING.section("Metrics"))
        self.assertEqual([row[0].strip("`") for row in told], re.findall(r"^# TYPE (\S+) ", text, re.MULTILINE))
        for name, labels, meaning in told:
            self.assertIn(f"# HELP {name.strip('`')} {meaning}\n", text)
            found = re.findall(rf"^{name.strip('`')}(?:_bucket)?\{{(.*?)\}} ", text, re.MULTILINE)
            self.assertEqual(set(re.findall(r"`(\w+)`", labels)), {*re.findall(r"(\w+)=", ",".join(found))}, name)

    def test_the_alerts(self) -> None:
        """The table has the rules of the file with their severities, in order; they ask for metrics that there are."""
        rules = (ROOT / "deploy" / "alerts.yml").read_text("utf-8")
        told = [(row[0].strip("`"), row[1]) for row in table(MONITORING.section("Alerts"))]
        self.assertEqual(told, re.findall(r"- alert: (\w+)\n(?:(?!- alert)[\s\S])*?severity: (\w+)\n", rules))
        asked = re.findall(r" expr: (.+)", rules)
        self.assertEqual(len(asked), len(told))
        for expr in asked:
            for name in re.findall(r"aster_collect_\w+", expr):
                self.assertIn(f"# TYPE {name} ", metrics_text(snapshot()))
