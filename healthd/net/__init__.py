"""The door to the network: the only place from which anything is asked of it."""

from __future__ import annotations

from healthd.net.door import Network

__all__ = ["Network"]
