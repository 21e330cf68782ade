"""Measures this library beside npm partyserver, plain workerd and FastAPI: see README.md."""
