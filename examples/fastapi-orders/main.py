"""An API that takes Hallpass tokens. It follows the Hallpass server in the background and asks nobody about a request:
whoever signs out there is refused here a moment later.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Response

from hallpass import Claims, HallpassError, Verifier
from hallpass.fastapi import current_user, problem_response

verifier = Verifier(
    os.environ.get("HALLPASS_ISSUER", "http://localhost:8000"),
    client_id=os.environ["HALLPASS_CLIENT_ID"],
    client_secret=os.environ["HALLPASS_CLIENT_SECRET"],
    base_url=os.environ.get("HALLPASS_BASE_URL"),
)


@asynccontextmanager
async def follow_hallpass(_: FastAPI) -> AsyncIterator[None]:
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
    """For whoever runs it: whether what was taken back is known."""
    response.status_code = 200 if verifier.current else 503
    return {"current": verifier.current}
