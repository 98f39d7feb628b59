"""Tokens made by hand, most of them signed with the right key, so that nothing but what a test names is wrong with them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from support import ALGORITHMS, ISSUER, HallpassServer, SigningKey, base64url, claims

from hallpass import Claims, Forbidden, TokenExpired, TokenInvalid, Verifier


def refused(verifier: Verifier, token: str) -> str:
    """Why a token is not valid, and that it is said twice alike."""
    with pytest.raises(TokenInvalid) as first:
        verifier.verify(token)
    with pytest.raises(TokenInvalid) as second:
        verifier.verify(token)
    assert first.value.reason == second.value.reason
    return first.value.reason


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_of_every_algorithm_is_read_with_types(
    algorithm: str, server: HallpassServer, verifying: Callable[..., Verifier]
) -> None:
    key = SigningKey(algorithm, "mine")
    server.change(keys=[key.jwk()])
    token = key.token(tenant={"name": "north"}, nbf=100.5)
    read = verifying().verify(token)
    expected = claims()
    assert read == Claims(
        iss=ISSUER,
        sub=42,
        aud=(ISSUER,),
        client_id="hallpass",
        exp=read.exp,
        nbf=101,
        iat=read.iat,
        jti="7bD0kC6y0W1m",
        sid=UUID(expected["sid"]),
        auth_time=read.auth_time,
        amr=("pwd",),
        roles=("support",),
        account_version=3,
        extra={"tenant": {"name": "north"}},
    )
    assert read.exp - read.iat == 300


def test_roles_are_compared_letter_by_letter(verifier: Verifier, key: SigningKey) -> None:
    read = verifier.verify(key.token())
    assert read.has_role("support")
    assert not read.has_role("Support") and not read.has_role("") and not read.has_role("supp")
    read.require_role("support")
    with pytest.raises(Forbidden):
        read.require_role("admin")


def test_what_one_request_does_to_its_claims_no_other_sees(verifier: Verifier, key: SigningKey) -> None:
    token = key.token(groups=["a"])
    verifier.verify(token).extra["groups"].append("admin")
    assert verifier.verify(token).extra == {"groups": ["a"]}


def test_times_have_the_leeway_and_no_more(verifier: Verifier, key: SigningKey) -> None:
    now = int(time.time())
    verifier.verify(key.token(exp=now - 2, iat=now - 300))
    for over in (now - 5, now - 300):
        with pytest.raises(TokenExpired):
            verifier.verify(key.token(exp=over, iat=over - 300))
    verifier.verify(key.token(nbf=now + 3, iat=now + 3))
    for name in ("iat", "nbf", "auth_time"):
        assert refused(verifier, key.token(exp=now + 300, **{name: now + 60})) == f"claim `{name}` lies in the future"


def test_a_token_that_was_verified_still_expires(verifying: Callable[..., Verifier], key: SigningKey) -> None:
    verifier = verifying(leeway=0)
    end = int(time.time()) + 2
    token = key.token(exp=end, iat=end - 300)
    verifier.verify(token)
    with pytest.raises(TokenExpired):
        while time.time() < end + 5:
            verifier.verify(token)


@pytest.mark.parametrize("name", [name for name in claims() if name != "nbf"])
def test_a_claim_that_is_not_there_is_missed(name: str, verifier: Verifier, key: SigningKey) -> None:
    assert refused(verifier, key.token(without=name)) == f"claim `{name}`"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("iss", [None, 1, [ISSUER], "https://other.example", ISSUER + "/", ISSUER.upper()]),
        ("sub", [None, 42, True, "", "0", "042", "+42", "-1", "4 2", "4２", "9223372036854775808", ["42"], "ada"]),
        ("aud", [None, 1, [], [1], "", ISSUER + "x", [[ISSUER]], {ISSUER: True}, [ISSUER, None]]),
        ("client_id", [None, 1, ["hallpass"]]),
        ("exp", [None, "1", True, [1], 1e300, 2**63, -1, {}]),
        ("nbf", [None, "1", True, {}, 2**70]),
        ("iat", [None, "yesterday", True, -1]),
        ("jti", [None, 1, ["a"]]),
        ("sid", [None, "", "0198C0DE-7A11-7000-8000-00000000002A", "0198c0de7a1170008000" + "0" * 12, "x" * 36, 1]),
        ("auth_time", [None, "1", False]),
        ("amr", [None, "pwd", [1], {}]),
        ("roles", [None, "support", [["support"]], [None], {"support": True}]),
        ("account_version", [None, "3", 3.0, True, 2**63, [3]]),
        ("cnf", [None, {"jkt": "x"}]),
    ],
)
def test_a_claim_of_another_type_or_value_is_refused(
    name: str, values: list[Any], verifier: Verifier, key: SigningKey
) -> None:
    for value in values:
        assert refused(verifier, key.token(**{name: value})) == (
            "claim `exp`" if (name, value) == ("iat", -1) else f"claim `{name}`"
        ), value


def test_a_lifetime_beyond_an_hour_is_refused(verifier: Verifier, key: SigningKey) -> None:
    now = int(time.time())
    verifier.verify(key.token(iat=now, exp=now + 3_600))
    assert refused(verifier, key.token(iat=now, exp=now + 3_601)) == "claim `exp`"
    assert refused(verifier, key.token(iat=now, exp=now - 1)) == "claim `exp`"


def test_the_audience_may_be_one_of_several_and_another_than_the_issuer(
    verifying: Callable[..., Verifier], key: SigningKey
) -> None:
    verifier = verifying(audience="https://orders.example.org")
    token = key.token(aud=["https://other.example", "https://orders.example.org"])
    assert verifier.verify(token).aud == ("https://other.example", "https://orders.example.org")
    assert refused(verifier, key.token()) == "claim `aud`"


def test_a_name_that_comes_twice_is_refused_though_it_was_signed(verifier: Verifier, key: SigningKey) -> None:
    header, payload = json.dumps(key.header()), json.dumps(claims())
    for member in ('"sub":"1"', '"sub":"42"', '"s\\u0075b":"1"', '"exp":1', '"x":{"y":1,"y":1}', '"x":[{"y":1,"y":1}]'):
        assert refused(verifier, key.sign_text(header, f"{{{member},{payload[1:]}")) == "it is malformed", member
    for member in ('"alg":"none"', '"alg":"ES256"', '"k\\u0069d":"x"'):
        assert refused(verifier, key.sign_text(f"{{{member},{header[1:]}", payload)) == "it is malformed", member
    verifier.verify(key.sign_text(header, f'{{"once":1,{payload[1:]}'))


def test_only_strict_json_is_read(verifier: Verifier, key: SigningKey) -> None:
    header, payload = json.dumps(key.header()), json.dumps(claims())
    further = [b"NaN", b"Infinity", b"1e400", b"9" * 400, b"01", b"'x'", b'"\xff"', b'"\\ud800"', b"[" * 40 + b"]" * 40]
    for value in further:
        text = payload[:-1].encode() + b',"x":' + value + b"}"
        assert refused(verifier, key.sign_text(header, text)) == "it is malformed", value
    texts = [b"\xef\xbb\xbf" + payload.encode(), payload.encode("utf-16"), payload + " {}", f"[{payload}]", "", "null"]
    texts += [payload + "\0", payload[:-1] + ",}", "[" * 3_000, payload[:-1] + "/**/}"]
    for text in texts:
        assert refused(verifier, key.sign_text(header, text)) == "it is malformed", text
    verifier.verify(key.sign_text(header, f" \r\n\t{payload} "))


@pytest.mark.parametrize("name", ["crit", "b64", "zip", "cty", "jku", "jwk", "x5u", "x5c"])
def test_a_header_that_brings_a_rule_or_a_key_is_refused(name: str, verifier: Verifier, key: SigningKey) -> None:
    for value in (None, True, "x", [], ["b64"], key.jwk()):
        assert refused(verifier, key.token(header=key.header(**{name: value}))) == f"header member `{name}`"


def test_the_key_has_the_algorithm_and_the_token_agrees(verifier: Verifier, key: SigningKey) -> None:
    for algorithm in ("none", "None", "", "es256", "ES384", "HS256", "EdDSA"):
        token = key.token(header=key.header(alg=algorithm))
        assert refused(verifier, token) == "its algorithm is not that of its key", algorithm
        assert refused(verifier, token.rpartition(".")[0] + ".") == "its algorithm is not that of its key"
    for no_text in (None, ["ES256"], 0):
        assert refused(verifier, key.token(header=key.header(alg=no_text))) == "header member `alg`"
    for no_text in (None, ["k1"], 0):
        assert refused(verifier, key.token(header=key.header(kid=no_text))) == "header member `kid`"


def test_a_token_without_its_signature_is_refused(verifier: Verifier, key: SigningKey) -> None:
    message, _, signature = key.token().rpartition(".")
    stranger = SigningKey("ES256").token()
    for other in ("", base64url(b"\0" * 64), base64url(b"\0" * 63), stranger.rpartition(".")[2], signature[:-6]):
        assert refused(verifier, f"{message}.{other}") == "its signature is wrong", other
    assert refused(verifier, stranger) == "its signature is wrong"


def test_a_token_of_another_type_is_refused(verifier: Verifier, key: SigningKey) -> None:
    for typ in ("JWT", "id+jwt", "logout+jwt", "at+jwt ", "application/jwt", "", None, 1, ["at+jwt"]):
        assert refused(verifier, key.token(header=key.header(typ=typ))) == "header member `typ`", typ
    for typ in ("AT+JWT", "application/at+jwt"):
        verifier.verify(key.token(header=key.header(typ=typ)))


def test_a_token_has_three_parts_of_strict_base64url(verifier: Verifier, key: SigningKey) -> None:
    token = key.token()
    header, payload, signature = token.split(".")
    # 64 bytes leave four bits of the last character unused: with one of them set the bytes are the same.
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other_spelling = token[:-1] + alphabet[alphabet.index(token[-1]) + 1]
    for other in (
        *("", ".", "..", "...", header, f"{header}.{payload}", f"{token}.", f".{token}", f"{token}.{signature}"),
        *(f"{header}=.{payload}.{signature}", f"{token}=", f"{token}==", f"{token}\n", f" {token}", f"{token}\u00a0"),
        *(f"{header}.{payload[:8]} {payload[8:]}.{signature}", token.replace("e", "е", 1), other_spelling),
    ):
        assert refused(verifier, other) == "it is malformed", other
    assert refused(verifier, f"{header}..{signature}") == "its signature is wrong"
    verifier.verify(token)


def test_a_token_beyond_8_kib_is_not_read(verifier: Verifier, key: SigningKey) -> None:
    assert refused(verifier, key.token(x="y" * 6_200)) == "it is too long"
    assert refused(verifier, "." * 1_000_000) == "it is too long"
    longest = key.token(x="y" * 5_600)
    assert 7_900 < len(longest) <= 8_192
    verifier.verify(longest)
