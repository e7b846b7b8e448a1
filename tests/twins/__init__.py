"""The twins of the shipped specs, by families; test_twins.py has their table."""
