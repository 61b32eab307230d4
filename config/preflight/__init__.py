"""Queries Rancher before anything changes."""
