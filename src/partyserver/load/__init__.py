"""`python -m partyserver.load`: many clients of a room, and what they see of it.

It runs outside of the worker, and needs websockets: `pip install "partyserver[load]"`.
"""
