"""Merkle trees against the published vectors of Certificate Transparency and against the definition in RFC 9162."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.canonical import canonical
from licensing.leaf import LeafError, leaf_key, ledger_leaf, partner_leaf, span_leaf
from licensing.merkle import (
    EMPTY_ROOT,
    Neighbours,
    PackedHashes,
    Tree,
    TreeBuilder,
    Witness,
    absence_proof,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    open_levels,
    root_of,
    verify_absence,
    verify_consistency,
    verify_inclusion,
    write_levels,
)

# The reference tree of github.com/google/certificate-transparency (merkletree tests), also used by RFC 9162 libraries.
REFERENCE = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
REFERENCE_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = range(71)


def hashes(count: int) -> list[bytes]:
    return [leaf_hash(index.to_bytes(4, "big")) for index in range(count)]


def defined_root(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(defined_root(leaves[:split]), defined_root(leaves[split:]))


def test_empty_tree() -> None:
    assert root_of([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Tree.of([]).root() == EMPTY_ROOT == TreeBuilder().root()


@pytest.mark.parametrize(("size", "root"), list(enumerate(REFERENCE_ROOTS, start=1)))
def test_reference_roots(size: int, root: str) -> None:
    assert root_of(map(leaf_hash, REFERENCE[:size])).hex() == root
    assert Tree.of([leaf_hash(data) for data in REFERENCE]).root(size).hex() == root


# Their inclusion paths as (leaf from 0, size) and consistency paths as (first, size).
REFERENCE_INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
REFERENCE_CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}


@pytest.mark.parametrize(("place", "expected"), REFERENCE_INCLUSION.items(), ids=str)
def test_reference_inclusion_paths(place: tuple[int, int], expected: list[str]) -> None:
    index, size = place
    leaves = [leaf_hash(data) for data in REFERENCE[:size]]
    path = [bytes.fromhex(one) for one in expected]
    assert (
        inclusion_proof(leaves, index)
        == Tree.of([leaf_hash(data) for data in REFERENCE]).inclusion(index, size)
        == path
    )
    assert verify_inclusion(bytes.fromhex(REFERENCE_ROOTS[size - 1]), size, index, leaves[index], path)


@pytest.mark.parametrize(("sizes", "expected"), REFERENCE_CONSISTENCY.items(), ids=str)
def test_reference_consistency_paths(sizes: tuple[int, int], expected: list[str]) -> None:
    first, size = sizes
    path = [bytes.fromhex(one) for one in expected]
    old, new = (bytes.fromhex(REFERENCE_ROOTS[one - 1]) for one in sizes)
    assert consistency_proof([leaf_hash(data) for data in REFERENCE[:size]], first) == path
    assert verify_consistency(first, old, size, new, path)


@pytest.mark.parametrize("size", SIZES)
def test_builders_agree_with_the_definition(size: int) -> None:
    leaves = hashes(size)
    assert root_of(iter(leaves)) == defined_root(leaves) == Tree.of(leaves).root()
    assert Tree.of(hashes(70)).root(size) == defined_root(leaves)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_included_and_no_other(size: int) -> None:
    leaves, tree = hashes(size), Tree.of(hashes(size))
    root = tree.root()
    for index, leaf in enumerate(leaves):
        path = tree.inclusion(index)
        assert len(path) <= (size - 1).bit_length()
        assert verify_inclusion(root, size, index, leaf, path)
        assert not verify_inclusion(root, size, index, leaf_hash(b"other"), path)
        assert not any(verify_inclusion(root, size, other, leaf, path) for other in range(size + 1) if other != index)
        assert not verify_inclusion(leaf_hash(b"other"), size, index, leaf, path)
        assert not verify_inclusion(root, size, index, leaf, [*path, leaf])
        assert not path or not verify_inclusion(root, size, index, leaf, path[:-1])


@given(st.integers(1, 300).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))), st.data())
def test_a_changed_path_is_refused(place: tuple[int, int], data: st.DataObject) -> None:
    size, index = place
    tree = Tree.of(hashes(size))
    path, root, leaf = tree.inclusion(index), tree.root(), hashes(size)[index]
    assert verify_inclusion(root, size, index, leaf, path)
    if path:
        at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        path[at] = (int.from_bytes(path[at], "big") ^ 1 << bit).to_bytes(32, "big")
        assert not verify_inclusion(root, size, index, leaf, path)


def test_a_wrong_size_is_refused_where_it_changes_the_shape() -> None:
    tree = Tree.of(hashes(7))
    for index in range(7):
        path = tree.inclusion(index)
        for size in (0, 1, 2, 4, 9, 17, -7):
            assert not verify_inclusion(tree.root(), size, index, hashes(7)[index], path)


def test_hashes_of_another_length_cannot_shift_a_border() -> None:
    left, right = hashes(2)
    root = node_hash(left, right)
    assert verify_inclusion(root, 2, 0, left, [right])
    assert not verify_inclusion(root, 2, 0, left + right[:1], [right[1:]])


@pytest.mark.parametrize("size", SIZES)
def test_consistency_of_every_beginning(size: int) -> None:
    tree = Tree.of(hashes(size))
    assert verify_consistency(0, EMPTY_ROOT, size, tree.root(), tree.consistency(0))
    for first in range(1, size + 1):
        path, old = tree.consistency(first), tree.root(first)
        assert verify_consistency(first, old, size, tree.root(), path)
        assert not verify_consistency(first, leaf_hash(b"other"), size, tree.root(), path)
        assert not verify_consistency(first, old, size, leaf_hash(b"other"), path)
        assert not verify_consistency(first, old, size, tree.root(), [*path, old])
        assert not path or not verify_consistency(first, old, size, tree.root(), path[:-1])


def test_a_rewritten_beginning_is_not_consistent() -> None:
    new = hashes(20)
    new[3] = leaf_hash(b"rewritten")
    for first in range(4, 20):
        path = Tree.of(new).consistency(first)
        assert not verify_consistency(first, root_of(hashes(first)), 20, root_of(new), path)


def test_what_a_tree_has_not_is_refused() -> None:
    tree = Tree.of(hashes(5))
    for call in (lambda: tree.inclusion(5), lambda: tree.inclusion(-1), lambda: tree.inclusion(3, 3)):
        with pytest.raises(IndexError):
            call()
    for call in (lambda: tree.root(6), lambda: tree.consistency(6), lambda: tree.consistency(-1)):
        with pytest.raises(ValueError):
            call()


@settings(max_examples=50)
@given(st.sets(st.integers(0, 99), max_size=40), st.integers(0, 99))
def test_absence(present: set[int], asked: int) -> None:
    leaves = [ledger_leaf(row(number)) for number in sorted(present)]
    keys = [leaf_key(leaf) for leaf in leaves]
    tree = Tree.of([leaf_hash(leaf) for leaf in leaves])
    key = f"{asked:064x}"
    if asked in present:
        with pytest.raises(ValueError, match="stands at leaf"):
            absence_proof(tree, keys, leaves.__getitem__, key)
        return
    proof = absence_proof(tree, keys, leaves.__getitem__, key)
    assert verify_absence(tree.root(), len(tree), key, proof, leaf_key)
    for there in keys:
        assert not verify_absence(tree.root(), len(tree), there, proof, leaf_key)


def test_absence_needs_adjacent_leaves_and_both_ends() -> None:
    leaves = [ledger_leaf(row(number)) for number in (10, 20, 30)]
    tree = Tree.of([leaf_hash(leaf) for leaf in leaves])
    witness = [Witness(index, leaf, tuple(tree.inclusion(index))) for index, leaf in enumerate(leaves)]

    def proves(number: int, left: Witness | None, right: Witness | None) -> bool:
        return verify_absence(tree.root(), 3, f"{number:064x}", Neighbours(left, right), leaf_key)

    assert proves(15, witness[0], witness[1])
    assert proves(5, None, witness[0])
    assert proves(35, witness[2], None)
    assert not proves(20, witness[0], witness[2])
    assert not proves(15, None, witness[1])
    assert not proves(25, witness[1], None)
    assert not proves(15, None, None)
    forged = Witness(1, ledger_leaf(row(16)), witness[1].path)
    assert not proves(15, witness[0], forged)
    assert not proves(15, Witness(0, b"not a leaf", witness[0].path), witness[1])


@pytest.mark.parametrize("size", [*range(18), 63, 64, 65, 20_000])
def test_levels_on_disk_give_the_same_tree(tmp_path: Path, size: int) -> None:
    leaves = hashes(size)
    assert write_levels(tmp_path, iter(leaves)) == root_of(leaves)
    tree = open_levels(tmp_path)
    assert len(tree) == size
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 64 * size
    for index in {0, 1, size // 2, size - 1} & set(range(size)):
        assert verify_inclusion(tree.root(), size, index, leaves[index], tree.inclusion(index))
        assert verify_consistency(index, root_of(leaves[:index]), size, tree.root(), tree.consistency(index))


def test_a_proof_reads_few_hashes(tmp_path: Path) -> None:
    write_levels(tmp_path, hashes(10_000))
    reads: list[int] = []

    class Counted(PackedHashes):
        def __getitem__(self, index: int, /) -> bytes:
            reads.append(index)
            return super().__getitem__(index)

    tree = Tree([Counted(path.read_bytes()) for path in sorted(tmp_path.iterdir(), key=lambda p: -p.stat().st_size)])
    tree.inclusion(9_876)
    assert 0 < len(reads) <= 2 * 14


def test_levels_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_levels(tmp_path, hashes(10))
    level = tmp_path / "level-01.bin"
    level.write_bytes(level.read_bytes()[:-32])
    with pytest.raises(ValueError, match=r"level-01\.bin: 4 hashes where 5 belong"):
        open_levels(tmp_path)
    level.write_bytes(b"x" * 33)
    with pytest.raises(ValueError, match=r"level-01\.bin: 33 bytes"):
        open_levels(tmp_path)
    level.unlink()
    with pytest.raises(FileNotFoundError):
        open_levels(tmp_path)
    with pytest.raises(ValueError, match="not 32 bytes"):
        write_levels(tmp_path, [b"a" * 31, b"b" * 33])


def row(number: int, **changed: object) -> dict[str, object]:
    return {
        "id": f"{number:064x}",
        "received_sha256": "1" * 64,
        "final_sha256": None,
        "licence": "CC-BY-4.0",
        "branch": "",
        "decision": "admit",
        "reason": "licence-admitted",
        "partner": "Krant é",
        "source": "articles",
        "use": "train",
        "stream": None,
        "text_bytes": 12,
        "title": "a column that the leaf leaves out",
        **changed,
    }


def test_the_ledger_leaf_is_spelled_as_written_down() -> None:
    assert ledger_leaf(row(7)).decode() == (
        '{"branch":"","decision":"admit","final_sha256":null,"id":"' + "0" * 63 + '7","licence":"CC-BY-4.0",'
        '"partner":"Krant é","reason":"licence-admitted","received_sha256":"' + "1" * 64 + '","source":"articles",'
        '"stream":null,"text_bytes":12,"use":"train","version":"herkomst-leaf-v1"}'
    )


def test_span_and_partner_leaves_are_spelled_as_written_down() -> None:
    span = {"id": "a" * 64, "stream": "s", "first_token": 10**10, "tokens": 3, "tokens_sha256": "b" * 64}
    assert span_leaf(span).decode() == (
        '{"first_token":10000000000,"id":"' + "a" * 64 + '","stream":"s","tokens":3,"tokens_sha256":"' + "b" * 64 + '",'
        '"version":"herkomst-span-v1"}'
    )
    partner = partner_leaf({"partner": "krant", "root": "c" * 64, "size": 2})
    assert partner.decode() == '{"partner":"krant","root":"' + "c" * 64 + '","size":2,"version":"herkomst-partner-v1"}'
    assert (leaf_key(span_leaf(span)), leaf_key(partner)) == ("a" * 64, "krant")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", "A" * 64),
        ("id", None),
        ("final_sha256", ""),
        ("text_bytes", 1.0),
        ("text_bytes", True),
        ("text_bytes", -1),
        ("text_bytes", 2**53),
        ("use", "training"),
        ("licence", None),
        ("stream", 3),
        ("partner", "\ud800"),
    ],
)
def test_a_row_that_cannot_be_committed_to_is_refused(field: str, value: object) -> None:
    with pytest.raises(LeafError, match="cannot be committed to"):
        ledger_leaf(row(1, **{field: value}))


def test_each_field_of_a_row_is_needed_and_counts() -> None:
    committed = json.loads(ledger_leaf(row(1))).keys() - {"version"}
    assert len(committed) == 12
    for field in committed:
        without = {name: value for name, value in row(1).items() if name != field}
        with pytest.raises(LeafError, match=f"field {field} is missing"):
            ledger_leaf(without)


def test_bytes_that_are_no_leaf_have_no_key() -> None:
    good = ledger_leaf(row(1))
    for bad in (b"", b"[]", b"{}", good + b" ", good.replace(b"leaf-v1", b"leaf-v2"), canonical({"id": "a" * 64})):
        with pytest.raises(LeafError):
            leaf_key(bad)


@given(st.text())
def test_canonical_json_escapes_as_rfc_8785(text: str) -> None:
    """RFC 8785, 3.2.2.2: the short escapes, \\u00xx in lower case for other controls, everything else as it is."""
    short = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}
    expected = "".join(short.get(ord(c), f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in text)
    if any(0xD800 <= ord(c) < 0xE000 for c in text):
        with pytest.raises(UnicodeEncodeError):
            canonical(text)
    else:
        assert canonical(text) == f'"{expected}"'.encode()
