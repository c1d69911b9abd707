"""`python -m medqdeg`: the command `medqdeg`."""

from .utils.command_line import main

main()
