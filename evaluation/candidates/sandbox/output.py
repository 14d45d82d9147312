"""Standard output of a program: read at once, its end kept, its amount limited."""

import os

from evaluation.candidates.sandbox.wire import unpack_text

#: Last bytes that are kept for an error message.
KEPT_BYTES = 600


class ProgramOutput:
    """Standard output and standard error of a program.

    Parameters
    ----------
    pipe
        File descriptor of the pipe.
    limit_bytes
        Largest number of bytes that the program may write.
    """

    def __init__(self, pipe: int, limit_bytes: int) -> None:
        self.pipe = pipe
        self.limit_bytes = limit_bytes
        self.written = 0
        self.closed = False
        self._end = b""
        os.set_blocking(pipe, False)

    @property
    def exceeds_limit(self) -> bool:
        """Whether the program wrote more than its limit."""
        return self.written > self.limit_bytes

    @property
    def last(self) -> str:
        """The last output, on one line."""
        return unpack_text(self._end, KEPT_BYTES)

    def read(self) -> bool:
        """Read up to one buffer without waiting; return whether the pipe is closed."""
        try:
            chunk = os.read(self.pipe, 65_536)
        except BlockingIOError:
            return False
        self.closed = not chunk
        self.written += len(chunk)
        self._end = (self._end + chunk)[-KEPT_BYTES:]
        return self.closed

    def read_rest(self) -> None:
        """Read the rest of a program that has ended, up to the limit."""
        while not self.closed and not self.exceeds_limit:
            before = self.written
            self.read()
            if self.written == before:
                return
