"""Serves the project on one port of this machine."""

import os
import sys

import uvicorn

if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit("it takes no arguments: README.md names the variables that it reads")
    port = os.environ.get("PORT") or "9000"
    if not port.isdecimal() or int(port) > 65535:
        sys.exit(f"`PORT` is `{port}`: it has to be a number up to 65535")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orders.settings")
    uvicorn.run("django.core.asgi:get_asgi_application", factory=True, host="127.0.0.1", port=int(port), lifespan="off")
