"""The link: boards at their ports, one session each."""
