"""Checked IR in, Python source out."""
