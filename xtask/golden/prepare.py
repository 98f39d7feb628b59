"""Puts the secrets and users of recorded Django projects where a server of ours finds them.

    prepare.py FIXTURES FOLDER

FIXTURES is `fixtures.json` beside the recorded cases. FOLDER has a migrated `hallpass.db`; the secrets become files in
it. Only the standard library is used.
"""

import base64
import json
import math
import random
import sqlite3
import sys
import unicodedata
from pathlib import Path


def main(fixtures: Path, folder: Path) -> None:
    recorded = json.loads(fixtures.read_text())
    for name, secret in recorded["secrets"].items():
        (folder / name).write_text(secret)
    rsa = recorded["rsa"]
    (folder / "rsa.pem").write_text(pem(int(rsa["n"]), int(rsa["d"])))
    addresses = recorded["email_addresses"]
    verified = {(address["user_id"], address["email"]) for address in addresses if address["verified"]}
    with sqlite3.connect(folder / "hallpass.db") as database:
        database.executemany(
            "insert into accounts (id, username, username_key, email, email_key, email_verified, first_name, last_name,"
            " password, is_active, is_staff, is_superuser, date_joined)"
            " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1700000000)",
            [row(user, verified) for user in recorded["users"]],
        )
        database.executemany(
            "insert into addresses (id, account_id, email, email_key, verified) values (?, ?, ?, ?, ?)",
            [address_row(address) for address in addresses],
        )


def row(user: dict, verified: set) -> tuple:
    key = unicodedata.normalize("NFKC", user["username"]).casefold()
    address = user["email"].lower()
    names = user["id"], user["username"], key, user["email"], address or None, (user["id"], address) in verified
    own = [user[name] for name in ("first_name", "last_name", "password", "is_active", "is_staff", "is_superuser")]
    return *names, *own


def address_row(address: dict) -> tuple:
    key = address["email"].lower()
    return address["id"], address["user_id"], address["email"], key, address["verified"]


def pem(n: int, d: int, e: int = 65537) -> str:
    """The private key in PKCS #8 (RFC 5958), from what RFC 8017 appendix C.2 makes of its exponent."""
    p = factor(n, e * d - 1)
    q = n // p
    key = sequence(*(integer(part) for part in (0, n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))
    of_rsa = bytes.fromhex("300d06092a864886f70d0101010500")
    text = base64.encodebytes(sequence(integer(0), of_rsa, tagged(4, key))).decode()
    return f"-----BEGIN PRIVATE KEY-----\n{text}-----END PRIVATE KEY-----\n"


def factor(n: int, multiple: int) -> int:
    odd, twos = multiple, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    while True:
        root = pow(random.randrange(2, n), odd, n)
        for _ in range(twos):
            square = root * root % n
            if square == 1 and root not in (1, n - 1):
                return math.gcd(root - 1, n)
            root = square


def integer(value: int) -> bytes:
    return tagged(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*parts: bytes) -> bytes:
    return tagged(0x30, b"".join(parts))


def tagged(tag: int, content: bytes) -> bytes:
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 + len(size)]) + size + content


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
