from typing import Annotated

from fastapi import FastAPI, Request
from partyserver import get_server_by_name
from pydantic import BaseModel, StringConstraints

app = FastAPI(title="@name@")


class Announcement(BaseModel):
    text: Annotated[str, StringConstraints(min_length=1, max_length=2000)]


class Reached(BaseModel):
    people: int


@app.post("/api/rooms/{name}/announcements")
async def announce(name: str, announcement: Announcement, request: Request) -> Reached:
    room = await get_server_by_name(request.scope["env"].Chat, name)
    return Reached(people=await room.announce(announcement.text))
