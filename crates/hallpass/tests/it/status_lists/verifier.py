"""A back end that knows nothing of Hallpass: it checks access tokens by RFC 9068 and their status by
draft-ietf-oauth-status-list section 8.3, step by step.

Its argument is the issuer; each line of its input is a token. It prints the statuses as a JSON array.
"""

import json
import sys
import zlib
from base64 import urlsafe_b64decode

import httpx
import jwt

ISSUER = sys.argv[1]
KEYS = jwt.PyJWKSet.from_dict(httpx.get(f"{ISSUER}/.well-known/jwks.json").json())


def opened(token: str, typ: str, **rules) -> dict:
    header = jwt.get_unverified_header(token)
    assert header["typ"] == typ, header
    return jwt.decode(token, KEYS[header["kid"]], algorithms=["ES256"], **rules)


def status(token: str) -> int:
    claims = opened(token, "at+jwt", issuer=ISSUER, audience=ISSUER)
    # 1. The token names a status list.
    reference = claims["status"]["status_list"]
    index, uri = reference["idx"], reference["uri"]
    assert isinstance(index, int) and index >= 0 and isinstance(uri, str), reference
    # 2. The list is there.
    answer = httpx.get(uri, headers={"Accept": "application/statuslist+jwt"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/statuslist+jwt", answer.headers
    # 3. It is signed, not over (`exp`), and has what it needs.
    required = {"require": ["sub", "iat", "status_list"]}
    listed = opened(answer.text, "statuslist+jwt", options=required)
    # 4. It is the one that was asked for.
    assert listed["sub"] == uri, listed["sub"]
    assert listed["ttl"] > 0 and listed["iat"] < listed["exp"]
    # 5. It can be decompressed.
    bits, lst = listed["status_list"]["bits"], listed["status_list"]["lst"]
    assert bits in (1, 2, 4, 8) and "=" not in lst
    data = zlib.decompress(urlsafe_b64decode(lst + "=" * (-len(lst) % 4)))
    # 6. The token's place is in it; the lowest bits of a byte come first.
    each = 8 // bits
    return data[index // each] >> index % each * bits & (1 << bits) - 1


print(json.dumps([status(line) for line in sys.stdin.read().split()]))
