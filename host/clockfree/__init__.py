"""clockfree: physical learning networks without a clock; the person's side."""
