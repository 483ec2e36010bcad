"""One order for any number of processes: 2,000 steps with 1, 2 and 4 of them, each killed once and begun again.

python benchmarks/resume.py [--steps 2000] [--worlds 1 2 4]

A tiny model is trained on a made corpus by `torchrun` and gloo. Each training is ended by ``kill -9`` at a random
moment, all its processes at once, and the same command continues it. Compared are the digest of the rows that were
really fed, in order, and the losses of every step: sums in another order round otherwise in the last bit, and what
begins there grows from step to step.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measure import REPOSITORY, machine

sys.path.insert(0, str(REPOSITORY))


def main() -> None:
    """Print a table: where each was killed, its digest, and how long its losses stay with those of the first."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--steps", type=int, default=2000)
    asked.add_argument("--worlds", type=int, nargs="+", default=[1, 2, 4])
    asked.add_argument("--seed", type=int, default=20261124)
    given = asked.parse_args()
    drawn = random.Random(given.seed)
    print(machine())
    print(f"\n{given.steps:,} steps of 8 rows of 32 tokens, fp32, ddp over gloo; kill -9 at a random step and resume\n")
    print("| processes | killed after step | continued from | order digest | losses within 1e-4 up to step | seconds |")
    print("|---:|---:|---:|---|---:|---:|")
    with tempfile.TemporaryDirectory() as place:
        packed = made_corpus(Path(place))
        first: list[float] = []
        digests, ends = set(), {}
        for world in given.worlds:
            began = time.monotonic()
            at = drawn.randrange(given.steps // 10, given.steps)
            killed, resumed, digest, losses = trained(packed, Path(place) / str(world), world, given.steps, at)
            first = first or losses
            together = next(
                (step for step, (a, b) in enumerate(zip(first, losses, strict=True)) if abs(a - b) > 1e-4), len(losses)
            )
            digests.add(digest)
            ends[world] = statistics.fmean(losses[-200:])
            seconds = time.monotonic() - began
            print(f"| {world} | {killed} | {resumed} | {digest[:16]}… | {together:,} | {seconds:.0f} |", flush=True)
    print(f"\nDigests are {'identical' if len(digests) == 1 else 'DIFFERENT'}.")
    told = ", ".join(f"{loss:.4f} with {world}" for world, loss in ends.items())
    print(f"Mean loss of the last 200 steps: {told}.")
    raise SystemExit(len(digests) != 1)


def made_corpus(folder: Path) -> Path:
    """Two streams of made text, packed."""
    from tests.training.conftest import make_corpus, texts
    from training.pack import pack
    from training.settings import TokenizerSettings
    from training.tokenizer import train_tokenizer

    for name in ("corpus", "tokenizer", "tokens"):
        (folder / name).mkdir()
    make_corpus(folder / "corpus")
    train_tokenizer(texts("nl", 60) + texts("en", 60), TokenizerSettings(vocabulary_size=400), folder / "tokenizer")
    list(pack(folder / "corpus", folder / "tokenizer", folder / "tokens", 1))
    return folder / "tokens"


def trained(packed: Path, folder: Path, world: int, steps: int, at: int) -> tuple[int, int, str, list[float]]:
    """Train, kill after about ``at`` steps, train on; returns where it was killed and what came of it."""
    from tests.training.conftest import make_job
    from training.checkpoint import finished_checkpoints, read_state

    backend = "single" if world == 1 else "ddp"
    job = make_job(packed, folder, steps, backend=backend, processes=world, micro_batch=8 // world, checkpoint_every=50)
    job.write(folder / "job.json")
    process = started(folder, world)
    while logged(folder) < at and process.poll() is None:
        time.sleep(0.05)
    if process.poll() is not None:
        raise SystemExit(f"{world} processes: the training ended before it was killed:\n{said(folder)}")
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    killed = logged(folder)
    resumed = max((read_state(one).step for one in finished_checkpoints(folder / "checkpoints")), default=0)
    if started(folder, world).wait():
        raise SystemExit(f"{world} processes: the training that went on did not end well:\n{said(folder)}")
    state = read_state(finished_checkpoints(folder / "checkpoints")[-1])
    losses = [json.loads(line)["loss"] for line in (folder / "log.jsonl").read_text().splitlines()]
    if state.step != steps or len(losses) != steps:
        raise SystemExit(f"{world} processes: {state.step} steps and {len(losses)} losses instead of {steps}")
    return killed, resumed, state.order_digest, losses


def said(folder: Path) -> str:
    """What the processes printed last."""
    return (folder / "said").read_text(errors="replace")[-4000:]


def logged(folder: Path) -> int:
    """Steps in the log so far."""
    log = folder / "log.jsonl"
    return log.read_bytes().count(b"\n") if log.exists() else 0


def started(folder: Path, world: int) -> subprocess.Popen[bytes]:
    """One training, in a process group of its own."""
    several = ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={world}"] if world > 1 else []
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, *several, "-m", "training.worker", str(folder / "job.json")]
    with (folder / "said").open("ab") as said:
        return subprocess.Popen(command, env=environment, stderr=said, stdout=said, start_new_session=True)


if __name__ == "__main__":
    main()
