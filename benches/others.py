"""Whether the machine was quiet while something was measured."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path


class Others:
    """How much of the machine went to processes that are not part of the measurement, since this was made."""

    def __init__(self) -> None:
        self._before = self._reading()

    def share(self) -> float:
        """Of all cores' time. What is left of ours must have ended and been waited for."""
        wall, busy, ours = (now - then for now, then in zip(self._reading(), self._before, strict=True))
        return max(0.0, (busy - ours) / (wall * (os.cpu_count() or 1)))

    @staticmethod
    def _reading() -> tuple[float, float, float]:
        """Seconds: by the clock, used by all, used by this process and its children."""
        fields = Path("/proc/stat").read_text().partition("\n")[0].split()[1:9]
        idle = {3, 4}  # idle and waiting for a disk; what a hypervisor took for itself is not ours
        ticks = sum(int(field) for index, field in enumerate(fields) if index not in idle)
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return (
            time.monotonic(),
            ticks / os.sysconf("SC_CLK_TCK"),
            sum(usage.ru_utime + usage.ru_stime for usage in own),
        )
