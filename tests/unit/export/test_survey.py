"""A data file is told by what it holds: which bytes of it are of which day, and what those sum up to."""

import zlib
from itertools import product
from unittest import mock

from aster_collect.exchange.streams import KINDS
from aster_collect.export.lake.survey import Stretch, survey
from aster_collect.files.names import Part
from aster_collect.files.source import Source
from tests.unit.archive.folder import S, header_of
from tests.unit.export.lake import DAY_MS, DAYS, FIRST_MS, LakeCase, trade

HEADER = f"{header_of('trades')}\n".encode()


class ASurvey(LakeCase):
    def test_two_days_that_change_turns(self) -> None:
        """Of each are known its rows, times, first line, the bytes from first to last, and a checksum of its own."""
        times = [FIRST_MS + DAY_MS + behind for behind in (-5, -3, 0, -9, 0)]
        rows = [f"{trade(n, time_ms)}\n".encode() for n, time_ms in enumerate(times)]
        at = [len(HEADER) + sum(map(len, rows[:n])) for n in range(6)]
        first, second = zlib.crc32(rows[0] + rows[1] + rows[3]), zlib.crc32(rows[2] + rows[4])
        days = {
            DAYS[0]: Stretch(3, times[3], times[1], at[0], at[4], 2, first),
            DAYS[1]: Stretch(2, times[2], times[4], at[2], at[5], 4, second),
        }
        for packed, block in product((False, True), (1 << 16, 100, 40)):
            path = self.put("trades", [row[:-1].decode() for row in rows], DAYS[0], packed=packed)
            told: list[int] = []
            with (
                self.subTest(packed=packed, block=block),
                mock.patch("aster_collect.files.source.BLOCK_BYTES", block),
                mock.patch("aster_collect.export.lake.survey.CHUNK_BYTES", block),
                Source(path, Part("trades", S, DAYS[0])) as source,
            ):
                found = survey(KINDS["trades"], source, lambda _, bytes_, told=told: told.append(bytes_))
                self.assertEqual(found.days, days)
                self.assertEqual((found.bytes, found.rows), (at[5], 5))
                self.assertEqual(found.crc32, zlib.crc32(HEADER + b"".join(rows)))
                self.assertEqual(sum(told), path.stat().st_size)
                self.assertEqual(source.packed, (found.crc32, found.bytes) if packed else None)
            path.unlink()

    def test_a_row_under_way(self) -> None:
        """Half a row at the end of a file that grows is not there, nor is anything of a file without rows."""
        row = trade(1, FIRST_MS)
        for end, rows in (("2,17952", [row]), ("", []), ("", [row])):
            path = self.put("trades", rows, end=end)
            with Source(path, Part("trades", S), growing=True) as source:
                found = survey(KINDS["trades"], source, lambda *_: None)
            self.assertEqual((found.rows, list(found.days)), (len(rows), list(DAYS[: len(rows)])))
            self.assertEqual(found.size, path.stat().st_size)
