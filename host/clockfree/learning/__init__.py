"""Learning on boards: from HOLD to HOLD, as the host sees it."""
