"""This library without its shortcuts: every event comes in by the runtime's own ways."""

from partyserver.shortcuts import switch

switch.enabled = False

from library import *  # noqa: E402, F403
