"""How fast a chip reads and writes external RAM through its cache."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.core.platform import Psram

BYTES_A_CLOCK = {"quad": 0.5, "octal": 2.0, "hex": 4.0}
"""That an interface moves at most: octal and hex ones on both edges of the clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PsramAccess:
    """What of external RAM is a cache's.

    Attributes:
        cache_bytes, line_bytes: of the data cache.
        wait_s: before a line comes.
        write_ratio: speed of writes over that of reads.
        low, high: factors on the time of all accesses that bound it.
    """

    cache_bytes: int
    line_bytes: int
    wait_s: float
    write_ratio: float
    low: float
    high: float

    def read_s(self, psram: Psram, interface: str) -> float:
        """Seconds a byte of long runs, line by line.

        Raises:
            KeyError: an interface without a clock.
            TypeError: a memory whose bandwidth is not known.
        """
        if psram.bandwidth_bytes_per_s is None:
            raise TypeError("the bandwidth of this memory is not known")
        peak = psram.clock_hz[interface].value * BYTES_A_CLOCK[interface]
        return 1 / min(peak, psram.bandwidth_bytes_per_s.value) + self.wait_s / self.line_bytes

    def write_s(self, psram: Psram, interface: str) -> float:
        """The same of writes."""
        return self.read_s(psram, interface) / self.write_ratio
