"""Processes that begin others: those end with them, however they end."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
import time

_PARENT_DEATH_SIGNAL = 1


def die_with(parent: int) -> None:
    """End this process when its parent is gone, be it by ``kill -9``: the next run would write beside it.

    Linux does that by itself where asked (prctl(2), PR_SET_PDEATHSIG); elsewhere a thread looks twice a second.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)
