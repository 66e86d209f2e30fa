import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from clockfree_model.pieces import pieces


@pytest.mark.parametrize("seed", range(40))
def test_pieces_are_those_of_a_sparse_graph(seed):
    rng = np.random.default_rng(seed)
    nodes = int(rng.integers(1, 60))
    ends = rng.integers(0, nodes, (int(rng.integers(0, 2 * nodes)), 2))
    count, piece = pieces(nodes, ends)
    matrix = coo_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(nodes, nodes))
    expected, label = connected_components(matrix, directed=False)
    assert count == expected
    together = label[:, None] == label[None, :]
    np.testing.assert_array_equal(piece[:, None] == piece[None, :], together)
