"""HTTP by the byte: what a client of any library would never send, and a look at what it costs the server."""

import os
import pathlib
import resource
import select
import socket
import struct
import time

from server import Server

HEALTH = b"GET /_afterward/health HTTP/1.1\r\nHost: x\r\n\r\n"
JOB = b"POST /jobs HTTP/1.1\r\nHost: x\r\n"
CHUNKED = JOB + b"Transfer-Encoding: chunked\r\n\r\n"
HAS_PROC = os.path.exists("/proc/self/status")


def impatient():
    """A server whose patience a test can wait for: a second for heads, two for bodies, three between requests."""
    return Server(config="[limits]\nheader_seconds = 1\nbody_seconds = 2\nidle_seconds = 3\nbody_bytes = 2097152\n")


def patient():
    """A server with the usual patience, and a limit of bodies that is soon reached."""
    return Server(config="[limits]\nbody_bytes = 2097152\n")


def sqs(action, body, more=b""):
    """An SQS call by JSON."""
    body = body if isinstance(body, bytes) else body.encode()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-amz-json-1.0\r\n" + more
    return head + b"X-Amz-Target: AmazonSQS.%s\r\nContent-Length: %d\r\n\r\n" % (action.encode(), len(body)) + body


class Raw:
    """One connection."""

    def __init__(self, server, timeout_s=30):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=timeout_s)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def fileno(self):
        return self.socket.fileno()

    def send(self, *pieces):
        """Sends the pieces, as far as the server takes them: what it says about them is read afterwards."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            pass
        return self

    def finish(self):
        """FIN: nothing more will be sent."""
        self.socket.shutdown(socket.SHUT_WR)
        return self

    def reset(self):
        """RST, as from a client that crashed."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def reply(self):
        """The next reply: (status, headers, body). (0, {}, b"") if the connection ends instead."""
        while b"\r\n\r\n" not in self.pending:
            if not self._more():
                return 0, {}, b""
        head, self.pending = self.pending.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        status = int(first.split(" ")[1])
        length = 0 if status < 200 else int(headers.get("content-length", 0))
        while len(self.pending) < length:
            if not self._more():
                raise AssertionError(f"the reply broke off after {len(self.pending)} of {length} bytes")
        body, self.pending = self.pending[:length], self.pending[length:]
        return status, headers, body

    def status(self):
        """The status of the next reply, of which hardly more is read; 0 if the connection ends instead."""
        while b"\r\n" not in self.pending:
            if not self._more(1 << 10):
                return 0
        return int(self.pending.split(b" ", 2)[1])

    def rest(self):
        """All that comes until the server closes, in order or by a reset."""
        while self._more():
            pass
        found, self.pending = self.pending, b""
        return found

    def statuses(self):
        """The status of every reply until the server closes."""
        found = []
        while status := self.reply()[0]:
            found.append(status)
        return found

    def _more(self, at_most=1 << 16):
        try:
            more = self.socket.recv(at_most)
        except ConnectionResetError:
            return False
        self.pending += more
        return bool(more)


def reset_all(connections):
    for connection in connections:
        connection.reset()


def readable(connections, wait_s=0.0):
    """Those of the connections that have something to read, or are closed."""
    poll = select.poll()
    by_descriptor = {connection.fileno(): connection for connection in connections}
    for descriptor in by_descriptor:
        poll.register(descriptor, select.POLLIN)
    return [by_descriptor[descriptor] for descriptor, _ in poll.poll(wait_s * 1000)]


def most_files():
    """Raises the limit of open files as far as it may be; a server that is started afterwards has it, too."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


class Cost:
    """What a storm costs a server: memory at its peak and memory that it keeps, in KiB, and CPU seconds."""

    def __init__(self, server):
        self.process = pathlib.Path(f"/proc/{server.process.pid}")
        # The system counts the peak from here.
        (self.process / "clear_refs").write_text("5")
        self.before_kib, self.cpu_before_s = self._status("VmRSS"), self._cpu_s()

    def peak_kib(self):
        return max(self._status("VmHWM") - self.before_kib, 0)

    def kept_kib(self):
        return max(self._status("VmRSS") - self.before_kib, 0)

    def cpu_s(self):
        return self._cpu_s() - self.cpu_before_s

    def _status(self, name):
        for line in (self.process / "status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {name}")

    def _cpu_s(self):
        fields = (self.process / "stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def since(begun):
    return time.monotonic() - begun
