"""The rooms of `fastapi_capacity.py`, with each row on the disk before its message is answered."""

from fastapi_capacity import Room, app  # noqa: F401 -- served

Room.synchronous = "full"
