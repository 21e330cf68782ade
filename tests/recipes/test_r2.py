from partyserver.testing import Party

PNG = {"content-type": "image/png"}


def test_a_file_is_kept_and_told(party: Party) -> None:
    room = party.room("Album", "summer")
    with room.connect() as page:
        id = room.fetch("/", "POST", content=b"\x89PNG...", headers=PNG).json()["id"]
        assert page.receive_json() == {"type": "file", "id": id, "kind": "image/png"}
    stored = room.fetch(f"/{id}")
    assert (stored.content, stored.headers["content-type"]) == (b"\x89PNG...", "image/png")
    assert room.fetch("/").json() == [{"id": id, "kind": "image/png", "size": 7}]
    # Not from another room, nor by a key of the bucket.
    assert party.room("Album", "winter").fetch(f"/{id}").status_code == 404
    assert room.fetch(f"/album/summer/{id}").status_code == 404
