"""Damage to files, as cut-off downloads and bad disks do it."""

from pathlib import Path


def cut(path: Path, length: int) -> None:
    """Keeps the first `length` bytes."""
    path.write_bytes(path.read_bytes()[:length])


def change(path: Path, place: int) -> None:
    """Inverts the byte at a place."""
    raw = bytearray(path.read_bytes())
    raw[place] ^= 0xFF
    path.write_bytes(raw)
