"""Weights that leave netc and come back: safetensors files with the sharing in their metadata."""

from netc.export.weights import load_weights, save_weights

__all__ = ["load_weights", "save_weights"]
