"""How close to the machine: Herkomst's loop on one GPU with a model of Llama 3.2 1B's shape, next to the HF Trainer.

python benchmarks/training_gpu.py                       # on a machine with one GPU, about ten minutes
python benchmarks/training_gpu.py --set compile=true    # any setting of `training:` by name
python benchmarks/training_gpu.py --tiny                # the same path on any machine, to see that it works

Sequences of 4,096 tokens, bf16, random weights, made text; one after the other, because two such models do not fit on
one device. Steps are timed between synchronisations of some steps each, the same for both; MFU is the meter's (causal
attention counted once) and, because others print that, also with all of attention counted. The share of time waited
for data comes from Herkomst's own log.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import yaml
from measure import machine
from training_peers import Round, Runner, Work, make_packed

from training.flops import flops_per_token
from training.meter import Meter
from training.peaks import find_peak
from training.settings import Shape

LLAMA_1B = Shape(16, 2048, 32, 8, 8192, 4096, 128_256)
TINY = Shape(2, 64, 4, 2, 128, 64, 512)
GOAL, LEAST = 0.50, 0.45


@dataclass(frozen=True)
class Speed:
    """Seconds of each step as a median of rounds, and MFU with attention counted causally and in full."""

    seconds: list[float]
    tokens_per_second: float
    tflops: float
    mfu: float | None
    mfu_full: float | None


def main() -> None:
    """Measure both and print a table."""
    import torch

    chosen = _arguments()
    if not torch.cuda.is_available() and not chosen.tiny:
        built = torch.version.cuda or torch.version.hip
        raise SystemExit(
            "Nothing was measured: torch sees no GPU here. "
            + (f"It is built for {built}; is the driver loaded and the device visible?" if built else
               f"torch {torch.__version__} is built for the processor alone; install a build for CUDA or ROCm.")
            + " With --tiny the same path runs on the processor, which measures nothing of a GPU."
        )  # fmt: skip
    shape = TINY if chosen.tiny else LLAMA_1B
    name = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    meter = Meter(shape, shape.sequence_length, "cuda" if torch.cuda.is_available() else "cpu")
    print(
        _about(chosen, name),
        f"Formula: {meter.figures()['formula']}.",
        f"Peak: {meter.peak()}.",
        sep="\n\n",
        end="\n\n",
    )
    print("| system | tokens/s | ms a step (p10 to p90) | TFLOP/s | MFU | MFU, all attention | waited for data |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        make_packed(Path(folder) / "tokens", shape.vocabulary_size, chosen.batch * shape.sequence_length * 40)
        work = Work(Path(folder), shape, chosen.batch, chosen.micro, chosen.threads, "bf16", _settings(chosen))
        for system in chosen.systems:
            rounds = _measured(system, work, chosen)
            print(_row(system, _speed(rounds, work, chosen.steps, name), _waited(work, system)), flush=True)
    print(f"\nAsked: {GOAL:.0%}, at least {LEAST:.0%}, and less than 1 % of the time waited for data.")


def _measured(system: str, work: Work, chosen: argparse.Namespace) -> list[Round]:
    runner = Runner(system, work, chosen.steps, chosen.warm_up)
    rounds = [runner.round() for _ in range(chosen.rounds)]
    runner.stop()
    return rounds


def _speed(rounds: list[Round], work: Work, steps: int, name: str) -> Speed:
    seconds = [one.wall / steps for one in rounds]
    rate = work.tokens / statistics.median(seconds)
    causal, full = (
        rate * flops_per_token(work.shape, work.shape.sequence_length, half) / 1e12 for half in (True, False)
    )
    peak = find_peak(name)
    most = peak.bf16_dense_tflops if peak else None
    return Speed(seconds, rate, causal, causal / most if most else None, full / most if most else None)


def _row(system: str, speed: Speed, waited: float | None) -> str:
    low, middle, high = (value * 1e3 for value in _three(speed.seconds))
    return (
        f"| {system} | {speed.tokens_per_second:,.0f} | {middle:.1f} ({low:.1f} to {high:.1f}) | {speed.tflops:.1f} | "
        f"{_share(speed.mfu)} | {_share(speed.mfu_full)} | {_share(waited, 2)} |"
    )


def _three(values: list[float]) -> tuple[float, float, float]:
    ordered = sorted(values)
    return ordered[len(ordered) // 10], statistics.median(ordered), ordered[-1 - len(ordered) // 10]


def _share(value: float | None, digits: int = 1) -> str:
    return "not known" if value is None else f"{value:.{digits}%}"


def _waited(work: Work, system: str) -> float | None:
    """Share of the steps' time that was spent waiting for data, from Herkomst's log; the others keep none."""
    logs = sorted(work.folder.glob("herkomst-*/log.jsonl"))
    if system != "herkomst" or not logs:
        return None
    rows = [json.loads(line) for line in logs[-1].read_text(encoding="utf-8").splitlines()]
    known = [row for row in rows if row.get("data_wait_share") is not None]
    seconds = sum(row["seconds"] for row in known)
    return sum(row["data_wait_share"] * row["seconds"] for row in known) / seconds if seconds else None


def _settings(chosen: argparse.Namespace) -> dict[str, Any]:
    pairs = (text.partition("=") for text in chosen.set)
    return {"document_mask": chosen.mask} | {key: yaml.safe_load(value) for key, _, value in pairs}


def _about(chosen: argparse.Namespace, name: str) -> str:
    import torch

    packages = ", ".join(
        f"{one} {_version(one)}" for one in ("transformers", "accelerate", "flash-attn", "liger-kernel")
    )
    return (
        f"{name}, {machine()}, torch {torch.__version__} (CUDA {torch.version.cuda}, HIP {torch.version.hip}), "
        f"{packages}; bf16, batch {chosen.batch} in micro-batches of {chosen.micro}, {chosen.rounds} rounds of "
        f"{chosen.steps} steps after {chosen.warm_up} steps to warm up, {_settings(chosen)}"
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default, what in (
        ("batch", 32, "sequences a step"), ("micro", 4, "sequences at a time"), ("steps", 5, "steps a round"),
        ("rounds", 10, "rounds"), ("warm-up", 10, "steps before the first round"), ("threads", 8, "of the processor"),
    ):  # fmt: skip
        parser.add_argument(f"--{name}", type=int, default=default, help=what)
    parser.add_argument("--systems", nargs="+", default=["herkomst", "trainer", "bare"], help="which, in this order")
    parser.add_argument("--mask", action="store_true", help="attention within each document alone (Herkomst only)")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of `training:`")
    parser.add_argument("--tiny", action="store_true", help="a tiny model, to see on any machine that this works")
    return parser.parse_args()


if __name__ == "__main__":
    main()
