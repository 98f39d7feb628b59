"""What the documentation shows, run as it is shown."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from support import CLIENT, ISSUER, HallpassServer, SigningKey, eventually, session_line, some_session

import hallpass

PACKAGE = Path(__file__).parents[1]
EXAMPLE = PACKAGE.parents[1] / "examples" / "fastapi-orders"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (PACKAGE / "README.md").read_text(), re.DOTALL | re.MULTILINE)


def test_the_readme_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    made = []
    for number, block in enumerate(blocks()):
        file = tmp_path / f"block{number}.py"
        file.write_text(block)
        made.append(runpy.run_path(str(file)))
    plain, fastapi, django = made
    assert "401 {'WWW-Authenticate': 'Bearer'}" in capsys.readouterr().out
    assert "/orders" in fastapi["app"].openapi()["paths"]
    assert isinstance(plain["verifier"], hallpass.Verifier)
    assert django["HALLPASS"].keys() == {"ISSUER", "CLIENT_ID", "CLIENT_SECRET"}


def test_the_package_imports_no_framework() -> None:
    script = (
        "import sys, hallpass; print([name for name in ('django', 'rest_framework', 'fastapi') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@pytest.mark.skipif(not EXAMPLE.exists(), reason="the example is not here")
def test_the_example_serves_and_hears_of_a_sign_out(server: HallpassServer, key: SigningKey) -> None:
    environment = os.environ | {
        "PYTHONDONTWRITEBYTECODE": "1",
        "HALLPASS_ISSUER": ISSUER,
        "HALLPASS_BASE_URL": server.url,
        "HALLPASS_CLIENT_ID": CLIENT[0],
        "HALLPASS_CLIENT_SECRET": CLIENT[1],
    }
    command = [sys.executable, "-m", "uvicorn", "main:app", "--host", "127.0.0.1", "--port", "0", "--no-access-log"]
    with subprocess.Popen(command, cwd=EXAMPLE, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = iter(process.stderr.readline, "")
            url = next(found[0] for line in said if (found := re.search(r"http://127\.0\.0\.1:[0-9]+", line)))
            session = some_session()
            bearer = {"Authorization": f"Bearer {key.token(sid=session)}"}
            with httpx.Client(base_url=url, headers=bearer) as client:
                assert client.get("/ready").json() == {"current": True}
                assert client.get("/orders").json() == {"account": 42, "orders": []}
                assert client.get("/refunds").json() == {"refunds": []}
                assert client.get("/orders", headers={"Authorization": ""}).status_code == 401
                server.take_back(session_line(session))
                eventually(lambda: client.get("/orders").status_code == 401)
                assert client.get("/orders").json()["code"] == "session_ended"
                assert client.get("/").json() == "open to everybody"
        finally:
            process.terminate()
            process.communicate(timeout=20)
