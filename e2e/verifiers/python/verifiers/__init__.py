"""Verifiers that others wrote, each mounted as its document shows."""
