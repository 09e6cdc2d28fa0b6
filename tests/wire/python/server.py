"""Servers of a story's own, to configure, kill, restart and stop."""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request


class Server:
    """One `afterward serve` on a free port. `with Server() as server:` starts it, and removes its data at the end."""

    def __init__(self, *args, config=None, environment=None):
        self.home = pathlib.Path(tempfile.mkdtemp(prefix="afterward-wire-"))
        self.data = self.home / "data"
        self.args = list(args)
        self.environment = environment or {}
        self.process = None
        self.url = None
        self.port, self.held = held_port()
        if config is not None:
            path = self.home / "afterward.toml"
            path.write_text(config)
            self.args += ["--config", str(path)]

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()
        self.held.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def command(self):
        listen = ["--listen", f"127.0.0.1:{self.port}"]
        return [binary(), "serve", *listen, "--data", str(self.data), "--log-level", "warn", *self.args]

    def start(self):
        """Starts it, at the same port as before, and waits until it says that it listens."""
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean(self.environment)
        )
        self.errors = []
        self.reader = threading.Thread(target=self._read_errors, daemon=True)
        self.reader.start()
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            self.process.wait(30)
            self.reader.join(30)
            raise AssertionError(f"the server said {line!r} and {''.join(self.errors)}")
        self.url = line.split()[2]
        self.port = int(self.url.rsplit(":", 1)[1])

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def kill(self):
        """kill -9."""
        if self.process and self.process.poll() is None:
            self.process.kill()
        self._reap()

    def terminate(self):
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self):
        if self.process is None:
            return None
        code = self.process.wait(60)
        self.reader.join(30)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def restart(self):
        self.kill()
        self.start()


def binary():
    return os.environ["AFTERWARD_BIN"]


def clean(more=None):
    """The environment without what would configure a server or a client."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "AFTERWARD_"))}
    kept["AWS_SHARED_CREDENTIALS_FILE"] = kept["AWS_CONFIG_FILE"] = os.devnull
    return kept | (more or {})


class Reply:
    """What an HTTP request was answered with."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()


def held_port():
    """A port that nobody else is given while the socket beside it is open, whether a server listens there or not."""
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", 0))
    port = held.getsockname()[1]
    # On Linux, one who listens may share a port with one who only has it, where both say so. Elsewhere not: there, it is a port
    # that was free a moment ago.
    if sys.platform != "linux":
        held.close()
    return port, held


def http(method, url, body=None, headers=None, timeout=60):
    """One plain HTTP request; an error status is an answer like any other."""
    data = body.encode() if isinstance(body, str) else body
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return Reply(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())
