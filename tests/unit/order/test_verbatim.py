"""What the exchange sent stands in a record as it came, or in a way that brings back its bytes."""

import json
import unittest
from random import Random

from aster_collect.order.entries import Step
from aster_collect.order.record_reader import read_entries
from tests.support import rounds
from tests.unit.order.entries import AT, CHINESE, QUOTE, batch, frames_of, texts

ODD = (
    b"", b"{", b"[]", b"null", b"}{", b'{"a":\n1}', b"\n", b'{"x":"\xff"}', b'{"aster":"step"}', b'{"aster"}', b"{}",
    b'{"stream":"\xe5"}', b'{"stream":"a"}\r', b" {}", CHINESE[:-20],
)  # fmt: skip


class Frames(unittest.TestCase):
    def test_frames_that_can_not_stand_on_a_line(self) -> None:
        """Whatever they are, they come back, and each line is as it came, or a JSON object of ours."""
        for seed, chance in rounds(300):
            frames = [chance.choice((*ODD, QUOTE, CHINESE, noise(chance))) for _ in range(chance.randrange(1, 6))]
            lines = texts(batch(*frames), Step())
            self.assertEqual(len(lines), len(frames) + 2, f"seed {seed}: {frames}")
            (_, read), step = read_entries(lines)
            self.assertEqual(frames_of(read), frames, f"seed {seed}")
            self.assertEqual(step, (AT, Step()))
            for (_, text), frame in zip(lines[1:], frames, strict=False):
                self.assertTrue(text == frame or json.loads(text)["aster"] == "frame", f"seed {seed}: {text!r}")
                self.assertTrue(text.startswith(b"{") and text.endswith(b"}"))


def noise(chance: Random) -> bytes:
    """Return any bytes."""
    return bytes(chance.randrange(256) for _ in range(chance.randrange(12)))


if __name__ == "__main__":
    unittest.main()
