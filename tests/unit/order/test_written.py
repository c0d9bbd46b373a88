"""What a run before wrote is not written again, and nothing else is left out."""

import random
import unittest

from aster_collect.exchange.streams.prices import Quote
from aster_collect.order.written import BEHIND_MS, Written
from tests.support import rounds

START_MS = 1_764_000_000_000


def quote(after_ms: int, price: int = 1, received_ns: int | None = None) -> Quote:
    return Quote(0, START_MS + after_ms, f"{price}.0", f"{price + 2}.0", received_ns=received_ns)


def fresh(events: dict[int, Quote]) -> list[Quote]:
    return [event._replace(id=number) for number, event in events.items()]


class Incidents(unittest.TestCase):
    def test_a_front_server_that_is_behind(self) -> None:
        """Older rows, and those of the last millisecond, are there already; what comes behind is not."""
        written = Written([quote(0, 1), quote(0, 2)])
        came = {7: quote(-900), 8: quote(0, 1), 9: quote(0, 2), 10: quote(0, 3), 11: quote(1)}
        self.assertEqual(written.again(fresh(came)), [7, 8, 9])

    def test_a_connection_that_begins_within_the_last_millisecond(self) -> None:
        """Of rows that look the same as many are left out as the file has, and the other connection's copies too."""
        written = Written([quote(0), quote(0)])
        self.assertEqual(written.again(fresh({21: quote(0), 22: quote(0), 23: quote(0)})), [21, 22])
        self.assertEqual(written.again(fresh({20: quote(0), 21: quote(0), 22: quote(0), 24: quote(0)})), [20, 21, 22])

    def test_rows_with_a_receive_time(self) -> None:
        """That is this machine's, and another each time."""
        written = Written([quote(0, 1, 100)])
        self.assertEqual(written.again(fresh({5: quote(0, 1, 200), 6: quote(0, 1, 300)})), [5])

    def test_what_comes_says_more_than_its_row(self) -> None:
        """The quantities of a quote are in no row of prices, but in an event whose frame took the slow way they are."""
        written = Written([quote(0, 1)])
        more = quote(0, 1)._replace(bid_quantity="4.5", ask_quantity="2")
        self.assertEqual(written.again(fresh({5: more, 6: quote(0, 2)})), [5])

    def test_the_clock_was_set_back(self) -> None:
        """By more than any front server is behind: its rows are new."""
        written = Written([quote(0)])
        self.assertEqual(written.again(fresh({5: quote(-BEHIND_MS), 6: quote(-BEHIND_MS - 1)})), [5])

    def test_the_clock_is_set_back_while_it_is_guarded(self) -> None:
        """Behind a row that was new, in the order of ids, all rows are new, whatever their times say."""
        written = Written([quote(0)])
        self.assertEqual(written.again(fresh({5: quote(-5), 6: quote(10), 7: quote(-30_000)})), [5])
        self.assertEqual(written.again(fresh({8: quote(-29_000), 4: quote(-6)})), [4])

    def test_it_is_over(self) -> None:
        """A fresh file has nothing to repeat, and after a minute nothing of it can come."""
        self.assertTrue(Written([]).over(0))
        written = Written([quote(0)])
        self.assertFalse(written.over(START_MS + BEHIND_MS))
        self.assertTrue(written.over(START_MS + BEHIND_MS + 1))


class AnyRestart(unittest.TestCase):
    def test_any_connections_that_are_behind(self) -> None:
        """However far each is behind, no row is written twice, and none is missing but of the last millisecond."""
        for seed, chance in rounds(500):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        times = sorted(chance.randrange(60) for _ in range(200))
        events = {number: quote(after_ms, chance.randrange(2)) for number, after_ms in enumerate(times)}
        end = chance.randrange(1, 199)
        last_ms = times[end - 1]
        written = Written([events[number] for number in range(end) if times[number] == last_ms])
        begins = [chance.randrange(200) for _ in range(chance.randrange(1, 4))]
        kept: set[int] = set()
        for low in range(0, 200, 20):  # the connections bring the same at times of their own
            for begin in begins:
                lag = chance.randrange(3) * 20
                came = {number: events[number] for number in range(max(begin, low - lag), max(0, low + 20 - lag))}
                kept |= set(came) - set(written.again(fresh(came)))
        for begin in begins:
            came = {number: events[number] for number in range(begin, 200)}
            kept |= set(came) - set(written.again(fresh(came)))
        twice = [number for number in kept if number < end and times[number] != last_ms]
        self.assertEqual(twice, [])
        missing = [n for n in range(min(begins), 200) if n >= end and n not in kept and times[n] != last_ms]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    unittest.main()
