"""Runs: one recorded experiment, and everything that is read from its record."""
