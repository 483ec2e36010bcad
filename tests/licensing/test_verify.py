"""The stand-alone verifier's own cryptography, against published vectors and against the rest of the house."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing import merkle, verify
from licensing.attestation import public_key_pem
from licensing.canonical import canonical
from licensing.leaf import ledger_leaf, span_leaf
from licensing.verify import ORDER, SpanTree, VerificationError, signature_holds

# RFC 8032, 7.1: public key, message, signature.
RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b589"
        "09351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_rfc_8032_vectors(key: str, message: str, signature: str) -> None:
    public, text, signed = bytes.fromhex(key), bytes.fromhex(message), bytes.fromhex(signature)
    assert signature_holds(public, text, signed)
    assert not signature_holds(public, text + b"\0", signed)
    for at in (0, 31, 32, 63):
        changed = bytearray(signed)
        changed[at] ^= 1
        assert not signature_holds(public, text, bytes(changed))


def test_a_signature_has_one_spelling() -> None:
    """S plus the order of the group satisfies the equation too, and is refused (RFC 8032, 5.1.7, step 1)."""
    key, message, signature = (bytes.fromhex(part) for part in RFC_8032[1])
    larger = (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    assert not signature_holds(key, message, signature[:32] + larger)
    assert not signature_holds(key, message, signature + b"\0")
    assert not signature_holds(key, message, signature[:63])


@pytest.mark.parametrize(
    "key",
    [
        "0100000000000000000000000000000000000000000000000000000000000000",  # the identity: order 1
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # order 2
        "0000000000000000000000000000000000000000000000000000000000000000",  # order 4
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",  # order 8
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",  # y is not below the field
        "0100000000000000000000000000000000000000000000000000000000000080",  # minus zero
        "0200000000000000000000000000000000000000000000000000000000000000",  # not on the curve
        "01",
    ],
)
def test_keys_that_anybody_can_sign_for_are_refused(key: str) -> None:
    """With a key of small order, R = S·B and any S is a "signature" of every eighth message at the least."""
    zero = bytes.fromhex("01") + bytes(63)
    assert not any(signature_holds(bytes.fromhex(key), bytes([n]), zero) for n in range(16))


@settings(max_examples=15, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300))
def test_it_agrees_with_the_library_that_signs(seed: bytes, message: bytes) -> None:
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert signature_holds(public, message, signature)
    assert not signature_holds(public, message + b"x", signature)
    assert verify.read_pem(public_key_pem(public)) == public


# ---- trees


def leaves(count: int) -> list[bytes]:
    return [b"leaf %d" % number for number in range(count)]


@given(st.lists(st.binary(max_size=40), max_size=80))
def test_trees_agree_with_the_house(data: list[bytes]) -> None:
    tree = verify.Tree()
    for one in data:
        tree.add(one)
    hashes = [merkle.leaf_hash(one) for one in data]
    assert (tree.size, tree.root()) == (len(data), merkle.root_of(hashes))
    for index, leaf in enumerate(hashes):
        path = merkle.inclusion_proof(hashes, index)
        assert verify.root_by_path(leaf, index, len(hashes), path) == tree.root()
        for wrong in ([*path, leaf], path[:-1] if path else [leaf]):
            with pytest.raises(VerificationError, match="truncated-proof"):
                verify.root_by_path(leaf, index, len(hashes), wrong)


def proved(data: list[bytes], chosen: list[int]) -> tuple[bytes, list[bytes]]:
    tree = merkle.Tree.of([merkle.leaf_hash(one) for one in data])
    return tree.root(), list(tree.complement(chosen))


def spans(data: list[bytes], chosen: list[int]) -> Iterator[tuple[int, bytes]]:
    return iter([(place, data[place]) for place in chosen])


@given(st.integers(0, 90).flatmap(lambda n: st.tuples(st.just(n), st.sets(st.integers(0, max(n - 1, 0))))))
def test_one_proof_for_any_set_of_leaves(size_and_places: tuple[int, set[int]]) -> None:
    size, places = size_and_places
    data, chosen = leaves(size), sorted(place for place in places if place < size)
    root, hashes = proved(data, chosen)
    assert SpanTree(spans(data, chosen), io.BytesIO(b"".join(hashes))).root(size) == root
    assert len(hashes) <= (len(chosen) + 1) * 8
    for shorter in (hashes[:-1], [*hashes, bytes(32)]):
        if shorter != hashes:
            with pytest.raises(VerificationError):
                SpanTree(spans(data, chosen), io.BytesIO(b"".join(shorter))).root(size)


@given(st.integers(1, 2000), st.data())
def test_a_run_of_neighbours_needs_few_hashes(size: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    _, hashes = proved(leaves(size), list(range(first, last + 1)))
    assert len(hashes) <= 2 * size.bit_length()


@settings(max_examples=40)
@given(st.integers(2, 60), st.data())
def test_another_leaf_another_place_another_size_give_another_root(size: int, data: st.DataObject) -> None:
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    known = leaves(size)
    root, hashes = proved(known, chosen)

    def gives(places: list[int], texts: list[bytes], of: int) -> bytes | None:
        try:
            return SpanTree(iter(list(zip(places, texts, strict=True))), io.BytesIO(b"".join(hashes))).root(of)
        except VerificationError:
            return None

    texts = [known[place] for place in chosen]
    at = data.draw(st.integers(0, len(chosen) - 1))
    assert gives(chosen, texts, size) == root
    assert gives(chosen, [*texts[:at], b"other", *texts[at + 1 :]], size) != root
    assert gives([*chosen[:at], chosen[at] + 1, *chosen[at + 1 :]], texts, size) != root
    assert gives(chosen[:-1], texts[:-1], size) != root
    assert gives(chosen, texts, 2 * size + 1) != root


@pytest.mark.parametrize("chosen", [[3, 3], [4, 2], [5], [0, 9], [-2]])
def test_leaves_that_do_not_ascend_or_are_not_there_have_no_proof(chosen: list[int]) -> None:
    with pytest.raises(ValueError, match=r"does not ascend|is not among"):
        proved(leaves(5), chosen)


# ---- the training order


def vectors() -> dict[str, Any]:
    specification = Path(__file__).parents[2] / "docs" / "training-order.md"
    (block,) = re.findall(r"```json\n(.*?)```", specification.read_text(encoding="utf-8"), re.DOTALL)
    return dict(json.loads(block))


def test_the_shuffle_is_that_of_the_specification() -> None:
    for one in vectors()["permutation"]:
        keys = tuple(int(key, 16) for key in one["round_keys"])
        for number, place in zip(one["x"], one["forward"], strict=True):
            assert verify.unshuffled(place, one["n"], keys) == number


def part_of(plan: dict[str, Any], stream: int) -> dict[str, Any]:
    """What a bundle says of the order of one stream."""
    segments = [
        {**one, "before": sum(one["counts"][:stream]), "count": one["counts"][stream], "start": one["start"][stream]}
        for one in plan["segments"]
    ]
    for one in segments:
        slots = (one["last_step_exclusive"] - one["first_step"]) * one["batch"]
        one["end"] = one["start"] + -(-slots // one["block"]) * one["count"]
    streams = {"s": {"sequences": plan["streams"][stream]["sequences"], "segments": segments}}
    return {"seed": plan["seed"], "sequence_length": 64, "steps_done": 10, "streams": streams}


def test_positions_are_those_of_the_specification() -> None:
    found = vectors()
    for one in found["positions"]:
        order = part_of(found["plan"], one["stream"])
        order["streams"] = {found["plan"]["streams"][one["stream"]]["name"]: order["streams"]["s"]}
        name = next(iter(order["streams"]))
        told = verify.Order(order).of_sequence(name, one["sequence"])
        assert told == [tuple(place) for place in one["positions"]]
        order["steps_done"] = 3
        assert verify.Order(order).of_sequence(name, one["sequence"]) == [place for place in told if place[0] < 3]


# ---- leaves


@given(st.text(), st.integers(0, 2**53 - 1))
def test_leaves_are_spelled_alike(text: str, number: int) -> None:
    row = {
        "id": "a" * 64, "received_sha256": "b" * 64, "final_sha256": None, "licence": text, "branch": "", "reason": "r",
        "decision": "admit", "partner": text, "source": "s", "use": "none", "stream": None, "text_bytes": number,
    }  # fmt: skip
    span = {"id": "a" * 64, "stream": text, "first_token": number, "tokens": 1, "tokens_sha256": "b" * 64}
    try:
        leaf, other = ledger_leaf(row), span_leaf(span)
    except ValueError:
        return
    assert verify.leaf_of(leaf, "herkomst-leaf-v1", verify.ROW_FIELDS, "rows.jsonl")["licence"] == text
    assert verify.leaf_of(other, "herkomst-span-v1", verify.SPAN_FIELDS, "spans")["stream"] == text
    assert verify.canonical({"z": text, "a": [number]}) == canonical({"z": text, "a": [number]})
    for bad in (leaf + b" ", leaf[:-1], b"[]", other):
        with pytest.raises(VerificationError):
            verify.leaf_of(bad, "herkomst-leaf-v1", verify.ROW_FIELDS, "rows.jsonl")
