"""Commands: arguments in, words out; one file each."""
