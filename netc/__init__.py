"""netc: a compiler for neural networks written down as text."""
