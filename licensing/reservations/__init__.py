"""Reservations of rights against text and data mining (Directive (EU) 2019/790, art. 4(3)), read from stored evidence.

One module a protocol, each a pure function from bytes to findings: ``robots``, ``aipref``, ``content_signal``,
``tdmrep``, ``rsl``, ``ai_txt``, ``pages``. ``snapshot`` is the form in which evidence is stored, ``resolver`` puts all
together. Nothing is fetched here.
"""

from __future__ import annotations

from licensing.reservations.agents import AgentTable, load_agents
from licensing.reservations.pages import page_reservation
from licensing.reservations.resolver import Resolver
from licensing.reservations.signal import Reservation, Signal, combined, reservation

__all__ = [
    "AgentTable",
    "Reservation",
    "Resolver",
    "Signal",
    "combined",
    "load_agents",
    "page_reservation",
    "reservation",
]
