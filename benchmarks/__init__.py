"""How fast netc is: times of things side by side, as tables. `python -m benchmarks --help` says how to run them."""
