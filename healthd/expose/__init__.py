"""Expose the state: the API over HTTP, on the listening sockets and the `ports.Control` that it is handed."""

from healthd.expose.front import Front

__all__ = ["Front"]
