"""One module a figure; `clockfree_sim.paper` says what is in it."""
