"""What goes wrong on one connection for a while: it stalls, it is silent, streams freeze, frames are damaged."""

from __future__ import annotations

import time
from collections.abc import Sequence

from .damage import Frame, FrameFaults, Omission
from .faults import FRAME_FAULTS, Fault


class Troubles:
    """The faults that a connection has at the moment; times are of the monotonic clock."""

    def __init__(self, *, wrapped: bool = False) -> None:
        """Starts without; `wrapped` is how frames are made."""
        self._wrapped = wrapped
        self._omissions: list[tuple[float, Omission]] = []  # until
        self.is_cut_next = False  # the next frame is sent by half
        self._stalled_until = self._silent_until = 0.0
        self._frozen: dict[str, float] = {}  # stream → until
        self._frame_faults = FrameFaults()

    @property
    def is_stalled(self) -> bool:
        """Whether no data is sent."""
        return self._stalled_until > time.monotonic()

    @property
    def is_silent(self) -> bool:
        """Whether nothing is sent, and nothing is heard."""
        return self._silent_until > time.monotonic()

    def add(self, fault: Fault) -> None:
        """Let a fault begin."""
        until = time.monotonic() + (float("inf") if fault.seconds is None else fault.seconds)
        if fault.name in FRAME_FAULTS:
            self._frame_faults.add(fault)
        elif fault.name == "stall":
            self._stalled_until = until
        elif fault.name == "silent":
            self._silent_until = until
        elif fault.name == "omit":
            self._omissions.append((until, Omission(str(fault.value or ""), wrapped=self._wrapped)))
        elif fault.name == "freeze_stream":
            self._frozen[str(fault.value)] = until
        elif fault.name == "cut":
            self.is_cut_next = True
        elif fault.name == "clear":
            self._stalled_until = self._silent_until = 0.0
            self._frozen.clear()
            self._omissions = []

    def apply(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """The frames that go out in place of these, in order."""
        now_s = time.monotonic()
        if self._frozen:
            self._frozen = {stream: until for stream, until in self._frozen.items() if until > now_s}
            frames = [frame for frame in frames if frame.stream not in self._frozen]
        if self._omissions:
            self._omissions = [one for one in self._omissions if one[0] > now_s]
            for _, omission in self._omissions:
                frames = [omission.apply(frame) for frame in frames]
        return frames if self._frame_faults.is_idle() else self._frame_faults.apply(frames, now_s)
