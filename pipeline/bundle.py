"""`herkomst audit --bundle`: one partner's evidence as a file that it can check on its own, and nothing of any other.

Nothing goes in that names another partner: not the statements of the record, whose lists of files and streams do, nor
the plan. In their place the run's key signs one statement for this partner; it names the record's newest entry, the
roots, the plan and the weights by their digests.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from evaluation.pdf import render_pdf
from evaluation.statement import render_statement, statement_values, write_csv
from evaluation.words import Language, reason
from licensing.agreement import load_agreements
from licensing.attestation import SigningKey, key_id, load_or_create_key, read_public_key_pem
from licensing.bundle import BundleError, BundleWriter, new_bundle, partner_proof
from licensing.canonical import canonical
from licensing.files import file_digest
from licensing.record import PUBLIC_KEY_NAME, Entry
from pipeline.bundle_rows import SpanFile, add_spans, write_rows
from pipeline.reporting import Asked, open_for, statement_extra
from pipeline.run_directory import RunDirectory
from pipeline.runner import signing_key_path
from pipeline.trace import Tracer
from pipeline.usage import left_out_of, usage_of
from pipeline.verify import stale
from training.pack import read_packed
from training.plan import GoldfishRule, Segment

_NEEDED = ("admit", "commit", "pack", "train")
_CSV = "rows.csv"
_LANGUAGES: tuple[Language, ...] = ("en", "nl")


def write_bundle(run: RunDirectory, partner: str, path: Path, asked: Asked | None = None) -> str:
    """Write the audit bundle of one partner to ``path``; returns the fingerprint of the key that signed it.

    ``asked`` is what the statement shows besides the run.

    Raises:
        BundleError: the run is not finished, its record does not hold, or its signing key is not at hand.
        HerkomstError: nothing was received from a partner of that name.
    """
    files, tracer = open_for(run, partner)
    entries = _entries(run)
    key = _key_of(run)
    partners = _committed(run, entries)
    usage = usage_of(tracer, partner)
    extra = statement_extra(run, files, partner, run.path / "statements", asked or Asked())
    values = statement_values(files, partner, usage, **extra)
    own = next(one for one in partners if one["partner"] == partner)
    shown = {**extra, "csv_name": _CSV}
    with tempfile.TemporaryDirectory(prefix="herkomst-bundle-") as folder, new_bundle(path) as bundle:
        bundle.add("README.txt", _read_me(partner, values, key))
        _add_statement(bundle, values, lambda language: render_statement(files, partner, language, usage, **shown))
        with bundle.open(_CSV) as file:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            write_csv(text, files, partner, usage)
            text.detach()
        with bundle.open("rows.jsonl") as file:
            spans, codes = write_rows(file, _rows(tracer, partner), run, Path(folder))
        bundle.add("reasons.json", canonical({code: _in_words(code) for code in sorted(codes)}))
        bundle.add("proofs/partner.json", canonical(partner_proof(partners, partner)))
        add_spans(bundle, spans, run)
        account = {
            "agreements": _add_agreements(bundle, run, partner),
            "corpus": {"partner_root": own["root"], "root": _figures(entries, "commit")["root"], "size": own["size"]},
            "config_sha256": entries["commit"].predicate["config_sha256"],
            "licence_table_sha256": entries["admit"].subjects["rights/licences.yaml"],
            "order": _order(tracer, spans, partner),
            "partner": partner,
            "record_head": run.record().head(),
            "run": values["run"]["name"],
            "spans": _span_figures(run, entries, spans),
            "training": _training(entries),
            "usage": values["usage"],
        }
        bundle.seal(account, key)
    return key.id


def _rows(tracer: Tracer, partner: str) -> Iterator[dict[str, Any]]:
    """The partner's ledger rows in the order of their ids; the one place where a bundle reads the ledger's rows."""
    return tracer.ledger.rows(partner)


# ---- what must hold before anything is signed


def _entries(run: RunDirectory) -> Mapping[str, Entry]:
    """The newest statement of every stage, from a record that holds and whose stages rest on each other."""
    record = run.record()
    findings = list(record.verify())
    newest = {} if findings else {entry.stage: entry for entry in record.entries()}
    findings += stale(newest)
    if findings:
        raise BundleError(f"{findings[0]}. No bundle was written: it would be evidence of what does not hold.")
    missing = [stage for stage in _NEEDED if stage not in newest]
    if missing:
        raise BundleError(
            f"{run.path}: not yet done: {', '.join(missing)}; no bundle was written. Finish it with `herkomst run`."
        )
    return newest


def _key_of(run: RunDirectory) -> SigningKey:
    """The run's own signing key; a bundle is never unsigned and never signed by somebody else."""
    path = signing_key_path()
    public = read_public_key_pem((run.path / "record" / PUBLIC_KEY_NAME).read_bytes(), PUBLIC_KEY_NAME)
    key = load_or_create_key(path) if path.is_file() else None
    if key is None or key.public != public:
        found = f"holds key {key.id}" if key else "is not there"
        raise BundleError(
            f"{path} {found} and the record of {run.path} is signed with key {key_id(public)}; no bundle was written, "
            "for an unsigned one proves nothing. Name the file of the run's own key in HERKOMST_KEY."
        )
    return key


def _committed(run: RunDirectory, entries: Mapping[str, Entry]) -> list[dict[str, Any]]:
    """All partners with their roots, from the file that the commit stage signed for."""
    path = run.corpus / "roots.json"
    signed = entries["commit"].subjects.get(path.relative_to(run.path).as_posix())
    if not path.is_file() or file_digest(path)[0] != signed:
        raise BundleError(f"{path}: not the file that was signed; no bundle was written. Run `herkomst verify`.")
    return [dict(one) for one in json.loads(path.read_bytes())["partners"]]


# ---- what is signed


def _span_figures(run: RunDirectory, entries: Mapping[str, Entry], spans: list[SpanFile]) -> dict[str, Any]:
    return {
        "documents": sum(one.documents for one in spans),
        "root": _figures(entries, "pack")["root"],
        "size": sum(stream.documents for stream in read_packed(run.tokens).streams),
        "tokens": sum(one.total for one in spans),
    }


def _figures(entries: Mapping[str, Entry], stage: str) -> dict[str, Any]:
    return dict(entries[stage].predicate["figures"])


def _training(entries: Mapping[str, Entry]) -> dict[str, Any]:
    stated = _figures(entries, "train")
    names = {"checkpoint": "checkpoint", "plan": "plan_digest", "steps": "steps", "weights": "weights_sha256"}
    return {name: stated[key] for name, key in names.items()}


def _order(tracer: Tracer, spans: list[SpanFile], partner: str) -> dict[str, Any]:
    """The part of the plan that tells when the partner's streams were read; of other streams, only how many slots.

    How many targets a goldfish rule left out is stated: it takes the tokens to count them, and a bundle has none.
    """
    plan = tracer.plan
    if plan is None:
        raise BundleError("there is no training plan; no bundle was written. Finish the run with `herkomst run`.")
    mine = {one.key.removesuffix("/train") for one in spans if one.key.endswith("/train")}
    left_out = left_out_of(tracer, partner)
    return {
        "seed": plan.seed,
        "sequence_length": plan.sequence_length,
        "steps_done": tracer.steps_done,
        "streams": {
            stream.name: {
                "segments": [_segment(segment, place) for segment in plan.segments],
                "sequences": stream.sequences,
                **_goldfish(plan.goldfish_of(stream.name), left_out.get(stream.name, 0)),
            }
            for place, stream in enumerate(plan.streams)
            if stream.name in mine
        },
    }


def _goldfish(rule: GoldfishRule | None, left_out: int) -> dict[str, Any]:
    return {"goldfish": {"every": rule.every, "left_out": left_out, "window": rule.window}} if rule else {}


def _segment(segment: Segment, stream: int) -> dict[str, Any]:
    names = ("name", "seed", "first_step", "last_step_exclusive", "batch", "block", "skipped_steps")
    return {name: getattr(segment, name) for name in names} | {
        "before": sum(segment.counts[:stream]),
        "count": segment.counts[stream],
        "end": segment.end(stream),
        "start": segment.start[stream],
    }


# ---- what people read


def _add_statement(bundle: BundleWriter, values: Mapping[str, Any], page_in: Callable[[Language], str]) -> None:
    """Add the statement as values, and as page and PDF in each language."""
    bundle.add("statement.json", canonical(values))
    header, day = f"{values['partner']} · {values['run']['name']}", values["dates"][1]
    for language in _LANGUAGES:
        page = page_in(language)
        bundle.add(f"statement.{language}.html", page.encode())
        bundle.add(f"statement.{language}.pdf", render_pdf(page, header, day))


def _add_agreements(bundle: BundleWriter, run: RunDirectory, partner: str) -> dict[str, str]:
    """The partner's own contracts as they stood when decisions were made; returns their digests by id."""
    found = {}
    for path in sorted((run.rights / "agreements").iterdir()):
        for name, agreement in load_agreements([path]).items():
            if agreement.partner == partner:
                data = path.read_bytes()
                bundle.add(f"agreements/{name}{path.suffix}", data)
                found[name] = hashlib.sha256(data).hexdigest()
    return found


def _in_words(code: str) -> dict[str, str]:
    return {"en": reason(code, "en"), "nl": reason(code, "nl")}


def _read_me(partner: str, values: Mapping[str, Any], key: SigningKey) -> bytes:
    return _READ_ME.format(
        partner=partner, run=values["run"]["name"], contact=values["provider"]["contact"], key=key.id
    ).encode()


_READ_ME = """\
Audit bundle for {partner}, run {run}

Start with statement.en.pdf or statement.en.html. The list of all your documents is rows.csv. To check it all:

  1. Take verify.py from a source you trust; the copy in this bundle is there so that you can read and compare it.
  2. Run:  python3 -I -S verify.py BUNDLE.zip --key {key}
     after comparing that fingerprint with the one you were given by another way (a letter, a telephone call).
  3. Add:  --files FOLDER   with your own documents as you delivered them, to see what became of each.

Any Python from 3.9 will do; nothing needs to be installed and nothing is sent anywhere. verify.py begins with a letter
that says what it proves and what it cannot. This bundle holds nothing about other partners. Questions: {contact}.


Controlebundel voor {partner}, run {run}

Begin met statement.nl.pdf of statement.nl.html. De lijst van al uw documenten is rows.csv. Zo controleert u alles:

  1. Neem verify.py uit een bron die u vertrouwt; het exemplaar in deze bundel is er om te lezen en te vergelijken.
  2. Voer uit:  python3 -I -S verify.py BUNDEL.zip --language nl --key {key}
     nadat u die vingerafdruk hebt vergeleken met de vingerafdruk die u langs andere weg kreeg (brief, telefoon).
  3. Voeg toe:  --files MAP   met uw eigen documenten zoals u ze leverde, om te zien wat er met elk is gebeurd.

Elke Python vanaf 3.9 volstaat; er hoeft niets te worden geïnstalleerd en er wordt niets verstuurd. verify.py begint met
een brief (in het Engels) die zegt wat het bewijst en wat niet. Deze bundel bevat niets over andere partners. Vragen:
{contact}.
"""
