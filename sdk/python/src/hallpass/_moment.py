"""A moment by both clocks of the machine. Neither alone says how long ago it was: the monotonic one may stand still
while the machine sleeps, and the other one can be set.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

# Seconds: set back by more than this, the clock is not believed. A little is what keeping clocks right takes now and then.
_SET_BACK = 2.0


@dataclass(frozen=True, slots=True)
class Moment:
    """Made now."""

    _at: float = field(default_factory=lambda: time.monotonic())
    _shown: float = field(default_factory=lambda: time.time())

    def age(self) -> float:
        """How many seconds ago it was, by whichever clock says more; infinitely many where the clock shows a time
        before it, and nobody can say.
        """
        shown = time.time() - self._shown
        return math.inf if shown < -_SET_BACK else max(time.monotonic() - self._at, shown)
