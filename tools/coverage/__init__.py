"""How much of the library the tests run. `make coverage` measures it, in three ways.

rules      plain Python, and some more of it: each module's lines and branches, by its own test
           module alone
workers    what runs inside a worker: lines, told by the worker itself (collector.py)
kit        partyserver.testing beside pytest: lines, in the sessions of its own tests
"""
