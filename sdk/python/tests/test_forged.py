"""Every way of forging a token that the generator of forgeries knows. It never passes by finding nothing: each run must
hold controls that are taken, and forgeries of every kind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from support import ALGORITHMS, JWKS, HallpassServer, SigningKey, base64url, claims

from hallpass import HallpassError, TokenInvalid, Verifier

# The table of the documentation: where the standards leave a choice, this is ours.
CHOICES = Path(__file__).parents[3] / "crates" / "hallpass-token" / "src" / "choices.md"
FORGE = Path(os.environ.get("HALLPASS_SHARED", "nowhere")) / "security" / "forge.py"


def choices() -> dict[str, bool]:
    """Whether the token of this name is taken."""
    rows = [line.strip("|").split("|") for line in CHOICES.read_text().splitlines()[2:]]
    return {
        name.strip(" `"): {"taken": True, "refused": False}[taken.strip()]
        for names, taken, _ in rows
        for name in names.partition(":")[0].split(",")
    }


@pytest.mark.skipif(not FORGE.exists(), reason="`HALLPASS_SHARED` names no folder with the generator")
@pytest.mark.skipif(not CHOICES.exists(), reason="`choices.md` is not here")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_forgery_is_answered_as_documented(
    algorithm: str, server: HallpassServer, verifying: Callable[..., Verifier], tmp_path: Path
) -> None:
    key, other = SigningKey(algorithm, "k1"), SigningKey("ES256", "k2")
    server.change(keys=[key.jwk(), other.jwk()])
    verifier = verifying()
    assert verifier.start(10)
    documented, chosen = choices(), set()
    forgeries = forge(key, other, server, tmp_path)
    taken = refused = 0
    for forgery in forgeries:
        name, token = forgery["id"], forgery["token"]
        answers = [answer(verifier, token), answer(verifier, token)]
        assert answers[0] == answers[1], f"{name}: the second answer is another one"
        if forgery["expect"] == "policy":
            chosen.add(name)
            good = documented[name]
        else:
            good = {"accept": True, "reject": False}[forgery["expect"]]
        assert (answers[0] == "good") == good, (name, answers[0], forgery["note"])
        assert good or forgery["needs"] == "signer" or answers[0] == "token_invalid", (
            f"{name}: {answers[0]} tells of a token not ours"
        )
        taken, refused = taken + good, refused + (not good)
    assert taken >= 5 and refused >= 300
    assert len([seen for seen in server.requests if seen.path.startswith("/trap")]) == 0, "a header was followed"
    assert len(server.seen(JWKS)) <= 2
    if algorithm == "EdDSA":
        assert chosen | {"ecdsa-malleable-s"} == documented.keys()


def answer(verifier: Verifier, token: str) -> str:
    try:
        verifier.verify(token)
    except HallpassError as error:
        return error.code
    return "good"


def forge(key: SigningKey, other: SigningKey, server: HallpassServer, folder: Path) -> list[dict[str, Any]]:
    """Runs the generator once, with everything that it can use."""
    public = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    files = {"jwks": json.dumps({"keys": server.keys}).encode(), "pem": public, "sign-key": private}
    arguments = ["--token", key.token(), "--other-token", other.token(), "--big", "200000"]
    arguments += ["--evil-url", f"{server.url}/trap"]
    for option, content in files.items():
        (folder / option).write_bytes(content)
        arguments += [f"--{option}", str(folder / option)]
    run = subprocess.run([sys.executable, FORGE, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    forgeries: list[dict[str, Any]] = [json.loads(line) for line in run.stdout.splitlines()]
    return forgeries


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_stranger_with_a_key_of_their_own_gets_nowhere(
    algorithm: str, server: HallpassServer, verifying: Callable[..., Verifier]
) -> None:
    """The same in small, where the generator is not at hand."""
    key, thief = SigningKey(algorithm, "k1"), SigningKey(algorithm, "k1")
    server.change(keys=[key.jwk()])
    verifier = verifying()
    assert answer(verifier, key.token()) == "good"
    bait = f"{server.url}/trap"
    for members in (
        {},
        {"jwk": thief.jwk()},
        {"jku": bait},
        {"x5u": bait},
        {"iss": bait, "jwks_uri": bait},
        {"kid": bait},
    ):
        with pytest.raises(TokenInvalid):
            verifier.verify(thief.token(header=thief.header(**members)))
    for algorithm_of_none in ("none", "None", "nOnE"):
        parts = (json.dumps(key.header(alg=algorithm_of_none)), json.dumps(claims()))
        with pytest.raises(TokenInvalid):
            verifier.verify(".".join(base64url(part.encode()) for part in parts) + ".")
    assert not [seen for seen in server.requests if seen.path == "/trap"]
