"""What a million live revocations cost: memory, time for a check, and for how long forgetting holds everybody up.

$ PYTHONPATH=src python benches/revoked.py
"""

from __future__ import annotations

import gc
import random
import statistics
import time
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from hallpass._revoked import Revoked

COUNT = 1_000_000
NOW = 1_790_000_000


def resident() -> float:
    """MiB of this process, on Linux."""
    gc.collect()
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024


def session(number: int) -> str:
    """A UUID of version 7, as random as those of a server."""
    bits = random.Random(number).getrandbits(128)
    return str(UUID(int=bits & ~(0xF << 76) | 7 << 76))


def main() -> None:
    sessions = [session(number) for number in range(COUNT)]
    revoked = Revoked()
    before = resident()
    began = time.perf_counter()
    for number, text in enumerate(sessions):
        assert revoked.apply({"session": text, "forget_at": NOW + number % 300})
    took = time.perf_counter() - began
    print(f"{COUNT} sessions: {resident() - before:.0f} MiB, {took / COUNT * 1e6:.2f} µs to apply a line")

    def check(texts: list[str]) -> str:
        claims: list[Any] = [SimpleNamespace(sid=UUID(text), sub=42, account_version=1) for text in texts]
        times = []
        for each in claims:
            began = time.perf_counter_ns()
            revoked.check(each)
            times.append(time.perf_counter_ns() - began)
        return f"{statistics.median(times)} ns"

    some = random.sample(sessions, 100_000)
    print(
        f"a check: {check(some)} for a session that is over, {check([session(-n) for n in range(1, 100_001)])} for another"
    )
    for what, moment in (("nothing", NOW - 1), ("a minute of five", NOW + 60), ("all", NOW + 300)):
        began = time.perf_counter()
        revoked.forget(moment)
        print(f"to forget {what}: {(time.perf_counter() - began) * 1e3:.0f} ms")
    print(f"then: {resident() - before:.0f} MiB")


main()
