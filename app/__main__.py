"""``python -m app``: the command line, for where the script ``holdless`` is not on PATH."""

from app.cli import main

main()
