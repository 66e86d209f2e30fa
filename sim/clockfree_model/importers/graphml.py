"""GraphML."""

from pathlib import Path
from xml.etree import ElementTree

from clockfree_model.importers.reading import Graph, NetworkError, positions_of


def read(path: Path, text: str) -> Graph:
    """Nodes and edges as networkx finds them; node attributes x and y are positions."""
    import networkx as nx  # slow to load, and only this format asks

    try:
        listed = {element.get("id") for element in ElementTree.fromstring(text).iter() if element.tag.endswith("node")}
        graph = nx.parse_graphml(text)  # an edge that is listed twice makes a multigraph, and is refused later
    except ElementTree.ParseError as error:
        raise NetworkError(path, f"line {error.position[0]}", f"expected GraphML, got {error}") from None
    except (nx.NetworkXException, KeyError, ValueError, TypeError, AttributeError) as error:
        raise NetworkError(path, "graphml", f"expected GraphML, got {_one_line(error)}") from None
    for name in graph.nodes:
        if name not in listed:  # networkx makes up the nodes that an edge names
            raise NetworkError(path, "edges", f"expected the id of one of the nodes, got {name!r}")
    return list(graph.nodes), list(graph.edges()), positions_of(path, list(graph.nodes(data=True)))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
