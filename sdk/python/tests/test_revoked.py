"""The set of what was taken back: a set and not a cache."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any
from uuid import UUID

import pytest
from support import claims, some_session

from hallpass._revoked import Revoked
from hallpass._verified import Verified
from hallpass.claims import Claims, from_object

SESSION = "0198c0de-7a11-7000-8000-00000000002a"


def token(**members: Any) -> Claims:
    return from_object(claims() | members)


def code(revoked: Revoked, read: Claims) -> str | None:
    error = revoked.check(read)
    return None if error is None else error.code


def test_a_line_concerns_its_session_and_no_other() -> None:
    revoked = Revoked()
    assert revoked.apply({"session": SESSION, "forget_at": 100})
    assert code(revoked, token()) == "session_ended"
    assert code(revoked, token(sid=some_session())) is None


def test_a_line_concerns_older_tokens_of_its_account() -> None:
    revoked = Revoked()
    assert revoked.apply({"account": 42, "below_version": 7, "forget_at": 100})
    assert code(revoked, token(account_version=6)) == "token_stale"
    assert code(revoked, token(account_version=7)) is None
    assert code(revoked, token(account_version=6, sub="43")) is None
    assert revoked.apply({"session": SESSION, "forget_at": 100})
    assert code(revoked, token(account_version=6)) == "session_ended", "what is over outweighs what is out of date"


def test_the_higher_version_and_the_later_time_win_in_any_order() -> None:
    for versions in ((5, 9, 7), (9, 7, 5), (7, 5, 9)):
        revoked = Revoked()
        for version in versions:
            assert revoked.apply({"account": 42, "below_version": version, "forget_at": 1_000 - version})
        assert code(revoked, token(account_version=8)) == "token_stale"
        revoked.forget(994)
        assert code(revoked, token(account_version=8)) == "token_stale"
        revoked.forget(995)
        assert len(revoked) == 0
    for times in ((100, 300, 200), (300, 100, 200)):
        revoked = Revoked()
        for time in times:
            assert revoked.apply({"session": SESSION, "forget_at": time})
        revoked.forget(299)
        assert code(revoked, token()) == "session_ended"
        revoked.forget(300)
        assert len(revoked) == 0


@pytest.mark.parametrize(
    "line",
    [
        *(None, [], "x", {}, {"session": SESSION}, {"session": SESSION, "forget_at": "1"}, {"forget_at": 1}),
        *({"session": SESSION.upper(), "forget_at": 1}, {"session": None, "forget_at": 1}),
        *({"session": SESSION, "forget_at": True}, {"session": SESSION, "forget_at": 1.5}),
        *({"account": 42, "forget_at": 1}, {"account": "42", "below_version": 7, "forget_at": 1}),
        *({"account": 42, "below_version": True, "forget_at": 1}, {"device": "x", "forget_at": 1}),
    ],
)
def test_a_line_that_is_not_understood_is_not_passed_over_in_silence(line: object) -> None:
    revoked = Revoked()
    assert not revoked.apply(line)
    assert len(revoked) == 0


def test_a_session_takes_some_120_bytes_and_forgetting_gives_them_back() -> None:
    revoked, count = Revoked(), 20_000
    for number in range(count):
        assert revoked.apply({"session": str(UUID(int=7 << 76 | number)), "forget_at": 1_790_000_000 + number})
    held = sys.getsizeof(revoked._sessions) + sum(
        sys.getsizeof(key) + sys.getsizeof(at) for key, at in revoked._sessions.items()
    )
    assert held / count < 150
    revoked.forget(1_790_000_000 + count - 2)
    assert len(revoked) == 1
    assert sys.getsizeof(revoked._sessions) < 1_000


def test_checks_and_changes_at_once_lose_nothing() -> None:
    revoked, done = Revoked(), threading.Event()
    wrong: list[str | None] = []
    read = token()
    revoked.apply({"session": SESSION, "forget_at": 2_000})

    def check() -> None:
        while not done.is_set():
            if (said := code(revoked, read)) != "session_ended":
                wrong.append(said)

    def change(begin: int) -> None:
        for number in range(begin, begin + 500):
            revoked.apply({"session": str(UUID(int=7 << 76 | number)), "forget_at": 1_000 + number % 2 * 1_000})
            if number % 100 == 0:
                revoked.forget(1_500)

    checking = [threading.Thread(target=check) for _ in range(2)]
    changing = [threading.Thread(target=change, args=(number * 10_000,)) for number in range(3)]
    for thread in checking + changing:
        thread.start()
    for thread in changing:
        thread.join()
    done.set()
    for thread in checking:
        thread.join()
    assert not wrong
    revoked.forget(1_500)
    assert len(revoked) == 3 * 250 + 1


def test_remembered_tokens_are_bounded_and_those_in_use_stay() -> None:
    verified, read = Verified(100), token()
    verified.put(b"in use", read)
    for number in range(1_000):
        verified.put(str(number).encode(), read)
        assert verified.get(b"in use") is read
        assert len(verified) <= 100
    assert verified.get(b"0") is None
    assert verified.get(b"999") is read


def test_a_line_as_the_contract_writes_it_is_understood() -> None:
    text = """[{"session": "0198c0de-7a11-7000-8000-00000000002a", "forget_at": 1790000425},
               {"account": 42, "below_version": 7, "forget_at": 1790000425}]"""
    revoked = Revoked()
    assert all(revoked.apply(line) for line in json.loads(text))
    assert len(revoked) == 2
