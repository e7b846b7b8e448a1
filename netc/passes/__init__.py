"""Passes: a `Program` in, a `Program` out, with the same weights under the same names."""
