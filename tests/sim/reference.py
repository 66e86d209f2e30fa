"""The twin circuit solved in one piece, independently of the package: scipy's sparse LU of the full matrix."""

import numpy as np
from scipy.sparse import bmat, csc_array
from scipy.sparse.linalg import splu


class Twins:
    """What a circuit should be: the same calls as `Circuit`, everything solved anew when asked."""

    def __init__(self, nodes, ends, sources, targets):
        self.nodes, self.ends = nodes, np.asarray(ends)
        self.sources, self.targets = list(sources), list(targets)
        self.clamp = lambda free_V: None
        self.source_V = np.zeros(len(self.sources))

    def load(self, g_free, g_clamped=None):
        self.g = [np.array(g_free), np.array(g_free if g_clamped is None else g_clamped)]

    def step(self, edge, g_free, g_clamped):
        self.g[0][edge], self.g[1][edge] = g_free, g_clamped

    def example(self, source_V, desired_V, eta, clamp_error_V=None):
        error_V = np.zeros(len(self.targets)) if clamp_error_V is None else np.array(clamp_error_V)
        desired_V = np.array(desired_V)
        self.source_V = np.array(source_V)
        self.clamp = lambda free_V: free_V + eta * (desired_V - free_V) + error_V

    def float_clamp(self):
        self.clamp = lambda free_V: None

    def hold_clamp(self, clamped_V):
        clamped_V = np.array(clamped_V)
        self.clamp = lambda free_V: clamped_V

    def free(self):
        return self._solve(self.g[0], self.sources, self.source_V)[0]

    def clamped(self):
        return self._clamped()[0]

    def power(self):
        """What the sources and the clamp deliver: volts times amperes."""
        free = self._solve(self.g[0], self.sources, self.source_V)
        return free[1], self._clamped()[1]

    def outputs(self, source_V):
        return np.array([self._solve(self.g[0], self.sources, row)[0][self.targets] for row in source_V])

    def _clamped(self):
        held_V = self.clamp(self.free()[self.targets])
        if held_V is None:
            return self._solve(self.g[1], self.sources, self.source_V)
        return self._solve(self.g[1], self.sources + self.targets, np.concatenate([self.source_V, held_V]))

    def _solve(self, g, held, held_V):
        """Node voltages and the power fed in, from Kirchhoff's laws with the currents of the held nodes as unknowns."""
        incidence = np.zeros((len(self.ends), self.nodes))
        incidence[np.arange(len(self.ends)), self.ends[:, 0]] += 1
        incidence[np.arange(len(self.ends)), self.ends[:, 1]] -= 1
        incidence = csc_array(incidence)
        scale = g.mean()  # currents in units that make all entries of the matrix alike
        chosen = csc_array((np.ones(len(held)), (range(len(held)), held)), shape=(len(held), self.nodes))
        matrix = bmat([[incidence.T @ (incidence * (g / scale)[:, None]), -chosen.T], [chosen, None]], format="csc")
        found = splu(matrix).solve(np.concatenate([np.zeros(self.nodes), held_V]))
        return found[: self.nodes], float(found[self.nodes :] @ held_V) * scale
