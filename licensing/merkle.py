"""Merkle trees as in RFC 9162, section 2.1: SHA-256, 0x00 before a leaf, 0x01 before a node, no padding of odd sizes.

A root commits to the leaves and their order. Three things follow from it in O(log n) hashes: that a leaf stands at an
index (inclusion), that a smaller tree is the beginning of a larger one (consistency) and, because leaves are sorted by
key, that a key is not there (absence). Every hash is 32 bytes; a size is a number of leaves and must come from the same
signed statement as the root.
"""

from __future__ import annotations

import hashlib
import mmap
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256().digest()

_BATCH: Final = 1 << 14  # hashes read or written at a time: half a mebibyte


class Hashes(Protocol):
    """Anything with a length that gives 32-byte hashes by index: a list, or a memory-mapped file."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> bytes: ...


class PackedHashes:
    """Hashes laid end to end in bytes, a bytearray or a memory map, read one at a time."""

    def __init__(self, data: bytes | bytearray | memoryview | mmap.mmap) -> None:
        if len(data) % HASH_BYTES:
            raise ValueError(f"{len(data)} bytes are no whole number of {HASH_BYTES}-byte hashes: the list is cut off")
        self._data = memoryview(data)

    def __len__(self) -> int:
        return len(self._data) // HASH_BYTES

    def __getitem__(self, index: int, /) -> bytes:
        if not 0 <= index < len(self):
            raise IndexError(index)
        return bytes(self._data[index * HASH_BYTES : (index + 1) * HASH_BYTES])


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of one leaf's bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node from the hashes of its two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class TreeBuilder:
    """Computes the root over leaf hashes that come one at a time; holds at most one hash per level."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []  # roots of full subtrees, largest first: the binary digits of size

    def add(self, leaf: bytes) -> None:
        """Add the next leaf hash."""
        carry = self.size
        while carry & 1:
            leaf = node_hash(self._full.pop(), leaf)
            carry >>= 1
        self._full.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Return the root over the leaves so far; more may be added afterwards."""
        return _fold(self._full)


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over leaf hashes; the empty tree has the hash of nothing."""
    builder = TreeBuilder()
    for leaf in leaf_hashes:
        builder.add(leaf)
    return builder.root()


class Tree:
    """A tree whose inner hashes are at hand: ``levels[k][i]`` is the hash over leaves ``i * 2**k`` to ``(i+1) * 2**k``.

    Only full subtrees are kept; what hangs over at the right is computed when asked, from at most one hash per level.
    """

    def __init__(self, levels: Sequence[Hashes]) -> None:
        self._levels = levels

    @classmethod
    def of(cls, leaf_hashes: Hashes) -> Tree:
        """Build all levels in memory: for small trees; large ones are opened with `open_levels`."""
        levels: list[Hashes] = [leaf_hashes]
        while len(levels[-1]) > 1:
            below = levels[-1]
            levels.append([node_hash(below[i], below[i + 1]) for i in range(0, len(below) - 1, 2)])
        return cls(levels)

    def __len__(self) -> int:
        return len(self._levels[0])

    def root(self, size: int | None = None) -> bytes:
        """Return the root over the first ``size`` leaves, or all. Raises ValueError for a size the tree has not."""
        return self._range(0, self._checked(size))

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """Return the audit path of leaf ``index``, from its sibling up (RFC 9162, 2.1.3.1). Raises IndexError."""
        size = self._checked(size)
        if not 0 <= index < size:
            raise IndexError(f"leaf {index} is not in a tree of {size} leaves")
        return self._inclusion(index, 0, size)

    def consistency(self, first: int, size: int | None = None) -> list[bytes]:
        """Return the proof that the first ``first`` leaves begin the first ``size`` (RFC 9162, 2.1.4.1)."""
        size = self._checked(size)
        if not 0 <= first <= size:
            raise ValueError(f"a tree of {first} leaves cannot be the beginning of one of {size}")
        return self._consistency(first, 0, size, whole=True) if first else []

    def complement(self, indices: Iterable[int]) -> Iterator[bytes]:
        """Yield the hashes that, with the leaves at these ascending indices, give the root: one proof for all of them.

        Subtrees without any of the leaves, largest first, from left to right: O(log n) hashes for a contiguous range.
        Raises ValueError for indices that do not ascend or are not in the tree.
        """
        wanted = iter(indices)
        place = next(wanted, None)
        waiting = [(0, len(self))] if len(self) else []
        while waiting:
            start, end = waiting.pop()
            if place is None or not start <= place < end:
                yield self._range(start, end)
            elif end - start > 1:
                middle = start + _split(end - start)
                waiting += [(middle, end), (start, middle)]
            else:
                place = next(wanted, None)
                if place is not None and place < end:
                    break
        if place is not None:
            raise ValueError(f"leaf {place} does not ascend or is not among {len(self)} leaves; no proof was made")

    def _checked(self, size: int | None) -> int:
        size = len(self) if size is None else size
        if not 0 <= size <= len(self):
            raise ValueError(f"size {size} was asked of a tree of {len(self)} leaves")
        return size

    def _range(self, start: int, end: int) -> bytes:
        """Return the hash over leaves ``start`` to ``end``; ``start`` lies on the boundary of a subtree that fits."""
        full = []
        while start < end:
            level = (end - start).bit_length() - 1
            full.append(self._levels[level][start >> level])
            start += 1 << level
        return _fold(full)

    def _inclusion(self, index: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if index < middle:
            return [*self._inclusion(index, start, middle), self._range(middle, end)]
        return [*self._inclusion(index, middle, end), self._range(start, middle)]

    def _consistency(self, first: int, start: int, end: int, *, whole: bool) -> list[bytes]:
        """RFC 9162 SUBPROOF; ``whole`` while the old tree's root is one that the verifier holds already."""
        if first == end:
            return [] if whole else [self._range(start, end)]
        middle = start + _split(end - start)
        if first <= middle:
            return [*self._consistency(first, start, middle, whole=whole), self._range(middle, end)]
        return [*self._consistency(first, middle, end, whole=False), self._range(start, middle)]


def inclusion_proof(hashes: Hashes, index: int) -> list[bytes]:
    """Return the audit path of the leaf hash at ``index`` among ``hashes``; reads all of them. Raises IndexError."""
    return Tree.of(hashes).inclusion(index)


def consistency_proof(hashes: Hashes, first: int) -> list[bytes]:
    """Return the proof that the first ``first`` of ``hashes`` begin the whole; reads all of them. Raises ValueError."""
    return Tree.of(hashes).consistency(first)


def verify_inclusion(root: bytes, size: int, index: int, leaf: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether leaf hash ``leaf`` stands at ``index`` of the tree with this root and size (RFC 9162, 2.1.3.2).

    ``leaf`` is ``leaf_hash(data)``: hash the data yourself, or the proof says nothing about it.
    """
    if not 0 <= index < size or not _all_hashes(root, leaf, *path):
        return False
    position, last, computed = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            computed = node_hash(sibling, computed)
            # Without a right neighbour the node is handed up unchanged until it is a right child.
            shift = _trailing_zeros(position)
            position, last = position >> shift, last >> shift
        else:
            computed = node_hash(computed, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and computed == root


@dataclass(frozen=True, slots=True)
class Witness:
    """One leaf with the proof of its place: index from 0, the leaf's bytes and the audit path."""

    index: int
    leaf: bytes
    path: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The proof that a key is absent: the two adjacent leaves between which it would stand; None beyond either end."""

    left: Witness | None
    right: Witness | None


def absence_proof(tree: Tree, keys: Sequence[str], leaf_at: Callable[[int], bytes], key: str) -> Neighbours:
    """Prove that ``key`` has no leaf.

    ``keys`` are those of all leaves in ascending order; ``leaf_at`` gives the bytes of a leaf by its index. Raises
    ValueError if the key is there.
    """
    place = bisect_left(keys, key)
    if place < len(keys) and keys[place] == key:
        raise ValueError(f"{key} stands at leaf {place}, so its absence cannot be proved; prove its inclusion instead")

    def witness(index: int) -> Witness | None:
        return Witness(index, leaf_at(index), tuple(tree.inclusion(index))) if 0 <= index < len(tree) else None

    return Neighbours(witness(place - 1), witness(place))


def verify_absence(root: bytes, size: int, key: str, proof: Neighbours, key_of: Callable[[bytes], str]) -> bool:
    """Tell whether ``key`` has no leaf in a tree whose leaves ascend by key; ``key_of`` reads the key from a leaf.

    That all leaves ascend is a property of the whole tree: whoever has the ledger checks it, a single proof cannot.
    """
    left, right = proof.left, proof.right
    if left is None and right is None:
        return size == 0 and root == EMPTY_ROOT
    if (left.index + 1 if left else 0) != (right.index if right else size):
        return False
    try:
        between = (left is None or key_of(left.leaf) < key) and (right is None or key < key_of(right.leaf))
    except ValueError:
        return False
    return between and all(
        verify_inclusion(root, size, each.index, leaf_hash(each.leaf), each.path) for each in (left, right) if each
    )


def verify_consistency(first: int, first_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Tell whether the tree of ``first`` leaves is the beginning of the tree of ``size`` leaves (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= size or not _all_hashes(first_root, root, *path):
        return False
    if first == size:
        return not path and first_root == root
    if first == 0:
        return not path and first_root == EMPTY_ROOT
    return _consistent(first, first_root, size, root, iter(path))


def write_levels(folder: Path, hashes: Iterable[bytes]) -> bytes:
    """Write leaf hashes to ``leaves.bin`` and each level of full subtrees above to ``level-NN.bin``; return the root.

    All files are hashes end to end, 64 bytes per leaf together. Memory stays at one batch. The caller makes the folder
    and puts it in its place when whole (`licensing.files.atomic_folder`). Raises ValueError for a hash not of 32 bytes.
    """
    count = _write_leaves(_level_path(folder, 0), iter(hashes))
    for level in range(1, count.bit_length()):
        _write_parents(_level_path(folder, level - 1), _level_path(folder, level))
    return open_levels(folder).root()


def open_levels(folder: Path) -> Tree:
    """Open what `write_levels` wrote; proofs then read only the hashes they need.

    Raises FileNotFoundError for a missing level and ValueError for one of the wrong length, with the file's name.
    """
    leaves = _map(_level_path(folder, 0))
    levels = [leaves]
    for level in range(1, len(leaves).bit_length()):
        path = _level_path(folder, level)
        levels.append(_map(path))
        expected = len(leaves) >> level
        if len(levels[-1]) != expected:
            raise ValueError(
                f"{path}: {len(levels[-1])} hashes where {expected} belong above {len(leaves)} leaves, so no proof can "
                "be made; run the stage that commits the corpus again"
            )
    return Tree(levels)


def _consistent(first: int, first_root: bytes, size: int, root: bytes, path: Iterator[bytes]) -> bool:
    shift = _trailing_zeros(first)
    position, last = (first >> shift) - 1, (size - 1) >> shift
    # A first tree that is one full subtree needs no start in the path: its root is known.
    start = first_root if position == 0 else next(path, None)
    if start is None:
        return False
    old = new = start
    for sibling in path:
        if last == 0:
            return False
        if position & 1 or position == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            shift = _trailing_zeros(position)
            position, last = position >> shift, last >> shift
        else:
            new = node_hash(new, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and old == first_root and new == root


def _fold(full: Sequence[bytes]) -> bytes:
    """Join the roots of full subtrees, largest first, from the right."""
    if not full:
        return EMPTY_ROOT
    root = full[-1]
    for left in reversed(full[:-1]):
        root = node_hash(left, root)
    return root


def _split(size: int) -> int:
    """Return the largest power of two below ``size``."""
    return 1 << (size - 1).bit_length() - 1


def _trailing_zeros(number: int) -> int:
    return (number & -number).bit_length() - 1


def _all_hashes(*hashes: bytes) -> bool:
    """Hashes of another length could shift the border between two children, so they are refused outright."""
    return all(len(each) == HASH_BYTES for each in hashes)


def _level_path(folder: Path, level: int) -> Path:
    return folder / (f"level-{level:02d}.bin" if level else "leaves.bin")


def _write_leaves(path: Path, hashes: Iterator[bytes]) -> int:
    count = 0
    with path.open("wb") as file:
        while batch := list(islice(hashes, _BATCH)):
            if not _all_hashes(*batch):
                raise ValueError(f"{path}: a leaf hash among {count} to {count + len(batch)} is not {HASH_BYTES} bytes")
            file.write(b"".join(batch))
            count += len(batch)
    return count


def _write_parents(below: Path, above: Path) -> None:
    pair, sha256 = 2 * HASH_BYTES, hashlib.sha256
    with below.open("rb") as source, above.open("wb") as target:
        while data := source.read(_BATCH * HASH_BYTES):
            whole = len(data) - len(data) % pair
            target.write(b"".join([sha256(b"\x01" + data[i : i + pair]).digest() for i in range(0, whole, pair)]))


def _map(path: Path) -> PackedHashes:
    with path.open("rb") as file:
        # An empty file cannot be mapped.
        empty = not path.stat().st_size
        try:
            return PackedHashes(b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except ValueError as error:
            raise ValueError(f"{path}: {error}") from error
