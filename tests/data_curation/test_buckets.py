import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_curation.buckets import Forest, alike, meetings


def all_meetings(path, eligible, most):
    return {
        (int(key), int(row))
        for keys, rows in meetings(path, eligible, most)
        for key, row in zip(keys, rows, strict=True)
    }


def test_meetings_are_the_same_for_any_bound_and_pieces_stay_small(tmp_path):
    random = np.random.default_rng(1)
    keys = random.choice(random.integers(0, 2**64, 4000, dtype=np.uint64), 5000)
    keys.astype("<u8").tofile(tmp_path / "keys")
    eligible = random.random(5000) < 0.9
    counted = np.unique(keys[eligible], return_counts=True)
    shared = set(counted[0][counted[1] > 1].tolist())
    expected = {(int(keys[row]), row) for row in np.flatnonzero(eligible) if int(keys[row]) in shared}
    for most in (10_000, 700, 100):
        assert all_meetings(tmp_path / "keys", eligible, most) == expected
    pieces = list(meetings(tmp_path / "keys", eligible, 100))
    assert len(pieces) > 30 and max(len(rows) for _, rows in pieces) < 200


def test_no_rows_no_meetings(tmp_path):
    (tmp_path / "keys").write_bytes(b"")
    assert list(meetings(tmp_path / "keys", np.empty(0, bool), 10)) == []


def test_each_cluster_of_a_bucket_gathers_round_its_smallest_member():
    keys = np.array([7, 7, 7, 7, 7, 3, 3], np.uint64)
    members = np.array([9, 4, 5, 6, 1, 8, 2], np.int64)
    pairs = [
        (int(a), int(b))
        for left, right, _ in alike(keys, members, lambda a, b: a % 2 == b % 2, 64)
        for a, b in zip(left, right, strict=True)
    ]
    assert sorted(pairs) == [(1, 5), (1, 9), (2, 8), (4, 6)]


def test_work_on_a_crowded_bucket_is_bounded_and_told():
    compared = []

    def never(left, right):
        compared.append(len(left))
        return np.zeros(len(left), bool)

    undecided = [count for _, _, count in alike(np.zeros(1000, np.uint64), np.arange(1000), never, 3)]
    assert compared == [999, 998, 997]
    assert undecided == [0, 0, 996]


@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=20), max_size=5))
def test_roots_are_the_smallest_nodes_of_the_components(batches):
    forest, groups = Forest(31), {node: {node} for node in range(31)}
    for batch in batches:
        edges = np.array(batch, np.int64).reshape(-1, 2)
        forest.join(edges[:, 0], edges[:, 1])
        for a, b in batch:
            merged = groups[a] | groups[b]
            for node in merged:
                groups[node] = merged
    assert forest.roots(np.arange(31)).tolist() == [min(groups[node]) for node in range(31)]
    assert forest.lower().tolist() == [node for node in range(31) if node != min(groups[node])]


def test_a_long_chain_takes_few_turns():
    """Followed link by link, this one takes ten thousand million steps."""
    nodes = np.arange(100_000)
    forest = Forest(len(nodes))
    forest.join(nodes[:-1], nodes[1:])
    assert not forest.roots(nodes).any()
