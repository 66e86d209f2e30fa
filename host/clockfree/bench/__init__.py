"""Benches: what a job runs on, simulated, virtual or real."""
