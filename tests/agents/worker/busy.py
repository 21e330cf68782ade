"""An agent that does things later."""

import asyncio
import functools
import json
import sys
import time

from calls import Called
from partyserver import agents
from partyserver.schedule import Retry
from partyserver.schedule.mixin import timers_of
from workers import Response


class Busy(Called, agents.Agent):
    def record(self, *entry):
        self.sql("create table if not exists log (entry text)")
        self.sql("insert into log values (?)", json.dumps(entry))

    def log(self):
        self.sql("create table if not exists log (entry text)")
        return [json.loads(row["entry"]) for row in self.sql("select entry from log")]

    def on_exception(self, error):
        self.record("exception", f"{type(error).__name__}: {error}")

    def on_request(self, request):
        return Response("here")

    def query(self, text):
        return self.sql(text)

    # --- the queue

    async def later(self, callback, payload=None, attempts=None):
        retry = None
        if attempts:
            retry = Retry(max_attempts=attempts, base_delay_ms=1, max_delay_ms=5)
        return await self.queue(callback, payload, retry=retry)

    async def several(self, *payloads):
        for payload in payloads:
            await self.queue(self.note, payload)

    async def note(self, payload):
        self.record("begins", payload)
        await asyncio.sleep(0.01)
        self.record("ends", payload)

    def plain(self):
        current = agents.current_agent()
        self.record("plain", current.agent is self, current.connection, current.request)

    def fail(self, payload):
        self.record("fail", payload)
        raise ValueError(f"failed {payload}")

    async def ends_the_process(self):
        await asyncio.sleep(0)
        sys.exit("not at all")

    async def remove_itself(self, payload):
        self.record("removes", [one.payload for one in self.get_queue()])
        self.dequeue(self.get_queue()[0].id)
        raise ValueError("never tried again")

    async def held(self):
        """Things are queued, and what runs first waits until it is let go."""
        self.gate = asyncio.Event()
        ids = [await self.queue(self.wait), await self.queue(self.note, 1)]
        ids += [await self.queue("note", 2), await self.queue(self.plain)]
        return ids

    async def wait(self):
        await self.gate.wait()

    def let_go(self):
        self.gate.set()

    async def overtaken(self):
        """The timers call the queue again while it runs; the next item comes as that run ends."""
        assert self.get_queue() == []
        insert = "insert into _partyserver_agent_queue values ({0}, 'note', '{0}', null, 0)"
        run = timers_of(self).runs.own["queue"]
        self.sql(insert.format(1))
        first = asyncio.create_task(run())
        first.add_done_callback(lambda _: self.sql(insert.format(2)))
        await asyncio.create_task(run())
        return [entry for entry in self.log() if entry[0] == "ends"]

    def waiting(self, id=None):
        if id is not None:
            one = self.get_queue(id)
            return one and [one.id, one.callback, one.payload, one.retry.max_attempts]
        return [one.id for one in self.get_queue()]

    # --- what keeps it in memory

    async def work(self, *names):
        """Blocks that keep the agent in memory, until each is let go by its name."""
        self.gates = {name: asyncio.Event() for name in names}
        self.works = {name: asyncio.create_task(self.work_on(name)) for name in names}
        return await self.armed()

    async def work_on(self, name):
        async with self.keep_alive():
            await self.gates[name].wait()
            if name == "fails":
                raise ValueError

    async def end_work(self, name):
        self.gates[name].set()
        task = self.works.pop(name)
        await asyncio.wait([task])
        task.exception()  # else the log has it whenever the task is collected
        return await self.armed()

    async def cancel_first(self, *names):
        """Blocks of which the first is cancelled before it has asked the platform for its alarm."""
        timers_of(self)._adopted = False
        loop = asyncio.get_event_loop()
        # After the first steps of the tasks, which are to be made yet.
        loop.call_soon(loop.call_soon, lambda: self.works[names[0]].cancel())
        return await self.work(*names)

    async def end_in_beat(self, name):
        """The last block ends while the alarm is about to be set once more."""
        timers_of(self)._adopted = False
        beat = asyncio.create_task(timers_of(self).runs.own["keep_alive"]())
        await asyncio.sleep(0)
        self.gates[name].set()
        await asyncio.wait([beat, self.works.pop(name)])
        return await self.armed()

    async def set_alarm_unseen(self, seconds):
        await self.ctx._ctx.storage.setAlarm(int((time.time() + seconds) * 1000))

    async def run_in(self, seconds):
        await self.schedule(seconds, "plain")

    async def armed(self):
        """In how many milliseconds the platform's alarm comes."""
        await asyncio.sleep(0.01)
        armed = await self.ctx._ctx.storage.getAlarm()
        return armed - time.time() * 1000 if isinstance(armed, int) else None

    # --- retry, and the end

    async def try_it(self, fail_until, max_attempts=None):
        tried = []

        async def fn(attempt):
            tried.append(attempt)
            if attempt < fail_until:
                raise ValueError(f"failed {attempt}")
            return "succeeded"

        def should_retry(error, next_attempt):
            tried.append(f"{error}, {next_attempt} next")
            return next_attempt < 4

        options = {"base_delay_ms": 1, "max_attempts": max_attempts}
        try:
            return [await self.retry(fn, should_retry=should_retry, **options), tried]
        except ValueError as error:
            return [f"{error}", tried]

    async def try_plain(self):
        done = []

        def fn():
            done.append("tried")
            if len(done) < 3:
                raise ValueError
            return done

        return await self.retry(fn, base_delay_ms=1)

    async def try_optional(self):
        return [
            await self.retry(lambda url="u": url),
            await self.retry(functools.partial(lambda a, b=2: [a, b], 1)),
        ]

    @agents.callable
    async def end(self):
        await self.schedule(3600, "plain")
        await self.ctx.storage.setAlarm(4 * 10**12)
        await self.destroy()
        # As another event may that comes before the end.
        self.record("after the end")
        await self.schedule(3600, "plain")
        return "ended"


class Patient(Busy):
    options = {"retry": Retry(max_attempts=2, base_delay_ms=1, max_delay_ms=5)}

    async def defaults(self):
        timer = await self.schedule(3600, "plain")
        queued = self.get_queue(await self.queue(self.fail, "z"))
        return [timer.retry.max_attempts, queued.retry.max_attempts]
