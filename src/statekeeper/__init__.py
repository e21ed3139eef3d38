"""Statekeeper."""
