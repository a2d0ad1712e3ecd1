"""Fixtures of the checks, and what each suite must have run."""
