"""Tasks: what a person writes, resolved to a job."""
