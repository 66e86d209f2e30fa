"""Telling what a run sees, for whoever wants to look at its boards meanwhile: the rows of `clockfree read --bench`."""

from typing import Any

import numpy as np

from clockfree.learning.arming import Member
from clockfree.learning.learning import Learning
from clockfree_board.link import HOLD, RUN
from clockfree_model.counters import COUNTERS
from clockfree_model.job import Job


def seen(job: Job, run_id: int, learning: Learning, supervisor: Member, boards: list[Member]) -> dict[str, Any]:
    """What boards have told a run: of each board, each edge, and each output in each example; null is not known."""
    at = f"{learning.journal.now_us() / 1e6:.1f} s, {learning.updates:.0f} updates per edge"
    rows, edges = [], []
    tally = learning.tally
    for member in (supervisor, *boards):
        problem = learning.away.get(member, "")
        state = None if problem else HOLD if member in learning.held else RUN
        told = {"board": member.session.name, "state": state, "run": run_id}
        rows.append({**told, "reason": f"as told to its run at {at}", "problem": problem})
        for edge in member.edges:
            tap = int(tally.taps[edge])
            edges.append({
                "edge": job.network.edge_name(edge), "source": member.session.name, "state": state,
                "tap": tap if tap >= 0 else None, **{name: int(tally.count(name)[edge]) for name in COUNTERS},
                "age_us": int(tally.age_us[edge]), "late_us": int(tally.late_us[edge]),
                "free_drop_V": None, "clamped_drop_V": None,
            })  # fmt: skip
    by = f"supervisor {supervisor.session.name}"
    nodes = [
        {
            "node": job.network.nodes[node], "example": example,
            "free_V": float(volts) if np.isfinite(volts) else None, "clamped_V": None, "source": by,
        }
        for example, row_V in enumerate(job.ground.on_circuit(learning.outputs_V, job.physics))
        for node, volts in zip(job.targets, row_V)
    ]  # fmt: skip
    return {"boards": rows, "edges": edges, "nodes": nodes}
