"""Rates of the edges: what a job says of each."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from clockfree_model.rates import rates_hz, waits_us
from tests.sim.jobs import a_job


def test_rates_lie_evenly_over_the_decades_in_the_logarithm():
    job = a_job("square:50x50:periodic", edge={"rate_hz": 3.0, "decades": 1.5})
    rates = rates_hz(job)
    places = (np.log10(rates / 3.0) + 0.75) / 1.5
    assert stats.kstest(places, "uniform").pvalue > 0.01
    assert rates == pytest.approx([1e6 / waits_us(job, edge)[0] for edge in range(len(rates))])
    other = rates_hz(dataclasses.replace(job, seed=1))
    assert abs(np.corrcoef(np.log(rates), np.log(other))[0, 1]) < 0.06


def test_all_edges_have_the_rate_that_was_asked_for():
    job = a_job(edge={"rate_hz": 8.0})
    assert {waits_us(job, edge) for edge in range(16)} == {(125_000, 12_500)}
    assert waits_us(dataclasses.replace(job, edge=dataclasses.replace(job.edge, late_us=7)), 3) == (125_000, 7)


def test_a_firing_is_overdue_by_its_own_edges_wait():
    job = a_job(edge={"decades": 2.0})
    assert all(late_us == mean_us // 10 for mean_us, late_us in (waits_us(job, edge) for edge in range(16)))
