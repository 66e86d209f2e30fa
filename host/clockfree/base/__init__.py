"""The base: errors in one line, files that are whole or not at all, TOML, options laid over a file."""
