"""Runs a task of local questions through `lm-eval`: offline, quietly, leaving nothing outside a temporary folder.

``lm_eval.evaluate`` is called and not ``simple_evaluate`` around it, which would also reseed the process, run programs
to describe the machine, and record the date.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from evaluation.inputs import EvaluationError, EvaluationInputs, Progress
from training.special_tokens import special_tokens
from training.tokenizer import load_fast

_OFFLINE = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def answer(task: Path, name: str, model: Any, inputs: EvaluationInputs, progress: Progress) -> list[dict[str, Any]]:
    """Score a multiple-choice task; ``task`` is its YAML file, with the questions in a JSONL file of the same stem.

    Returns:
        For each question, in the order of the file: ``log_likelihoods`` (nats, one a choice), ``correct``,
        ``correct_by_length``.

    Raises:
        EvaluationError: `lm-eval` did not answer every question.
    """
    questions = task.with_suffix(".jsonl")
    expected = sum(1 for _ in questions.open("rb"))
    with _offline(), tempfile.TemporaryDirectory(prefix="herkomst-lm-eval-") as temporary:
        import lm_eval
        from lm_eval.tasks import TaskManager

        _local_task(task, questions, Path(temporary))
        result = lm_eval.evaluate(
            lm=_wrapped(model, inputs, progress, expected),
            task_dict=TaskManager(include_path=temporary, include_defaults=False).load([name]),
            bootstrap_iters=0,
            log_samples=True,
        )
    samples = sorted(result["samples"][name], key=lambda sample: sample["doc_id"]) if result else []
    if [sample["doc_id"] for sample in samples] != list(range(expected)):
        raise EvaluationError(
            f"{questions}: lm-eval answered {len(samples)} of {expected} questions; no score was written. "
            "Use the lm-eval version in constraints.txt."
        )
    return [_scored(sample) for sample in samples]


def _scored(sample: dict[str, Any]) -> dict[str, Any]:
    return {
        "log_likelihoods": [float(response[0]) for response in sample["filtered_resps"]],
        "correct": bool(sample["acc"]),
        "correct_by_length": bool(sample["acc_norm"]),
    }


def _local_task(task: Path, questions: Path, folder: Path) -> None:
    """A task file that includes ``task`` and says where its questions lie, and where `datasets` may write."""
    lines = {
        "include": str(task.resolve()),
        "dataset_kwargs": {"data_files": {"test": str(questions.resolve())}, "cache_dir": str(folder / "cache")},
    }
    # JSON is YAML, and quotes whatever a path may hold.
    (folder / task.name).write_text(json.dumps(lines), encoding="utf-8")


def _wrapped(model: Any, inputs: EvaluationInputs, progress: Progress, expected: int) -> Any:
    """The model as `lm-eval` wants it: no bars on the screen, but our own progress by questions."""
    from lm_eval.models.huggingface import HFLM

    class Quiet(HFLM):  # type: ignore[misc, unused-ignore]
        def loglikelihood(self, requests: Any, disable_tqdm: bool = True) -> Any:
            self.asked, self.answered = len(requests), 0
            return super().loglikelihood(requests, disable_tqdm=True)

        def _model_call(self, inps: Any, *arguments: Any, **named: Any) -> Any:
            logits = super()._model_call(inps, *arguments, **named)
            self.answered += len(inps)
            progress(min(expected, self.answered * expected // self.asked), expected)
            return logits

    return Quiet(
        pretrained=model,
        tokenizer=opening_tokenizer(inputs.tokenizer),
        add_bos_token=True,
        max_length=inputs.sequence_length,
        batch_size=inputs.settings.batch,
        backend="causal",
    )


def opening_tokenizer(folder: Path) -> Any:
    """The run's tokenizer, putting an end-of-document token before every text, as a document begins in training.

    The saved tokenizer adds nothing by itself, and `lm-eval` can only ask it to add what it knows of.
    """
    from tokenizers.processors import TemplateProcessing
    from transformers import PreTrainedTokenizerFast

    tokenizer = load_fast(folder)
    special = special_tokens(folder, tokenizer)
    end, opening = special.end_of_document, special.end_of_document_id
    tokenizer.post_processor = TemplateProcessing(single=[end, "$A"], special_tokens=[(end, opening)])
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token=special.unknown,
        bos_token=end,
        eos_token=end,
        pad_token=special.padding,
        clean_up_tokenization_spaces=False,
        split_special_tokens=True,
    )
    if wrapped.encode("a", add_special_tokens=True)[0] != opening:
        raise EvaluationError(
            f"{folder}: the tokenizer does not put {end} before a text; prompts would differ from training "
            "and nothing was scored. Use the transformers version in constraints.txt."
        )
    return wrapped


@contextmanager
def _offline() -> Iterator[None]:
    """Keep the libraries off the network and quiet, and put everything back as it was.

    The environment decides where they are not imported yet, their own settings where they are.
    """
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(_OFFLINE)
    import datasets
    import huggingface_hub.constants as hub
    import lm_eval.api.task as tasks

    changed = [(hub, "HF_HUB_OFFLINE", True), (tasks, "tqdm", _no_bar)]
    changed += [(datasets.config, name, True) for name in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE")]
    held = [(module, name, getattr(module, name)) for module, name, _ in changed]
    bars, level = datasets.are_progress_bars_disabled(), logging.getLogger("lm_eval").level
    try:
        for module, name, value in changed:
            setattr(module, name, value)
        datasets.disable_progress_bars()
        logging.getLogger("lm_eval").setLevel(logging.ERROR)
        yield
    finally:
        logging.getLogger("lm_eval").setLevel(level)
        if not bars:
            datasets.enable_progress_bars()
        for module, name, value in held:
            setattr(module, name, value)
        for name, old in before.items():
            _restore(name, old)


def _no_bar(iterable: Any, **_: Any) -> Any:
    return iterable


def _restore(name: str, old: str | None) -> None:
    if old is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = old
