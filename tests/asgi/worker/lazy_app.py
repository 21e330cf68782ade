"""Imported by the first request for it."""

from fastapi import FastAPI

app = FastAPI()


@app.get("/")
async def home():
    return "imported"
