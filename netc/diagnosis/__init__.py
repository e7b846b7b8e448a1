"""`netc doctor`: the classical checks of a net with its recipe and data, before a long training."""
