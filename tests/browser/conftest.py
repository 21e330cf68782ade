"""The tests of pages run in Chromium."""

from ..chromium import OpenPage, browser, open_page

__all__ = ["OpenPage", "browser", "open_page"]
