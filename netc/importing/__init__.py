"""Weights from elsewhere: files of other libraries, read by a map of names (docs/importing.md)."""
