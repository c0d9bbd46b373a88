"""REST is asked politely: in turn, within the weight, and never while banned."""

import contextlib
import json
import queue
import unittest
from collections.abc import Callable
from email.message import Message
from typing import Any

from aster_collect.errors import NetworkError, RestError
from aster_collect.exchange.events import PATIENT, POLL, Answer, Ask
from aster_collect.exchange.pages import ask_exchange_info, ask_page
from aster_collect.exchange.venues import FUTURES
from aster_collect.net.bans import REST
from aster_collect.net.calls import Call, Called, make
from aster_collect.net.pacing import WeightBudget
from aster_collect.net.reply import Reply
from aster_collect.net.rest import POLLS, UNDER_WAY, Refused, Requests, Rest, serve

WALL_S = 1_764_000_000.0
ERROR = {"code": -1121, "msg": "Invalid symbol."}


def headers(**given: str) -> Message:
    """Return HTTP headers; `_` in a name stands for `-`."""
    message = Message()
    for name, value in given.items():
        message[name.replace("_", "-")] = value
    return message


def answer(status: int, body: object, given: dict[str, str]) -> Reply:
    """Return what a host answers; a body that is not bytes is sent as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply("host:80", status, {200: "OK", 403: "Forbidden"}.get(status, "reason"), headers(**given), data)


def Response(body: object, **given: str) -> Reply:  # noqa: N802
    """Return a good answer."""
    return answer(200, body, given)


def failure(status: int, body: object = "", **given: str) -> Reply:
    """Return a bad answer."""
    return answer(status, body, given)


class Kept:
    """Stands in for the bans that outlive a run."""

    def __init__(self, left_s: float = 0.0) -> None:
        self.begun: list[tuple[str, float, str]] = []
        self._left_s = left_s

    def left_s(self, interface: str) -> float:
        assert interface == REST
        return self._left_s

    def begin(self, interface: str, seconds: float, why: str) -> None:
        self.begun.append((interface, seconds, why))


class Server:
    """Stands in for `dial.get`, with a clock that `get` moves on: each answer comes from a list, or from a function."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []
        self.at_s: list[float] = []
        self.now_s = 1000.0
        self.bans = Kept()

    def __call__(self, url: str, path: str, headers: dict[str, str], *, most_bytes: int) -> Reply:
        assert most_bytes <= 16 << 20, "an answer without a bound"
        assert headers["User-Agent"].startswith("aster-collect/")
        self.urls.append(url + path)
        self.at_s.append(self.now_s)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Reply)
        return answer

    def rest(self) -> Rest:
        return Rest(WeightBudget(2400), self.bans, clock=lambda: self.now_s, wall=lambda: WALL_S)

    def make(self, call: Call) -> Called:
        """Make a request here and now."""
        calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        calls.put(call)
        calls.put(None)
        made: list[Called] = []
        make("http://host", calls, made.append, get=self, wall_ns=lambda: 5)
        return made[0]

    def get(self, rest: Rest, ask: Ask) -> object:
        """Ask, and return the value that comes."""
        return rest.value(self.make(rest.send(ask)))


def page(symbol: str, first_id: int = 0) -> Ask:
    """Return a request for a page of trades."""
    return ask_page(FUTURES, symbol, first_id, 1000)


class Answers(unittest.TestCase):
    def wait_after(self, *answers: Any) -> float:
        """Return how long everything waits after these answers, the last of which may be tried again."""
        server = Server(*answers)
        rest = server.rest()
        for answer in answers[:-1]:
            with self.assertRaises(RestError, msg=answer):
                server.get(rest, page("A"))
        with self.assertRaises(RestError):
            server.get(rest, page("A"))
        return rest.wait_s(page("A"))

    def test_a_good_answer(self) -> None:
        """A good answer is its JSON value, and the URL names path and query, percent-encoded."""
        server = Server(Response([{"a": 1}]), Response({}))
        rest = server.rest()
        self.assertEqual(server.get(rest, page("币")), [{"a": 1}])
        self.assertEqual(server.get(rest, Ask("/fapi/v3/ping", (), 1)), {})
        self.assertEqual(
            server.urls,
            ["http://host/fapi/v3/aggTrades?symbol=%E5%B8%81&fromId=0&limit=1000", "http://host/fapi/v3/ping"],
        )

    def test_slow_down(self) -> None:
        """After a 429 nothing is asked for as long as Retry-After says, and a minute without it."""
        self.assertEqual(self.wait_after(failure(429, Retry_After="7")), 7)
        self.assertEqual(self.wait_after(failure(429)), 60)

    def test_banned(self) -> None:
        """After a 418 nothing is asked for the longer of what Retry-After and the text say, else for 2 minutes."""
        self.assertEqual(self.wait_after(failure(418, Retry_After="300")), 300)
        self.assertEqual(self.wait_after(failure(418)), 120)
        text = {"code": -1003, "msg": f"Way too many requests; IP banned until {int(WALL_S + 500)}000. Use the feed."}
        self.assertEqual(self.wait_after(failure(418, text)), 500)
        self.assertEqual(self.wait_after(failure(418, text, Retry_After="10")), 500)
        self.assertEqual(self.wait_after(failure(418, text, Retry_After="1000")), 1000)

    def test_banned_until_a_time_that_has_passed(self) -> None:
        """A ban whose end lies behind our clock still means the shortest ban."""
        text = {"msg": f"banned until {int(WALL_S - 500)}000"}
        self.assertEqual(self.wait_after(failure(418, text)), 120)

    def test_a_retry_after_that_is_no_number_of_seconds(self) -> None:
        """A Retry-After that is a date, negative or nonsense counts as none, and one without end is 3 days."""
        for odd in ("Wed, 21 Oct 2026 07:28:00 GMT", "-5", "1.5", "", "soon", "\u0661"):
            self.assertEqual(self.wait_after(failure(429, Retry_After=odd)), 60, odd)
        for endless in ("9" * 30, "9" * 400):
            self.assertEqual(self.wait_after(failure(429, Retry_After=endless)), 3 * 86_400)

    def test_their_side_fails(self) -> None:
        """After a 5xx, the firewall's 403, or no answer at all, the pause grows with each."""
        for odd in (
            lambda: failure(500), lambda: failure(503, b"<html>"), lambda: failure(403),
            lambda: NetworkError("refused", "host:80"), lambda: Response(b"<html>"), lambda: Response(b""),
            lambda: failure(404, b"\xff" * 5000), lambda: failure(407), lambda: failure(451), lambda: failure(302),
            lambda: failure(403, {"code": 0, "msg": "no"}), lambda: Response(b'{"a":'),
            lambda: Response(b"\xff"), lambda: Response(b"[" * 100_000),
        ):  # fmt: skip
            with self.subTest(odd=repr(odd())[:60]):
                self.assertEqual(self.wait_after(odd()), 0.5)
                self.assertEqual(self.wait_after(*[odd() for _ in range(4)]), 4)
                self.assertEqual(self.wait_after(*[odd() for _ in range(20)]), 30)

    def test_a_good_answer_ends_the_pauses(self) -> None:
        """After a good answer the pauses start over."""
        server = Server(failure(500), failure(500), Response({}), failure(500))
        rest = server.rest()
        for good in (False, False, True, False):
            if good:
                server.get(rest, page("A"))
            else:
                self.assertRaises(RestError, server.get, rest, page("A"))
            server.now_s += 1000
        server.now_s -= 1000
        self.assertEqual(rest.wait_s(page("A")), 0.5)

    def test_a_request_that_is_wrong_is_not_tried_again(self) -> None:
        """A 4xx with the exchange's own error is a refusal in its words, and blocks nothing."""
        server = Server(failure(400, {"code": -1121, "msg": "Invalid symbol."}))
        rest = server.rest()
        with self.assertRaisesRegex(Refused, r"host:80: 400 .*-1121 Invalid symbol\."):
            server.get(rest, page("A"))
        self.assertEqual(rest.wait_s(page("A")), 0)

    def test_an_error_says_why(self) -> None:
        """The reason of a request that failed is in its error."""
        for odd, words in (
            (NetworkError("refused", "host:80"), "refused: host:80"),
            (failure(503, b"maintenance"), "host:80: 503 reason: 'maintenance'"),
            (failure(403, b"<html>"), "HTML from host:80: 403 Forbidden"),
            (Response(b"<!DOCTYPE html>"), "not JSON from host:80: '<!DOCTYPE html>'"),
        ):
            with self.assertRaisesRegex(RestError, words):
                (server := Server(odd)).get(server.rest(), page("A"))

    def test_the_weight_the_exchange_counts(self) -> None:
        """What the exchange says is used counts, also in a refusal, and nonsense does not."""
        for answer in (Response({}, X_MBX_USED_WEIGHT_1M="1919"), failure(400, ERROR, X_MBX_USED_WEIGHT_1M="1919")):
            server = Server(answer)
            rest = server.rest()
            with contextlib.suppress(Refused):
                server.get(rest, page("A"))
            self.assertEqual(rest.budget.wait_s(20, server.now_s), 60)
        for odd in ("", "x", "-5", "1e9", "9" * 5000):
            for answer in (Response({}, X_MBX_USED_WEIGHT_1M=odd), failure(400, ERROR, X_MBX_USED_WEIGHT_1M=odd)):
                server = Server(answer)
                rest = server.rest()
                with contextlib.suppress(Refused):
                    server.get(rest, page("A"))
                self.assertEqual(rest.budget.wait_s(20, server.now_s), 0, odd)

    def test_the_size_of_an_answer(self) -> None:
        """A page may have 4 MiB; the list of symbols, which grows with the exchange, twice as much."""
        bounds: list[int] = []

        def get(url: str, path: str, headers: dict[str, str], *, most_bytes: int) -> Reply:
            bounds.append(most_bytes)
            return Response([])

        calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        for ask in (ask_page(FUTURES, "A", 1, 1000), ask_exchange_info(FUTURES)):
            calls.put(Call(ask, ask.path, 0.0))
        calls.put(None)
        make("http://host", calls, lambda _: None, get=get)
        self.assertEqual(bounds, [4 << 20, 8 << 20])


class Asks(queue.SimpleQueue):  # type: ignore[type-arg]
    """A queue on which waiting takes no time: the fake clock goes on instead, and at the end comes None."""

    def __init__(self, server: Server, asks: list[Ask]) -> None:
        super().__init__()
        self.server = server
        self.longest_s = 0.0
        for ask in asks:
            self.put(ask)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return super().get(block=False)
        except queue.Empty:
            if timeout is None:
                return None  # nothing waits and nothing is to come
            self.longest_s = max(self.longest_s, timeout)
            self.server.now_s += timeout
            raise


class Serving(unittest.TestCase):
    def serve(
        self, server: Server, asks: list[Ask], follow: Callable[[Answer], Ask | None] = lambda answer: None
    ) -> list[Answer]:
        """Serve requests until none is left; return the answers in order. `follow` gives an answer's next request."""
        answers: list[Answer] = []
        waiting = Asks(server, asks)

        def deliver(answer: Answer) -> None:
            answers.append(answer)
            following = follow(answer)
            if following:
                waiting.put(following)

        def send(call: Call | None) -> None:
            if call is not None:
                waiting.put(server.make(call))

        serve(server.rest(), waiting, send, deliver, wall_ns=lambda: 5)
        return answers

    def test_a_long_hole_does_not_starve_the_others(self) -> None:
        """Symbols with pages to come are answered in turn."""
        server = Server(*[Response([]) for _ in range(12)])
        left = {"LONG": 9, "B": 1, "C": 1, "D": 1}

        def follow(answer: Answer) -> Ask | None:
            left[answer.ask.symbol] -= 1
            return page(answer.ask.symbol) if left[answer.ask.symbol] else None

        answers = self.serve(server, [page(symbol) for symbol in left], follow)
        self.assertEqual([answer.ask.symbol for answer in answers][:5], ["LONG", "B", "C", "D", "LONG"])
        self.assertEqual(len(answers), 12)

    def test_a_patient_request_goes_behind_all_others(self) -> None:
        """However long it waits, holes come first, and it leaves half of a minute's weight to them."""
        server = Server(*[Response([]) for _ in range(201)])
        patient = [page(f"Q{i}")._replace(rank=PATIENT) for i in range(100)]
        answers = self.serve(server, [*patient, *[page(f"S{i}") for i in range(100)], Ask("/fapi/v3/time", (), 1)])
        self.assertEqual("T" + 100 * "S" + 100 * "Q", "".join((one.ask.symbol or "T")[0] for one in answers))
        late = server.at_s[101:]
        for at_s in late:
            self.assertLessEqual(20 * len([one for one in late if at_s - 59.999 < one <= at_s]), 2400 * 0.5)

    def test_a_request_that_fails_goes_behind_the_others(self) -> None:
        """A request that fails is asked again after those that wait, until it is answered, and said once."""
        server = Server(failure(500), failure(500), Response([1]), Response([2]))
        with self.assertLogs("aster_collect.net.rest") as logs:
            answers = self.serve(server, [page("A"), page("B")])
        self.assertEqual([(answer.ask.symbol, answer.value) for answer in answers], [("A", [1]), ("B", [2])])
        self.assertEqual([record.levelname for record in logs.records], ["WARNING", "INFO"])
        server = Server(failure(500), Response([1]), Response([2]))
        with self.assertLogs("aster_collect.net.rest"):
            answers = self.serve(server, [page("A"), page("B")])
        self.assertEqual([(answer.ask.symbol, answer.value) for answer in answers], [("B", [1]), ("A", [2])])

    def test_nothing_is_asked_while_banned(self) -> None:
        """Between a 418 and the end of the ban no request goes out, whoever waits."""
        server = Server(failure(418, Retry_After="600"), Response([]), Response([]), Response([]))
        with self.assertLogs("aster_collect.net.rest"):
            answers = self.serve(server, [page("A"), page("B"), page("C")])
        self.assertEqual(len(answers), 3)
        self.assertGreaterEqual(server.at_s[1] - server.at_s[0], 600)

    def test_a_ban_of_an_earlier_run(self) -> None:
        """What is left of a ban when a run starts is obeyed, and what a ban of this run is, is kept for the next."""
        server = Server(failure(418, Retry_After="600"), Response([]))
        server.bans = Kept(300.0)
        with self.assertLogs("aster_collect.net.rest"):
            self.serve(server, [page("A")])
        self.assertEqual(server.at_s, [1300.0, 1900.0])
        self.assertEqual([(REST, 600.0)], [ban[:2] for ban in server.bans.begun])
        self.assertIn("host:80: 418", server.bans.begun[0][2])

    def test_a_list_that_is_wanted_in_a_ban(self) -> None:
        """A request without a symbol does not wait for the end of a ban: its asker goes on without, and nobody asks."""
        server = Server()
        server.bans = Kept(3600.0)
        answers = self.serve(server, [ask_exchange_info(FUTURES)])
        self.assertEqual(["banned for 3600 s more"], [answer.refused for answer in answers])
        self.assertEqual(([], 1000.0), (server.urls, server.now_s))

    def test_nothing_is_asked_beyond_the_weight(self) -> None:
        """Many requests at once keep within the weight of every minute, less the reserve."""
        server = Server(*[Response([]) for _ in range(300)])
        self.serve(server, [page(f"S{i}") for i in range(300)])
        for at_s in server.at_s:
            minute = [one for one in server.at_s if at_s - 59.999 < one <= at_s]
            self.assertLessEqual(20 * len(minute), 2400 * 0.8)
        self.assertLess(server.at_s[-1] - server.at_s[0], 4 * 60)

    def test_a_request_of_nobody_is_tried_once(self) -> None:
        """A request without a symbol is answered with the reason when it fails: its asker goes on without."""
        server = Server(failure(500))
        answers = self.serve(server, [Ask("/fapi/v3/exchangeInfo", (), 1)])
        self.assertEqual(len(answers), 1)
        self.assertIn("500", answers[0].refused)

    def test_a_refusal_is_an_answer(self) -> None:
        """A request that the exchange refuses for good is answered with its words, with the time."""
        server = Server(failure(400, ERROR))
        answers = self.serve(server, [page("A")])
        self.assertIn("Invalid symbol.", answers[0].refused)
        self.assertEqual((answers[0].received_ns, answers[0].value), (5, None))

    def test_a_stop_while_banned(self) -> None:
        """A stop ends the serving at once, though requests wait."""
        server = Server(failure(418, Retry_After="600"))
        asks: queue.SimpleQueue[Ask | Called | None] = queue.SimpleQueue()
        asks.put(page("A"))
        rest = server.rest()
        delivered: list[Answer] = []
        with self.assertRaises(RestError):
            server.get(rest, page("B"))
        asks.put(None)
        sent: list[Call | None] = []
        serve(rest, asks, sent.append, delivered.append)
        self.assertEqual((delivered, len(server.urls)), ([], 1))
        self.assertEqual(sent, [None] * UNDER_WAY, "those who make the requests are told too")


class Slow:
    """An exchange that answers when it is told to: `under_way` are the requests that it has."""

    def __init__(self) -> None:
        self.server = Server()
        self.rest = self.server.rest()
        self.under_way: list[Call] = []
        self.delivered: list[Answer] = []
        self.requests = Requests(self.rest, self.under_way.append, self.delivered.append, lambda: 5)

    def go(self) -> float | None:
        """Let all requests be made that may be now; return how long the next one has to wait."""
        while self.requests.wait_s() == 0:
            self.requests.send_next()
        return self.requests.wait_s()

    def answer(self, at: int, reply: Any) -> None:
        """Answer one of those that are under way."""
        self.server.answers = [reply]
        self.requests.take(self.server.make(self.under_way.pop(at)))


class UnderWay(unittest.TestCase):
    def setUp(self) -> None:
        self.slow = Slow()

    def poll(self, count: int) -> None:
        for number in range(count):
            self.slow.requests.ask(Ask("/fapi/v3/openInterest", (), 1, "open-interest", f"S{number}", rank=POLL))

    def under_way(self) -> list[str]:
        return [call.ask.symbol for call in self.slow.under_way]

    def test_a_round_trip_that_is_long(self) -> None:
        """Several polls are under way at once, and no more than there are threads for."""
        slow = self.slow
        self.poll(20)
        self.assertIsNone(slow.go())
        self.assertEqual(self.under_way(), [f"S{number}" for number in range(POLLS)])
        slow.answer(3, Response({}))
        slow.go()
        self.assertEqual(self.under_way()[-1], f"S{POLLS}")

    def test_polls_that_hang(self) -> None:
        """Neither a hole nor the list of symbols waits for them, and what is no poll goes one at a time."""
        slow = self.slow
        self.poll(20)
        slow.go()
        for ask in (page("HOLE"), page("OTHER"), page("QUIET")._replace(rank=PATIENT)):
            slow.requests.ask(ask)
        self.assertIsNone(slow.go())
        self.assertEqual((self.under_way()[-1], len(slow.under_way)), ("HOLE", POLLS + 1))
        slow.requests.ask(ask_exchange_info(FUTURES))
        for symbol in ("", "OTHER", "QUIET"):
            slow.answer(-1, Response([]))
            slow.go()
            self.assertEqual((self.under_way()[-1], len(slow.under_way)), (symbol, POLLS + 1))

    def test_a_refusal_stops_all_that_waits(self) -> None:
        """After a 429 nothing more is asked, though what was sent before is answered well; then one at a time."""
        slow = self.slow
        self.poll(20)
        slow.go()
        slow.server.now_s += 1
        slow.answer(0, failure(429, Retry_After="30"))
        while slow.under_way:
            slow.answer(0, Response({}))
        self.assertEqual((slow.go(), slow.under_way), (30, []))
        slow.server.now_s += 30
        slow.go()
        self.assertEqual(len(slow.under_way), 1)
        slow.answer(0, Response({}))
        slow.go()
        self.assertEqual(len(slow.under_way), POLLS)

    def test_all_that_is_under_way_fails_together(self) -> None:
        """What was sent before a failure and fails too makes the pause no longer."""
        slow = self.slow
        self.poll(20)
        slow.go()
        for _ in range(POLLS):
            slow.server.now_s += 0.01
            slow.answer(0, NetworkError("refused", "host:80"))
        wait_s = slow.go()
        assert wait_s is not None
        self.assertLess(wait_s, 0.5)

    def test_polls_that_no_server_answers(self) -> None:
        """They are tried one at a time and ever more seldom, and a hole waits for none of it."""
        slow = self.slow
        self.poll(20)
        slow.go()
        while slow.under_way:
            slow.answer(0, failure(503))
        for _ in range(5):
            slow.server.now_s += 30
            slow.go()
            self.assertEqual(len(slow.under_way), 1)
            slow.answer(0, failure(503))
        slow.requests.ask(page("HOLE"))
        slow.go()
        self.assertEqual(self.under_way(), ["HOLE"])
        slow.answer(0, Response([]))
        wait_s = slow.go()
        assert wait_s is not None
        self.assertGreater(wait_s, 5)

    def test_the_weight_of_what_is_under_way(self) -> None:
        """It is spent before the request is sent, so that many at once keep within it."""
        slow = self.slow
        slow.rest.budget.a_minute = 8
        self.poll(20)
        self.assertEqual((slow.go(), len(slow.under_way)), (60, 4))


if __name__ == "__main__":
    unittest.main()
