"""Delays grow and budgets hold, as plain numbers."""

import random
import unittest

from aster_collect.net.pacing import RESERVE, WINDOW_S, Backoff, HandshakeBudget, WeightBudget, connection_age_s
from tests.support import rounds


class Backoffs(unittest.TestCase):
    def test_an_exchange_that_stays_away_is_asked_less_and_less(self) -> None:
        """The longest delay doubles from half a second to 30 seconds, and stays there for ever."""
        backoff = Backoff(lambda: 1.0)
        self.assertEqual([backoff.failed() for _ in range(9)], [0.5, 1, 2, 4, 8, 16, 30, 30, 30])
        self.assertEqual([backoff.failed() for _ in range(5000)][-1], 30)

    def test_clients_do_not_come_back_in_step(self) -> None:
        """A delay lies anywhere between nothing and the longest."""
        self.assertEqual(Backoff(lambda: 0.0).failed(), 0)
        self.assertEqual(Backoff(lambda: 0.25).failed(), 0.125)
        self.assertGreater(len({Backoff().failed() for _ in range(20)}), 10)

    def test_an_exchange_that_is_back_is_asked_soon_again(self) -> None:
        """The delays start over once something worked."""
        backoff = Backoff(lambda: 1.0)
        for _ in range(10):
            backoff.failed()
        backoff.worked()
        self.assertEqual([backoff.failed(), backoff.failed()], [0.5, 1])


class Ages(unittest.TestCase):
    def test_connections_hand_over_before_the_oldest_age_and_not_together(self) -> None:
        """A connection hands over within the last tenth before the oldest age."""
        self.assertEqual(connection_age_s(100, lambda: 0.0), 100)
        self.assertEqual(connection_age_s(100, lambda: 1.0), 90)
        self.assertGreater(len({connection_age_s(82_800) for _ in range(20)}), 10)


class Budgets(unittest.TestCase):
    def test_a_fresh_budget_lets_requests_go(self) -> None:
        """Requests go at once until the minute's weight, less the reserve, is spent."""
        budget = WeightBudget(100)
        for _ in range(4):
            self.assertEqual(budget.wait_s(20, 0), 0)
            budget.spend(20, 0)
        self.assertEqual(budget.wait_s(20, 10), 50)
        self.assertEqual(budget.wait_s(20, 60), 0)

    def test_only_as_much_as_is_needed_is_waited_for(self) -> None:
        """A request waits for the oldest of those whose weight makes room."""
        budget = WeightBudget(100)
        for now_s in (0, 10, 20, 30):
            budget.spend(20, now_s)
        self.assertEqual(budget.wait_s(20, 30), 30)
        self.assertEqual(budget.wait_s(40, 30), 40)
        self.assertEqual(budget.wait_s(80, 30), 60)

    def test_a_request_heavier_than_the_budget_goes_alone(self) -> None:
        """A request that never fits waits for an empty minute, not for ever."""
        budget = WeightBudget(10)
        self.assertEqual(budget.wait_s(20, 0), 0)
        budget.spend(1, 0)
        self.assertGreater(budget.wait_s(20, 0), 0)
        self.assertEqual(budget.wait_s(20, WINDOW_S), 0)

    def test_others_at_our_address_spend_too(self) -> None:
        """What the exchange counts beyond ours is spent; what it counts below is no refund."""
        budget = WeightBudget(100)
        budget.spend(20, 0)
        budget.observe(80, 0)
        self.assertEqual(budget.wait_s(1, 0), 60)
        budget.observe(5, 1)
        self.assertEqual(budget.wait_s(1, 1), 59)

    def test_a_ban_is_obeyed_to_its_end(self) -> None:
        """Nothing may go while blocked, and a shorter block does not end a longer one."""
        budget = WeightBudget(2400)
        budget.block(120, 0)
        budget.block(10, 0)
        self.assertEqual(budget.wait_s(1, 0), 120)
        self.assertEqual(budget.wait_s(1, 119.5), 0.5)
        self.assertEqual(budget.wait_s(1, 120), 0)

    def test_any_requests_keep_within_every_minute(self) -> None:
        """Any requests, each made when it may be, never weigh more than the limit less the reserve in any minute."""
        for seed, chance in rounds(100):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        limit = chance.choice((100, 2400))
        budget = WeightBudget(limit)
        now_s = 0.0
        spent: list[tuple[float, int]] = []
        for _ in range(200):
            weight = chance.choice((1, 2, 20))
            wait_s = budget.wait_s(weight, now_s)
            self.assertLessEqual(wait_s, WINDOW_S)
            now_s += wait_s
            budget.spend(weight, now_s)
            spent.append((now_s, weight))
            minute = sum(amount for then_s, amount in spent if then_s > now_s - WINDOW_S + 1e-6)
            self.assertLessEqual(minute, limit * (1 - RESERVE) + 1e-9)
            now_s += chance.expovariate(3)

    def test_several_programs_with_one_address(self) -> None:
        """Each spends its share alone, and all of them no more than one may, though each is told of all weight."""
        for seed, chance in rounds(30):
            with self.subTest(seed=seed):
                self.share(chance, chance.randrange(2, 6))

    def share(self, chance: random.Random, programs: int) -> None:
        budgets = [WeightBudget(2400, 1 / programs) for _ in range(programs)]
        spent: list[tuple[float, int]] = []
        mine = [0] * programs
        now_s = 0.0
        while now_s < 10 * WINDOW_S:
            at = chance.randrange(programs)
            if not budgets[at].wait_s(20, now_s):
                budgets[at].spend(20, now_s)
                spent.append((now_s, 20))
                mine[at] += 20
                minute = sum(amount for then_s, amount in spent if then_s > now_s - WINDOW_S)
                self.assertLessEqual(minute, 2400 * (1 - RESERVE))
                budgets[at].observe(sum(amount for then_s, amount in spent if then_s >= now_s // 60 * 60), now_s)
            now_s += chance.expovariate(5)
        for weight in mine:
            self.assertLessEqual(weight, 2400 * (1 - RESERVE) / programs * 11)
        self.assertGreater(min(mine), 2400 / programs)  # none goes without

    def test_a_small_share(self) -> None:
        """Of a share that is less than a request weighs, one request a minute goes."""
        budget = WeightBudget(2400, 0.01)
        self.assertEqual(budget.wait_s(25, 0), 0)
        budget.spend(25, 0)
        self.assertEqual((budget.wait_s(25, 59), budget.wait_s(25, 60)), (1, 0))

    def test_rounds_of_requests_that_never_end(self) -> None:
        """A round of them takes on average as long as the budget says, once the first minute's weight is spent."""
        budget, now_s, rounds_made = WeightBudget(2400), 0.0, 50
        for _ in range(rounds_made * 580):
            while wait_s := budget.wait_s(1, now_s, 0.5):
                now_s += wait_s
            budget.spend(1, now_s)
        self.assertAlmostEqual(now_s / rounds_made, budget.round_s(580, 0.5), delta=2)
        self.assertEqual(budget.round_s(580, 0.5), 29)


class Handshakes(unittest.TestCase):
    def test_many_connections_that_end_at_once(self) -> None:
        """However many connections want to be made, any minute has 60 of them and any five minutes 300."""
        for seed, chance in rounds(30):
            with self.subTest(seed=seed):
                self.play(chance)

    def play(self, chance: random.Random) -> None:
        budget = HandshakeBudget(60)
        at_s = [chance.uniform(0, 5) for _ in range(chance.choice((1, 4, 40)))]  # when each connection tries next
        made: list[float] = []
        while (now_s := min(at_s)) < 900:
            one = at_s.index(now_s)
            wait_s = budget.take(now_s)
            if not wait_s:
                made.append(now_s)
            at_s[one] = now_s + (wait_s or chance.uniform(0, 0.5))
        for at in made:
            for window_s, most in ((60, 60), (300, 300)):
                self.assertLessEqual(sum(at - window_s + 1e-6 < one <= at for one in made), most)
        self.assertGreaterEqual(len(made), 60 * 15)

    def test_a_market_that_allows_fewer(self) -> None:
        """The market says how many any minute may have."""
        budget = HandshakeBudget(2)
        self.assertEqual([budget.take(now_s) for now_s in (0, 10, 20, 60, 60)], [0, 0, 40, 0, 10])

    def test_a_ban(self) -> None:
        """In a ban none is made, and a shorter one does not end it."""
        budget = HandshakeBudget(60)
        budget.block(600, 0)
        budget.block(10, 0)
        self.assertEqual([budget.take(0), budget.take(599), budget.take(600)], [600, 1, 0])


if __name__ == "__main__":
    unittest.main()
