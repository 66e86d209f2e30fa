"""What an experiment is, as plain data: shared by simulation and host, and free of both."""
