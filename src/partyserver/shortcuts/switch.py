"""Tests switch the shortcuts off, to see that all works without them."""

enabled = True
