"""`python -m netc`."""

from netc.cli.main import main

main()
