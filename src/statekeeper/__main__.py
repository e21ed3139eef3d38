"""`python -m statekeeper` is the command line."""

from statekeeper.cli import main

main()
