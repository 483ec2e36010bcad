"""The most that a device can do, from ``configs/accelerators.yaml``; what is not listed there has no peak."""

from __future__ import annotations

from collections import Counter
from importlib.resources import as_file, files
from pathlib import Path

from pydantic import Field, field_validator

from licensing.reading import read_section
from licensing.settings import Section


class Peak(Section):
    """Dense bfloat16 TFLOP/s of one device, under the names that `torch` reports, and where the figure stands."""

    names: list[str] = Field(min_length=1)
    bf16_dense_tflops: float = Field(gt=0)
    source: str = Field(min_length=1)


class Accelerators(Section):
    """The content of ``configs/accelerators.yaml``; no name may stand under two peaks."""

    accelerators: list[Peak]

    @field_validator("accelerators")
    @classmethod
    def _named_once(cls, peaks: list[Peak]) -> list[Peak]:
        names = Counter(_plain(name) for peak in peaks for name in peak.names)
        twice = sorted(name for name, times in names.items() if times > 1)
        if twice:
            raise ValueError(f"named twice, so that MFU could mean either: {', '.join(twice)}; leave one of each")
        return peaks


def find_peak(device_name: str, file: Path | None = None) -> Peak | None:
    """The peak of the device that `torch` calls so, or None: no device is ever given the figure of a similar one.

    Raises:
        UnreadableFile: ``file``, or the one that comes with Herkomst, is no list of accelerators.
    """
    if file is None:
        with as_file(files("configs") / "accelerators.yaml") as own:
            return find_peak(device_name, own)
    peaks = read_section(file, Accelerators).accelerators
    return next((peak for peak in peaks if _plain(device_name) in map(_plain, peak.names)), None)


def device_name(device: object) -> str:
    """What `torch` calls a device; a processor is called ``cpu``."""
    import torch

    chosen = torch.device(str(device))
    return torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else chosen.type


def _plain(name: str) -> str:
    # Older drivers leave the maker's name out.
    return name.casefold().removeprefix("nvidia ").strip()
