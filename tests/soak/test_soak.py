"""A case of a soak is the same whenever it is drawn, and all kinds of faults come, also two within a second."""

from collections import Counter
from itertools import pairwise

from tests.soak.cases import INTERRUPT, KILL, POWER, RESET, TOGETHER_S, UNPLUG, drawn


def test_cases_are_drawn_from_seed_rack_and_number_alone():
    cases = [drawn(1, 0, number, 6, 50.0) for number in range(200)]
    assert cases[17] == drawn(1, 0, 17, 6, 50.0)
    assert len({(case.seed, case.faults) for case in cases}) == 200
    assert drawn(1, 1, 17, 6, 50.0) != cases[17] != drawn(2, 0, 17, 6, 50.0)
    kinds = Counter(fault.kind for case in cases for fault in case.faults)
    assert kinds[KILL] == 50 and kinds[INTERRUPT] == 25 and sum(kinds.values()) > 800
    assert min(kinds[kind] for kind in (UNPLUG, RESET, POWER)) > 100
    for case in cases:
        times = [fault.at_s for fault in case.faults]
        assert times == sorted(times) and times[-1] <= 0.85 * case.updates / 50.0
        assert {fault.board for fault in case.faults if fault.board >= 0} <= set(range(6))
        assert [fault.kind in (KILL, INTERRUPT) for fault in case.faults[:-1]].count(True) == 0
    assert sum(b - a < TOGETHER_S for case in cases for a, b in pairwise([each.at_s for each in case.faults])) > 300
