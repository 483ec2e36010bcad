"""NVIDIA's management library, of which one number is needed: the energy a device has used since its driver started.

The library comes with the driver and is called directly; a Python package that is missing on a cluster would turn a
measured figure into an estimate.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import partial
from typing import Any

_OK = 0
_NAME_BYTES = 96


def load() -> Any:
    """The driver's library.

    Raises:
        OSError: there is none.
    """
    return ctypes.CDLL("libnvidia-ml.so.1")


def device_counters(
    visible: str | None, library: Callable[[], Any] = load
) -> list[tuple[str, Callable[[], float | None]]]:
    """Name and counter, in joules, of every device that can be read; none without a driver.

    ``visible`` is ``CUDA_VISIBLE_DEVICES`` or None for all devices: indices, or unique ids that begin with ``GPU-``. A
    slice of a device (MIG) has no counter of its own, and its device is then read whole.
    """
    try:
        nvml = library()
    except OSError:
        return []
    if nvml.nvmlInit_v2() != _OK:
        return []
    handles: dict[str, ctypes.c_void_p] = {}
    for handle in _handles(nvml, visible):
        handles.setdefault(_unique_id(nvml, handle), handle)
    readers = [(name, partial(_joules, nvml, handle)) for name, handle in handles.items()]
    return [(name, read) for name, read in readers if read() is not None]


def _handles(nvml: Any, visible: str | None) -> list[ctypes.c_void_p]:
    wanted = [part.strip() for part in visible.split(",")] if visible is not None else _all(nvml)
    found = []
    for part in wanted:
        handle = ctypes.c_void_p()
        if part.isdecimal():
            code = nvml.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(int(part)), ctypes.byref(handle))
        else:
            code = nvml.nvmlDeviceGetHandleByUUID(part.encode(), ctypes.byref(handle))
        if code == _OK:
            found.append(_whole_device(nvml, handle))
    return found


def _all(nvml: Any) -> list[str]:
    count = ctypes.c_uint()
    return [str(i) for i in range(count.value)] if nvml.nvmlDeviceGetCount_v2(ctypes.byref(count)) == _OK else []


def _whole_device(nvml: Any, handle: ctypes.c_void_p) -> ctypes.c_void_p:
    parent = ctypes.c_void_p()
    code = nvml.nvmlDeviceGetDeviceHandleFromMigDeviceHandle(handle, ctypes.byref(parent))
    return parent if code == _OK else handle


def _unique_id(nvml: Any, handle: ctypes.c_void_p) -> str:
    text = ctypes.create_string_buffer(_NAME_BYTES)
    nvml.nvmlDeviceGetUUID(handle, text, ctypes.c_uint(_NAME_BYTES))
    return text.value.decode()


def _joules(nvml: Any, handle: ctypes.c_void_p) -> float | None:
    millijoules = ctypes.c_ulonglong()
    code = nvml.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(millijoules))
    return millijoules.value / 1e3 if code == _OK else None
