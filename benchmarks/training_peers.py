"""Three ways to train one and the same model: Herkomst's loop, the barest PyTorch loop, and the Hugging Face Trainer.

Each runs in a process of its own and stops after every few steps until it is told to go on, so that a benchmark can let
them take turns: whatever else the machine does then falls on all of them alike.
"""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
from measure import REPOSITORY

sys.path.insert(0, str(REPOSITORY))

from training.settings import Shape

AfterStep = Callable[[], None]
END_OF_DOCUMENT, PADDING, FIRST_WORD = 1, 2, 3
ENDLESS = 1_000_000


@dataclass(frozen=True)
class Work:
    """What all of them train: ``batch`` rows of ``shape.sequence_length`` tokens a step, ``micro`` rows at a time."""

    folder: Path
    shape: Shape
    batch: int
    micro: int
    threads: int = 1
    precision: str = "fp32"
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def tokens(self) -> int:
        """Tokens a step."""
        return self.batch * self.shape.sequence_length


@dataclass(frozen=True)
class Round:
    """Some steps of one system in seconds of wall time and of processor time (threads that read ahead included).

    ``memory`` is the most that the GPU held so far, in bytes.
    """

    wall: float
    processor: float
    memory: int = 0


class TrainingEnded(SystemExit):
    """A system ended before it was asked to."""


# ---- the three of them


def train_herkomst(work: Work, after_step: AfterStep) -> None:
    """The loop that users run, with its order, its accounts and its log."""
    from training.loop import train

    train(make_job(work), lambda done, total, note: after_step())


def train_bare(work: Work, after_step: AfterStep) -> None:
    """The barest loop: random tokens, no data, no log, no account; plain causal attention."""
    import torch
    from torch.nn.functional import cross_entropy

    model, optimizer, device = bare_model(work)
    accumulation = work.batch // work.micro
    rows = (work.micro, work.shape.sequence_length)
    automatic = torch.autocast(device.type, torch.bfloat16, enabled=work.precision == "bf16")
    for _ in range(ENDLESS):
        for _ in range(accumulation):
            tokens = torch.randint(FIRST_WORD, work.shape.vocabulary_size, rows, device=device)
            # The last place of a row has no target: said so, which is cheaper than a copy of all logits but those.
            targets = torch.cat([tokens[:, 1:], tokens.new_full((work.micro, 1), -100)], dim=1)
            with automatic:
                logits = model(input_ids=tokens).logits
                loss = cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
            (loss / accumulation).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        after_step()


def bare_model(work: Work) -> tuple[Any, Any, Any]:
    """Model, optimizer and device as Herkomst makes them."""
    import torch

    from training.model import build_model
    from training.numerics import set_numerics

    set_numerics(work.threads, work.settings.get("deterministic", True))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_model(work.shape, END_OF_DOCUMENT, PADDING, 5).to(device).train()
    if work.settings.get("compile"):
        model = torch.compile(model)
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": vectors, "weight_decay": 0.0}]
    return model, torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.95), eps=1e-8, fused=True), device


def train_trainer(work: Work, after_step: AfterStep) -> None:
    """The Hugging Face Trainer on the same tokens, held in memory as one array: the quickest data it can have."""
    import torch
    from transformers import Trainer, TrainerCallback, TrainingArguments

    from training.model import build_model
    from training.numerics import set_numerics

    set_numerics(work.threads, work.settings.get("deterministic", True))
    rows = torch.from_numpy(all_rows(work))

    class Rows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
        def __len__(self) -> int:
            return len(rows)

        def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
            return {"input_ids": rows[index], "labels": rows[index]}

    class AfterEachStep(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, *_: Any, **__: Any) -> None:
            after_step()

    arguments = TrainingArguments(
        output_dir=str(work.folder / "trainer"),
        per_device_train_batch_size=work.micro,
        gradient_accumulation_steps=work.batch // work.micro,
        max_steps=ENDLESS,
        learning_rate=1e-3,
        lr_scheduler_type="constant",
        weight_decay=0.1,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        optim="adamw_torch_fused",
        bf16=work.precision == "bf16",
        torch_compile=bool(work.settings.get("compile")),
        use_cpu=not torch.cuda.is_available(),
        logging_steps=10,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    model = build_model(work.shape, END_OF_DOCUMENT, PADDING, 5)
    Trainer(model=model, args=arguments, train_dataset=Rows(), callbacks=[AfterEachStep()]).train()


SYSTEMS: dict[str, Callable[[Work, AfterStep], None]] = {
    "herkomst": train_herkomst,
    "bare": train_bare,
    "trainer": train_trainer,
}


# ---- text


def make_packed(folder: Path, vocabulary_size: int, tokens: int) -> None:
    """Write a packed corpus of made text: two streams, documents of some hundred tokens, words skewed as real ones."""
    from licensing.canonical import canonical
    from training.token_stream import StreamWriter, token_dtype

    draw = np.random.default_rng(1)
    listed = []
    for language in ("en", "nl"):
        place = folder / "train" / f"made~CC0-1.0~{language}"
        place.mkdir(parents=True)
        with StreamWriter(place, token_dtype(vocabulary_size), END_OF_DOCUMENT) as writer:
            lengths = draw.lognormal(5.5, 1.0, size=tokens // 2 // 300 + 1).astype(int) + 8
            ids = sorted(hashlib.sha256(f"{language}{number}".encode()).hexdigest() for number in range(len(lengths)))
            for name, length in zip(ids, lengths.tolist(), strict=True):
                words = FIRST_WORD + draw.zipf(1.2, size=length) % (vocabulary_size - FIRST_WORD)
                writer.add(name, words.tolist(), 4 * length)
        listed.append(
            {
                "name": place.name, "use": "train", "group": "made", "licence": "CC0-1.0", "language": language,
                "documents": writer.documents, "tokens": writer.tokens, "bytes": 4 * writer.tokens,
                "most_epochs": None, "folder": f"train/{place.name}",
            }
        )  # fmt: skip
    index = {
        "root": "1" * 64, "vocabulary_size": vocabulary_size, "end_of_document": END_OF_DOCUMENT, "padding": PADDING,
        "streams": listed,
    }  # fmt: skip
    (folder / "streams.json").write_bytes(canonical(index))


def all_rows(work: Work) -> np.ndarray:
    """Every sequence of the packed corpus, int64 [sequences, L]."""
    from training.pack import read_packed

    packed = read_packed(work.folder / "tokens")
    opened = [packed.open(stream, work.shape.sequence_length) for stream in packed.trained()]
    return np.stack([stream.sequence(number) for stream in opened for number in range(stream.sequences)])


def make_job(work: Work) -> Any:
    """Herkomst's job over the packed corpus, in a folder of its own."""
    from training.job import TrainingJob
    from training.mixture import SegmentWanted, make_plan
    from training.pack import read_packed
    from training.plan import StreamRef
    from training.settings import TrainingSettings

    length = work.shape.sequence_length
    packed = read_packed(work.folder / "tokens")
    refs = [StreamRef(s.name, s.sequences(length), s.documents, s.tokens, None) for s in packed.trained()]
    plan = make_plan(refs, [SegmentWanted("main", ENDLESS, work.batch, 1.0)], length, 3, "0" * 64, packed.root)
    out = work.folder / f"herkomst-{os.getpid()}"
    out.mkdir()
    (out / "plan.json").write_text(plan.to_json(), encoding="utf-8")
    chosen = {
        "segments": [{"name": "main", "steps": ENDLESS}],
        "batch": work.batch, "micro_batch": work.micro, "threads": work.threads, "precision": work.precision,
        "checkpoint_every": ENDLESS,
    }  # fmt: skip
    return TrainingJob(
        tokens=str(work.folder / "tokens"),
        plan=str(out / "plan.json"),
        plan_digest=plan.digest(),
        corpus_root="0" * 64,
        tokens_root=packed.root,
        checkpoints=str(out / "checkpoints"),
        log=str(out / "log.jsonl"),
        shape=work.shape,
        settings=TrainingSettings.model_validate(chosen | work.settings),
        learning_rate=1e-3,
        seed=5,
    )


# ---- taking turns


class Runner:
    """A system in a process of its own that does ``steps`` steps each time it is asked."""

    def __init__(self, system: str, work: Work, steps: int, warm_up: int) -> None:
        ours, theirs = get_context("spawn").Pipe()
        os.environ |= {"OMP_NUM_THREADS": str(work.threads), "OMP_WAIT_POLICY": "PASSIVE", "HF_HUB_OFFLINE": "1"}
        self._process = get_context("spawn").Process(target=_run, args=(system, work, steps, warm_up, theirs))
        self._process.start()
        theirs.close()
        self._pipe = ours
        self._answer()

    def round(self) -> Round:
        """Do the next steps."""
        self._pipe.send("go")
        return self._answer()

    def stop(self) -> None:
        """End the process."""
        self._pipe.close()
        self._process.join()

    def _answer(self) -> Any:
        try:
            return self._pipe.recv()
        except EOFError as fault:
            raise TrainingEnded("a training ended; its message stands above") from fault


def _run(system: str, work: Work, steps: int, warm_up: int, pipe: Connection) -> None:
    turns = _Turns(pipe, steps, warm_up)
    SYSTEMS[system](work, turns.after_step)


class _Turns:
    """Counts steps and waits between rounds; when the other end is closed the process ends there and then."""

    def __init__(self, pipe: Connection, steps: int, warm_up: int) -> None:
        self._pipe, self._steps, self._left = pipe, steps, warm_up
        self._began, self._processor = time.perf_counter(), time.process_time()

    def after_step(self) -> None:
        self._left -= 1
        if self._left:
            return
        memory = _finish_device_work()
        wall, processor = time.perf_counter() - self._began, time.process_time()
        self._pipe.send(Round(wall, processor - self._processor, memory))
        # What a thread does while this process waits for its turn counts too, so the processor's clock is not set anew.
        self._processor, self._left = processor, self._steps
        try:
            self._pipe.recv()
        except EOFError:
            os._exit(0)
        self._began = time.perf_counter()


def _finish_device_work() -> int:
    """Wait for the GPU, if there is one; returns the most memory it held, in bytes."""
    import torch

    if not torch.cuda.is_available():
        return 0
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated()


def take_turns(runners: dict[str, Runner], rounds: int) -> dict[str, list[Round]]:
    """Let all of them do ``rounds`` rounds, in one order and then in the other, so that a drift falls on none."""
    found: dict[str, list[Round]] = {name: [] for name in runners}
    for number in range(rounds):
        for name in list(runners) if number % 2 == 0 else list(reversed(runners)):
            found[name].append(runners[name].round())
    return found


# ---- figures


def ratio(ours: list[list[float]], theirs: list[list[float]]) -> tuple[float, float, float]:
    """How many times as fast we are: median over all rounds, and a 95 % bootstrap interval.

    Rounds come grouped by the process that did them, and processes are drawn before rounds: where a process happens to
    have its memory makes it some percent faster or slower for as long as it lives.
    """
    pairs = [[b / a for a, b in zip(*group, strict=True)] for group in zip(ours, theirs, strict=True)]
    medians = sorted(_resampled(pairs, 2000))
    return statistics.median(value for group in pairs for value in group), medians[50], medians[-51]


def _resampled(groups: list[list[float]], times: int) -> Iterator[float]:
    draw = random.Random(7)
    for _ in range(times):
        chosen = draw.choices(groups, k=len(groups))
        yield statistics.median(value for group in chosen for value in draw.choices(group, k=len(group)))
