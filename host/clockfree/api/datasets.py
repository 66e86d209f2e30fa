"""Arrays of a run as xarray has them, with nodes and edges by what they were called."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from clockfree.runs.netcdf import DataSet
from clockfree_model.network import Network

Called = Mapping[str, Hashable] | None
"""Nodes by their names in records, in the order of the network; None where they are these names."""
OF_NODES = ("node", "source", "target")


def dataset(data: DataSet, called: Called, network: Network) -> xr.Dataset:
    """Results as an xarray data set; an edge is the pair of its nodes where nodes are no names."""
    variables: dict[str, Any] = {
        name: (variable.dims, variable.values, variable.attrs) for name, variable in data.variables.items()
    }
    if called is not None:
        for dim in OF_NODES:
            if dim in variables:
                dims, names, attrs = variables[dim]
                variables[dim] = (dims, objects([called[str(name)] for name in names]), attrs)
        dims, _, attrs = variables["edge"]
        variables["edge"] = (dims, objects(edges(called, network)), attrs)
    return xr.Dataset(variables, attrs=data.attrs).set_coords([*data.coordinates])


def edges(called: Called, network: Network) -> list[Hashable]:
    """What edges are called: by their nodes."""
    if called is None:
        return [network.edge_name(edge) for edge in range(len(network.ends))]
    nodes = list(called.values())
    return [(nodes[a], nodes[b]) for a, b in network.ends.tolist()]


def objects(values: Sequence[Any]) -> np.ndarray:
    """Values along one dimension, tuples too; numbers as numbers and texts as texts where all of them are."""
    if all(type(value) in (int, str) for value in values) and len({type(value) for value in values}) == 1:
        return np.array(values)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
