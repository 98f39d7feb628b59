"""A back end that takes Hallpass tokens. It follows the Hallpass server in the background, and asks it about no request:
whoever signs out there is refused here a moment later.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Response

from hallpass import Claims, HallpassError, Verifier
from hallpass.fastapi import current_user, problem_response

if __name__ == "__main__" and len(sys.argv) > 1:
    sys.exit("it takes no arguments: README.md names the variables that it reads")


def of_client(name: str) -> str:
    """A variable that has to be set."""
    return os.environ.get(name) or sys.exit(f"`{name}` is not set: `hallpass clients create orders` prints it")


verifier = Verifier(
    os.environ.get("HALLPASS_ISSUER") or "http://localhost:8000",
    client_id=of_client("HALLPASS_CLIENT_ID"),
    client_secret=of_client("HALLPASS_CLIENT_SECRET"),
    base_url=os.environ.get("HALLPASS_BASE_URL") or None,
)


@asynccontextmanager
async def follow_hallpass(_: FastAPI) -> AsyncIterator[None]:
    # It serves in any case: until Hallpass answers, requests with a token get 503 and try again.
    with verifier:
        yield


app = FastAPI(title="Orders", lifespan=follow_hallpass)
app.add_exception_handler(HallpassError, problem_response)

User = Annotated[Claims, Depends(current_user(verifier))]


@app.get("/")
def index() -> str:
    """Open to everybody."""
    return "open to everybody"


@app.get("/orders")
def orders(user: User) -> dict[str, object]:
    """For whoever is signed in."""
    return {"account": user.sub, "orders": []}


@app.get("/refunds")
def refunds(user: User) -> dict[str, object]:
    """For accounts with the role `support`."""
    user.require_role("support")
    return {"refunds": []}


@app.get("/ready")
def ready(response: Response) -> dict[str, object]:
    """For whoever runs it: whether it is known what was taken back."""
    response.status_code = 200 if verifier.current else 503
    return {"current": verifier.current}


if __name__ == "__main__":
    port = os.environ.get("PORT") or "9000"
    if not port.isdecimal() or int(port) > 65535:
        sys.exit(f"`PORT` is `{port}`: it has to be a number up to 65535")
    uvicorn.run(app, host="127.0.0.1", port=int(port))
