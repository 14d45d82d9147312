"""What a program writes: read as it comes, its ends kept, a flood noticed."""

import os

from evaluation.candidates.sandbox.wire import unpack_words

#: Bytes of the end that are kept for an error's text.
KEPT = 600


class Output:
    """Standard output and standard error of a program.

    Parameters
    ----------
    pipe
        Number of the pipe.
    most
        Bytes beyond which it is a flood.
    """

    def __init__(self, pipe: int, most: int) -> None:
        self.pipe = pipe
        self.most = most
        self.written = 0
        self.closed = False
        self._end = b""
        os.set_blocking(pipe, False)

    @property
    def flooded(self) -> bool:
        """Whether more was written than may be."""
        return self.written > self.most

    @property
    def last(self) -> str:
        """The last words, on one line."""
        return unpack_words(self._end, KEPT)

    def read(self) -> bool:
        """Take what is there, up to one buffer; return whether the pipe has been closed."""
        try:
            got = os.read(self.pipe, 65_536)
        except BlockingIOError:
            return False
        self.closed = not got
        self.written += len(got)
        self._end = (self._end + got)[-KEPT:]
        return self.closed

    def rest(self) -> None:
        """Take what is left of a program that has ended, no more than a flood."""
        while not self.closed and not self.flooded:
            before = self.written
            self.read()
            if self.written == before:
                return
