"""The Python face, `import clockfree as cf`: tasks from networkx and numpy, runs and sweeps as xarray has them."""
