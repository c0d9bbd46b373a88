"""Whether a quiet symbol had trades in an outage: the next live trade tells, and where none comes, REST is asked.

Pure. Times are seconds of a monotonic clock, given by the caller.
"""

import math

CHECK_S = 10.0  # after an outage; a REST server that is behind by seconds has its trades by then
AGAIN_S = 60.0  # after an answer that is of no use


class Question:
    """One that is open from the beginning of an outage until a live trade, or a page, answers it.

    ```
    answered ──an outage begins──▶ open ──it ends──▶ due in 10 s ──▶ asked ──▶ answered
                                    └────────── a live trade ───────────────────▲
    ```
    """

    def __init__(self) -> None:
        self.open = False
        self._due_s = math.inf
        self._asked = False

    def begin(self, due_s: float = math.inf) -> None:
        """Open it, to be asked from `due_s` on; what was asked before is no answer."""
        self.open, self._due_s, self._asked = True, due_s, False

    def hurry(self) -> None:
        """Let it be asked now, if it is open; also where it has been asked."""
        self._due_s, self._asked = -math.inf, False

    def ask(self, now_s: float, under_way: bool) -> bool:
        """Return whether it is to be asked now; each is asked only once, and not beside one that is under way yet.

        But where there is hurry that one may be too patient.
        """
        if not self.open or self._asked or now_s < self._due_s or (under_way and self._due_s > -math.inf):
            return False
        self._asked = True
        return True

    def answered(self) -> None:
        """Close it."""
        self.open = False

    def page(self, usable: bool, full: bool, now_s: float) -> None:
        """Take a page as the answer, if it has been asked: a full one leaves open what is behind it."""
        if self._asked:
            self._asked = False
            self._due_s = now_s if usable else now_s + AGAIN_S
            self.open = full or not usable
