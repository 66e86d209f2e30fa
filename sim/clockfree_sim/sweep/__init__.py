"""Sweeps: one task, many times over, on a grid of whatever its file can say. `clockfree sweep SWEEP.toml`."""
