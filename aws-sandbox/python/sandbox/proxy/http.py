"""Just enough HTTP/1.1 for requests and answers that fit in memory."""

from dataclasses import dataclass, field
from http import HTTPStatus

# They speak of one connection only and are not passed on.
_HOP = {"connection", "proxy-connection", "keep-alive", "transfer-encoding", "content-length",
        "expect"}


@dataclass
class Message:
    """A request or an answer: its first line, its headers and its whole body."""

    first: str
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def header(self, name):
        """The first header of a name, in any case, or None."""
        return next((value for key, value in self.headers if key.lower() == name), None)

    def replace(self, name, value):
        """Sets a header, in place of those of its name."""
        self.headers = [it for it in self.headers if it[0].lower() != name.lower()]
        self.headers.append((name, value))

    def head(self, *more):
        """The first line and the headers for one more hop."""
        passed = [it for it in self.headers if it[0].lower() not in _HOP]
        lines = [f"{key}: {value}" for key, value in (*passed, *more)]
        return "\r\n".join([self.first, *lines, "", ""]).encode("latin1")


def answer(status, content_type, body, headers=()):
    """An answer of ours."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    first = f"HTTP/1.1 {status} {phrase}"
    return Message(first, [("Content-Type", content_type), *headers], body)


async def read(reader, before_body=None):
    """Reads a message whole. `before_body` is called with its head.

    Raises `asyncio.IncompleteReadError` where the other side ends too early.
    """
    raw = (await reader.readuntil(b"\r\n\r\n"))[:-4].decode("latin1").split("\r\n")
    pairs = (line.split(":", 1) for line in raw[1:])
    message = Message(raw[0], [(key.strip(), value.strip()) for key, value in pairs])
    if before_body:
        before_body(message)
    message.body = await _body(message, reader)
    return message


async def _body(message, reader):
    if (message.header("transfer-encoding") or "").lower() == "chunked":
        body = b""
        while True:
            size = int((await reader.readline()).split(b";")[0], 16)
            body += (await reader.readexactly(size + 2))[:-2]
            if size == 0:
                return body
    length = message.header("content-length")
    if length is not None:
        return await reader.readexactly(int(length))
    # Only an answer may end with its connection.
    return await reader.read() if message.first.startswith("HTTP/") else b""
