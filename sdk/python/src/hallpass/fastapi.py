"""Lets a request into a FastAPI application only with a good token. It reads the `Authorization` header and nothing
else.

    app.add_exception_handler(HallpassError, problem_response)
    User = Annotated[Claims, Depends(current_user(verifier))]
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Request, Security
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer

from ._authorization import bearer
from .claims import Claims
from .errors import PROBLEM_JSON, HallpassError
from .verifier import Verifier

# For the application's description of itself alone; `bearer` is stricter.
_SCHEME = HTTPBearer(scheme_name="hallpass", bearerFormat="JWT", auto_error=False)


def current_user(verifier: Verifier) -> Callable[..., Claims]:
    """A dependency: the claims of the request's token. It raises `HallpassError`, for which `problem_response` is the
    answer.

    FastAPI runs it in its pool of threads, so that a check that waits for the first answers of the server holds up
    nobody else.
    """

    def claims_of(request: Request, _: Annotated[object, Security(_SCHEME)]) -> Claims:
        return verifier.verify(bearer(request.headers.getlist("authorization")))

    return claims_of


def problem_response(_: Request, error: Exception) -> JSONResponse:
    """The answer to a request that is not let in, as a handler of exceptions."""
    if not isinstance(error, HallpassError):
        raise error
    return JSONResponse(error.problem(), error.status, error.headers, PROBLEM_JSON)
