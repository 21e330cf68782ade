"""Shared documents."""
