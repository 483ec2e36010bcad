"""Envelopes: whatever is changed in one is noticed, and another DSSE implementation agrees with ours."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from licensing.attestation import (
    PAYLOAD_TYPE,
    EvidenceError,
    SigningKey,
    key_id,
    load_or_create_key,
    open_envelope,
    public_key_bytes,
    public_key_pem,
    read_public_key_pem,
    sign,
    stage_of,
    statement,
)

# RFC 8032, 7.1, test 1.
SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(SECRET))
STATED = statement(
    "ingest", {"b.bin": "2" * 64, "a.bin": "1" * 64}, {"documents": 3, "loss": 2.5, "partner": "Krant é"}
)


def refusal(data: bytes, public_key: bytes = PUBLIC) -> str:
    with pytest.raises(EvidenceError) as caught:
        open_envelope(data, "record/0001-ingest.json", public_key)
    assert str(caught.value).startswith("record/0001-ingest.json: ")
    assert "cannot be relied on" in caught.value.consequence
    return caught.value.problem


def rewritten(**changed: Any) -> bytes:
    envelope = json.loads(sign(STATED, KEY)) | changed
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def pae(payload: bytes, kind: str = PAYLOAD_TYPE) -> bytes:
    """DSSE protocol, Signature Definition: written here from the text, apart from the library."""
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)


def test_the_known_key() -> None:
    assert public_key_bytes(KEY) == PUBLIC
    assert KEY.id == key_id(PUBLIC) == hashlib.sha256(PUBLIC).hexdigest()
    assert SECRET.hex() not in repr(KEY)


def test_the_statement_is_in_toto_v1() -> None:
    assert STATED["_type"] == "https://in-toto.io/Statement/v1"
    assert STATED["predicateType"] == "https://herkomst.eu/attestation/ingest/v1"
    assert STATED["subject"][0] == {"name": "a.bin", "digest": {"sha256": "1" * 64}}
    assert stage_of(STATED) == "ingest"
    with pytest.raises(ValueError, match="not one of Herkomst's"):
        stage_of({"predicateType": "https://slsa.dev/provenance/v1"})


def test_round_trip_and_same_bytes_twice() -> None:
    data = sign(STATED, KEY)
    assert open_envelope(data, "x", PUBLIC) == STATED
    assert data == sign(dict(reversed(STATED.items())), KEY)
    assert data.endswith(b"}\n")
    assert b" " not in data


def test_the_signature_is_over_the_dsse_encoding() -> None:
    envelope = json.loads(sign(STATED, KEY))
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    payload = base64.b64decode(envelope["payload"])
    Ed25519PublicKey.from_public_bytes(PUBLIC).verify(signature, pae(payload))
    assert signature == KEY.private.sign(pae(payload))


def test_every_changed_byte_is_refused() -> None:
    data = sign(statement("ingest", {"a": "1" * 64}, {"n": 1}), KEY)
    for at in range(len(data)):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            refusal(bytes(changed))


def test_every_cut_and_every_space_is_refused() -> None:
    data = sign(statement("ingest", {"a": "1" * 64}, {"n": 1}), KEY)
    for at in range(len(data)):
        refusal(data[:at])
        refusal(data[:at] + b" " + data[at:])
    refusal(data + b"\n")


def test_spare_base64_bits_are_noticed() -> None:
    for field in (1, 2):
        stated = next(s for n in range(3) if (s := statement("i", {}, {"n": "x" * n})) and padding(s) == field)
        text = json.loads(sign(stated, KEY))["payload"]
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        spare = text[: -field - 1] + alphabet[alphabet.index(text[-field - 1]) + 1] + "=" * field
        assert base64.b64decode(spare) == base64.b64decode(text)
        changed = sign(stated, KEY).replace(text.encode(), spare.encode())
        assert "not spelled as it was written" in refusal(changed)


def padding(stated: dict[str, Any]) -> int:
    return int(json.loads(sign(stated, KEY))["payload"].count("="))


def test_each_kind_of_forgery_has_its_message() -> None:
    other = SigningKey(Ed25519PrivateKey.generate())
    envelope = json.loads(sign(STATED, KEY))
    own = envelope["signatures"][0]
    foreign = json.loads(sign(STATED, other))["signatures"][0]
    payload = base64.b64encode(b'{"_type":"https://in-toto.io/Statement/v1"}').decode()
    assert "signature does not fit" in refusal(rewritten(payload=payload))
    assert "signature does not fit" in refusal(rewritten(signatures=[{**foreign, "keyid": KEY.id}]))
    assert f"signed by {other.id}, not by key {KEY.id}" in refusal(sign(STATED, other))
    assert "signed by nobody" in refusal(rewritten(signatures=[]))
    assert "alone" in refusal(rewritten(signatures=[own, foreign]))
    assert "payload type is 'text/plain'" in refusal(rewritten(payloadType="text/plain"))
    assert "not spelled" in refusal(rewritten(note="unsigned"))
    assert "not spelled" in refusal(rewritten(signatures=[{**own, "note": "unsigned"}]))
    assert "no DSSE envelope" in refusal(rewritten(signatures=[own, own]))
    for broken in (b"", b"{}", b"[]", b"null", b"\xff", b"[" * 100_000, rewritten(payload=3), rewritten(signatures=3)):
        assert "no DSSE envelope" in refusal(broken)


def test_a_signed_payload_that_is_no_statement_is_refused() -> None:
    assert "is not a https://in-toto.io/Statement/v1" in refusal(sign({"_type": "other"}, KEY))
    with pytest.raises(ValueError):
        sign({"loss": float("nan")}, KEY)


def test_an_error_survives_the_way_between_processes() -> None:
    error = EvidenceError("file", "problem", "consequence")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) == "file: problem; consequence"


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing-key.pem"
    first = load_or_create_key(path)
    assert load_or_create_key(path).id == first.id
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----")
    assert [each.name for each in path.parent.iterdir()] == ["signing-key.pem"]


def test_processes_at_once_end_with_one_key(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    code = (
        "import sys, pathlib\nfrom licensing.attestation import load_or_create_key\nsys.stdin.readline()\n"
        "print(load_or_create_key(pathlib.Path(sys.argv[1])).id)"
    )
    command = [sys.executable, "-c", code, str(path)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(6)]
    for process in started:
        assert process.stdin is not None
        process.stdin.write(b"go\n")
        process.stdin.flush()
    ids = {process.communicate()[0].decode().strip() for process in started}
    assert ids == {load_or_create_key(path).id}
    assert os.listdir(tmp_path) == ["key.pem"]


def test_a_key_that_cannot_be_trusted_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    load_or_create_key(path)
    path.chmod(0o644)
    with pytest.raises(EvidenceError, match="others than its owner"):
        load_or_create_key(path)
    path.write_bytes(b"not a key")
    path.chmod(0o600)
    with pytest.raises(EvidenceError, match=r"no readable private key.*move it away"):
        load_or_create_key(path)
    elliptic = generate_private_key(SECP256R1())
    path.write_bytes(elliptic.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(EvidenceError, match="another kind than Ed25519"):
        load_or_create_key(path)


def test_every_changed_byte_of_a_public_key_is_noticed() -> None:
    pem = public_key_pem(PUBLIC)
    assert read_public_key_pem(pem, "x") == PUBLIC
    for at in range(len(pem)):
        for bit in range(8):
            changed = bytearray(pem)
            changed[at] ^= 1 << bit
            try:
                assert read_public_key_pem(bytes(changed), "x") != PUBLIC
            except EvidenceError as error:
                assert error.where == "x"
    other = generate_private_key(SECP256R1()).public_key()
    with pytest.raises(EvidenceError, match="another kind"):
        read_public_key_pem(other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), "x")


def test_the_public_key_file_is_one_that_openssl_reads(tmp_path: Path) -> None:
    (tmp_path / "public.pem").write_bytes(public_key_pem(PUBLIC))
    command = ["openssl", "pkey", "-pubin", "-in", str(tmp_path / "public.pem"), "-text", "-noout"]
    try:
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except FileNotFoundError:
        pytest.skip("openssl is not installed here")
    assert "ED25519" in text.upper()
    assert PUBLIC.hex() in text.replace(":", "").replace(" ", "").replace("\n", "")
