"""What an event costs, in and out: `python -m bench.events`.

The same room with `Events`, and with `parse_json`, a `match` and `send_json`, beside a plain echo
of the same size. Each is a party of one server, and they take turns.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from .load import Message
from .ratios import ratio
from .steps import Step, walk
from .works import Messages

SENT = '{"type":"say","text":"hello, how are you today?"}'
REPLY = '{"type":"said","id":"somebody","text":"hello, how are you today?"}'

ALONE = [
    Step("by hand", "events", "by-hand"),
    Step("by hand, again", "events", "by-hand"),
    Step("with Events", "events", "typed"),
]
ROOM = [
    Step("by hand", "events", "by-hand-room"),
    Step("by hand, again", "events", "by-hand-room"),
    Step("with Events", "events", "typed-room"),
]


def main() -> None:
    message = Message(text=SENT, reply=REPLY)
    room = Messages("", connections=10, message=replace(message, fanout=10))
    for title, steps, work in [
        ("an echo of it", [Step("", "events", "echo")], Messages("", message=Message(text=SENT))),
        ("to the sender", ALONE, Messages("", message=message)),
        ("to a room of 10, for each", ROOM, room),
    ]:
        samples = walk(steps, work, rounds=9, seconds=0.15)
        first = samples[steps[0].title].cpu
        for name, found in samples.items():
            print(f"{title:28}{name:16}{median(found.cpu):8.1f} us   {ratio(found.cpu, first)}")


if __name__ == "__main__":
    main()
