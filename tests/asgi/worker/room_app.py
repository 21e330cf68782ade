"""The app that a room answers its HTTP with."""

import fastapi
import leaving

app = fastapi.FastAPI()
app.include_router(leaving.router)


def room(request: fastapi.Request):
    return request.scope["partyserver.server"]


@app.get("/people")
async def people(request: fastapi.Request):
    return {
        "room": room(request).name,
        "people": [one.id for one in room(request).get_connections()],
        "root_path": request.scope["root_path"],
        "url": request.url_for("people").path,
    }


@app.post("/shout")
async def shout(request: fastapi.Request):
    room(request).broadcast((await request.body()).decode().upper())
    return "shouted"


@app.get("/raise")
def fail():
    raise ZeroDivisionError("a secret of the room's app")
