"""The server's public keys: read, followed, and kept while it is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from support import ALGORITHMS, JWKS, HallpassServer, SigningKey, base64url, eventually

import hallpass._jwks
from hallpass import HallpassError, RevocationUnknown, TokenInvalid, Verifier
from hallpass._jwks import _max_age
from hallpass._keys import KeySet

Making = Callable[..., Verifier]


def key_set(*keys: dict[str, Any]) -> KeySet:
    return KeySet.from_jwks(json.dumps({"keys": keys}).encode())


def good(verifier: Verifier, token: str) -> bool:
    try:
        verifier.verify(token)
    except HallpassError:
        return False
    return True


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_every_algorithm_is_read(algorithm: str) -> None:
    jwk = SigningKey(algorithm).jwk()
    read = key_set(jwk).get("k1")
    assert read is not None and read.algorithm == algorithm
    del jwk["alg"]
    assert len(key_set(jwk)) == (0 if jwk["kty"] == "RSA" else 1), "an RSA key must say which of its two it is for"


def test_a_key_that_cannot_verify_tokens_is_passed_over_and_the_others_stay(key: SigningKey) -> None:
    jwk = key.jwk()
    for unusable in (
        *({"kid": None}, {"kid": 1}, {"use": "enc"}, {"use": None}, {"key_ops": ["sign"]}, {"key_ops": "verify"}),
        *({"alg": "RS256"}, {"alg": "ES384"}, {"alg": "HS256"}, {"alg": 1}, {"alg": None}, {"alg": "none"}),
        *({"crv": "P-384"}, {"crv": ["P-256"]}, {"kty": "OKP"}, {"kty": "oct"}, {"kty": {}}, {"x": jwk["y"]}),
        *({"x": ""}, {"x": 1}, {"x": jwk["x"] + "="}, {"x": base64url(b"\0" * 33)}, {"x": "é"}),
    ):
        read = key_set(jwk, jwk | {"kid": "other"} | unusable)
        assert len(read) == 1 and read.get("k1") is not None, unusable
    no_kid = {name: value for name, value in jwk.items() if name != "kid"}
    assert len(key_set(no_kid)) == 0
    assert len(key_set(jwk | {"key_ops": ["verify"]})) == 1


def test_an_rsa_key_has_2048_to_8192_bits_and_a_sound_exponent() -> None:
    def count(n: bytes, e: bytes = b"\1\0\1") -> int:
        return len(key_set({"kty": "RSA", "alg": "RS256", "kid": "k", "n": base64url(n), "e": base64url(e)}))

    odd = b"\xff" * 256
    assert count(odd) == count(b"\xff" * 1_024) == 1
    assert count(b"\xff" * 128) == count(b"\x7f" + odd[1:]) == count(b"\xff" * 1_025) == count(b"\0" + odd) == 0
    assert count(b"") == count(odd, b"") == count(odd, b"\1") == count(odd, b"\3") == count(odd, b"\1\0\0") == 0
    assert count(odd, b"\0\1\0\1") == 0


def test_what_is_no_key_set_or_shows_a_secret_is_refused(key: SigningKey) -> None:
    texts = [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}', b'{"keys":[],"keys":[]}', b'{"keys":[]} x']
    for text in texts:
        with pytest.raises(ValueError, match="not"):
            KeySet.from_jwks(text)
    for private in ("d", "p", "k", "oth"):
        with pytest.raises(ValueError, match="private"):
            key_set(key.jwk(), key.jwk(kid="other", **{private: "x"}))


def test_a_name_that_two_different_keys_share_selects_neither(key: SigningKey) -> None:
    other, alone = SigningKey("ES256").jwk(), SigningKey("EdDSA", "alone").jwk()
    read = key_set(key.jwk(), alone, other, key.jwk())
    assert len(read) == 1 and read.get("alone") is not None
    assert len(key_set(key.jwk(), key.jwk())) == 1, "the same key twice is one key"


@pytest.mark.parametrize(
    ("header", "age"),
    [
        *(("public, max-age=900", 900), ("max-age=60", 60), ("MAX-AGE=61,public", 61), ("max-age=0", 10)),
        *(("max-age=999999999", 3_600), ("", 300), ("no-store", 300), ("s-maxage=5", 300), ("max-age=x", 300)),
    ],
)
def test_the_answer_says_how_long_keys_are_fresh(header: str, age: float) -> None:
    assert _max_age(header) == age


def test_keys_that_are_over_their_age_are_asked_for_again_by_their_tag(
    server: HallpassServer, verifying: Making, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallpass._jwks, "_LEAST_AGE", 0)
    server.change(keys_max_age=0)
    verifier = verifying()
    assert verifier.start(10)
    server.wait_for_requests(JWKS, 4)
    first, *later = server.seen(JWKS)
    assert "if-none-match" not in first.headers and all("if-none-match" in seen.headers for seen in later)
    token, next_key = key.token(), SigningKey("EdDSA", "k2")
    assert good(verifier, token)
    server.change(keys=[next_key.jwk()])
    eventually(lambda: not good(verifier, token), "the end of the key that was revoked")
    assert good(verifier, next_key.token())


def test_a_key_that_is_not_known_is_asked_for_once_and_the_request_waits_for_it(
    server: HallpassServer, verifier: Verifier
) -> None:
    new, stranger = SigningKey("EdDSA", "k2"), SigningKey("EdDSA", "k3")
    server.change(keys=[*server.keys, new.jwk()])
    assert verifier.verify(new.token()).sub == 42
    for _ in range(50):
        with pytest.raises(TokenInvalid, match="its key is not known"):
            verifier.verify(stranger.token())
    assert len(server.seen(JWKS)) == 2, "not more than one in ten seconds"


def test_many_who_bring_an_unknown_key_at_once_wait_for_one_answer(server: HallpassServer, verifier: Verifier) -> None:
    new = SigningKey("EdDSA", "k2")
    server.change(keys=[*server.keys, new.jwk()])
    tokens, results = [new.token(jti=str(number)) for number in range(8)], []
    threads = [threading.Thread(target=lambda t=token: results.append(good(verifier, t))) for token in tokens]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 8
    assert len(server.seen(JWKS)) == 2


def test_after_ten_seconds_it_may_be_asked_again(
    server: HallpassServer, verifier: Verifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    stranger = SigningKey("EdDSA", "k3")
    monkeypatch.setattr(hallpass._jwks, "ASK_EVERY", 0.0)
    for count in (2, 3):
        assert not good(verifier, stranger.token())
        server.wait_for_requests(JWKS, count)
    monkeypatch.setattr(hallpass._jwks, "ASK_EVERY", 10.0)
    assert not good(verifier, stranger.token())
    server.wait_for_requests(JWKS, 4)
    assert not good(verifier, stranger.token())
    assert len(server.seen(JWKS)) == 4


def test_a_server_that_is_away_takes_no_key_with_it(
    server: HallpassServer, verifying: Making, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hallpass._jwks, "_LEAST_AGE", 0)
    server.change(keys_max_age=0)
    verifier = verifying()
    assert verifier.start(10)
    for harm in ({"status": {JWKS: 503}}, {"status": {}, "jwks_body": b"<html>"}, {"jwks_body": b'{"keys": 1}'}):
        server.change(**harm)
        eventually(lambda: verifier.trouble, "the trouble with keys")
        assert good(verifier, key.token(jti="another, so that its signature is checked"))
        server.change(jwks_body=None, status={})
        eventually(lambda: verifier.trouble is None)


def test_without_keys_nobody_is_signed_out_whatever_is_accepted(
    server: HallpassServer, verifying: Making, key: SigningKey
) -> None:
    server.change(status={JWKS: 503})
    verifier = verifying(when_stale="accept")
    with pytest.raises(RevocationUnknown, match="no keys yet"):
        verifier.verify(key.token())
    server.change(status={})
    eventually(lambda: good(verifier, key.token()))


def test_a_token_is_verified_once_and_again_with_other_keys(
    server: HallpassServer, verifier: Verifier, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, opened = key.token(), []
    really = hallpass._jws.open_token

    def counted(text: str, keys: KeySet) -> dict[str, Any]:
        opened.append(text)
        return really(text, keys)

    monkeypatch.setattr(hallpass._jws, "open_token", counted)
    for _ in range(5):
        verifier.verify(token)
    assert opened == [token]
    verifier._receive(key_set(*server.keys))
    verifier.verify(token)
    assert opened == [token], "the same keys again change nothing"
    verifier._receive(key_set(SigningKey("EdDSA", "k2").jwk()))
    assert not good(verifier, token)
