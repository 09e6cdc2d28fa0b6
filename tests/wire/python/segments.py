"""The segment files of a server, looked at and changed from outside: where batches stand, and flips of their bits.

Knows only as much of the format as it takes to find a batch: a head of 64 bytes, then frames of a header of 64, a
payload whose length stands at byte 36, and zeros up to an end mark, all in multiples of 64.
"""

HEAD = HEADER = 64
SECTOR = 512
MAGIC = b"\xa6\xf7"
PAYLOAD_LENGTH_AT = 36


class Frame:
    """A batch in a file: from `start` to `end`; its payload ends at `payload_end`."""

    def __init__(self, path, start, payload_bytes):
        self.path, self.start = path, start
        self.payload_end = start + HEADER + payload_bytes
        self.end = -(-(self.payload_end + 1) // HEADER) * HEADER


def frames(data):
    """All frames below a data directory, in their order."""
    found = []
    for path in sorted(data.glob("partition-*/*.segment")):
        content, at = path.read_bytes(), HEAD
        while content[at : at + 2] == MAGIC:
            length = int.from_bytes(content[at + PAYLOAD_LENGTH_AT :][:4], "little")
            found.append(Frame(path, at, length))
            at = found[-1].end
    return found


def frame_with(data, body):
    """The one frame that holds `body`."""
    holding = [f for f in frames(data) if body.encode() in f.path.read_bytes()[f.start : f.end]]
    assert len(holding) == 1, f"{len(holding)} frames hold it"
    return holding[0]


def flip(path, offset):
    """Flips one bit of the byte at `offset`; twice, and it is as it was."""
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ (1 << offset % 8)]))


def blank(path, start, end):
    """Makes these bytes zero."""
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(end - start))
