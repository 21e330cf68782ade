"""The same rooms with FastAPI: no Durable Objects, no isolation, one process."""

from collections import defaultdict

from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from fastapi.responses import PlainTextResponse

app = FastAPI()
rooms: defaultdict[str, list[WebSocket]] = defaultdict(list)


@app.get("/parties/room/{name}")
async def room(name: str) -> PlainTextResponse:
    return PlainTextResponse("ok")


@app.websocket("/parties/{kind}/{name}")
async def party(socket: WebSocket, kind: str, name: str) -> None:
    await socket.accept()
    sockets = rooms[f"{kind}/{name}"]
    sockets.append(socket)
    try:
        while True:
            event = await socket.receive()
            if event["type"] == "websocket.disconnect":
                break
            text = event.get("text")
            targets = [socket] if kind in ("echo", "async-echo") else sockets
            for target in list(targets):
                if kind == "others" and target is socket:
                    continue
                if text is not None:
                    await target.send_text(text)
                else:
                    await target.send_bytes(event["bytes"])
    except WebSocketDisconnect:
        pass
    finally:
        sockets.remove(socket)
