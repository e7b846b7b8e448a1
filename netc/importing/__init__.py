"""Weights from elsewhere: files of other libraries, read by a map of names (docs/importing.md)."""

from netc.importing.load import import_weights

__all__ = ["import_weights"]
