"""Kantor learns from scores and composes."""

__version__ = "0.1.0"
