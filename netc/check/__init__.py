"""Syntax tree in, checked IR out, with every problem on the way."""
