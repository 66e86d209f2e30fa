"""Theory: what can be said of learning without a bench, and tests of what a bench did."""
