"""The clock of a server that was started with `--clock`."""

import json

from server import http


class Clock:
    """Reads it and moves it. Once a move is answered, what was due by then has happened."""

    def __init__(self, server):
        self.server = server

    def _reply(self, reply):
        assert reply.status == 200, reply.text
        return json.loads(reply.text)["now"]

    def now(self):
        return self._reply(http("GET", self.server.url + "/_afterward/clock"))

    def set(self, when):
        return self._reply(http("POST", self.server.url + "/_afterward/clock", json.dumps({"set": when})))

    def advance(self, seconds):
        body = json.dumps({"advance_ms": int(seconds * 1000)})
        return self._reply(http("POST", self.server.url + "/_afterward/clock", body))
