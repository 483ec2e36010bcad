"""How a training says that it was stopped, saved itself and wants to go on later."""

from __future__ import annotations

from licensing.errors import HerkomstError

REQUEUE = 75
"""Exit code of a training that saved and can go on (EX_TEMPFAIL of sysexits.h); a job script puts it back in the
queue."""


class TrainingStopped(HerkomstError):
    """Training was asked to stop and saved before it did."""

    exit_code = REQUEUE
