"""`python -m clockfree`: the command line."""

from clockfree.commands.app import main

main()
