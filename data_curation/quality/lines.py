"""The lines and paragraphs of one text, split once for all rules that ask about them."""

from __future__ import annotations

from datatrove.utils.text import TERMINAL_PUNCTUATION

# Each of datatrove's marks is one character, so that a look-up serves where it tries 150 endings one by one.
_TERMINAL = frozenset(TERMINAL_PUNCTUATION)


class Lines:
    """Lines of ``text`` in the senses that datatrove's filters have.

    ``ends`` counts line feeds; ``all`` are the parts between any line ends of Unicode (Gopher, C4), ``filled`` those
    between line feeds that are not empty, ``inked`` those that are not only white space (FineWeb).
    """

    __slots__ = ("_terminal", "all", "ends", "filled", "inked", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.ends = text.count("\n")
        self.all = text.splitlines()
        self.filled = list(filter(None, text.split("\n")))
        self.inked = [line for line in self.filled if not line.isspace()]
        self._terminal: float | None = None

    def terminal(self) -> float:
        """Return the share of ``inked`` that ends in a terminal punctuation mark of any script; 0 where none does."""
        if self._terminal is None:
            found = sum([line[-1] in _TERMINAL for line in self.inked])
            self._terminal = found / len(self.inked) if found else 0.0
        return self._terminal

    def repeated_paragraphs(self) -> tuple[float, int]:
        """Return the share of paragraphs (between empty lines) that repeat an earlier one, and their characters."""
        if "\n\n" not in self.text:
            return 0.0, 0
        parts = self.text.strip().split("\n\n")
        # A run of more than two line feeds leaves empty parts and one line feed before the next paragraph.
        paragraphs = list(filter(None, [part.lstrip("\n") for part in parts]))
        count, characters = repeated(paragraphs)
        return count / (len(paragraphs) or 1), characters

    def repeated_lines(self) -> tuple[float, int]:
        """Return the share of parts between runs of line feeds that repeat an earlier one, and their characters.

        As in datatrove's repetition filter, a line feed at the start or end of the text makes one more, empty part.
        """
        outer = self.text.startswith("\n") + self.text.endswith("\n")
        if not self.filled and outer:
            return 0.5, 0
        count, characters = repeated(self.filled)
        return (count + (outer == 2)) / (len(self.filled) + outer or 1), characters

    def repeated_characters(self) -> float:
        """Return the characters in repeated ``inked`` lines as a share of all characters but line feeds (FineWeb)."""
        return repeated(self.inked)[1] / (len(self.text) - self.ends or 1)


def repeated(parts: list[str]) -> tuple[int, int]:
    """Return how many of ``parts`` repeat an earlier one, and their characters; datatrove's ``find_duplicates``."""
    once = set(parts)
    if len(once) == len(parts):
        return 0, 0
    return len(parts) - len(once), sum(map(len, parts)) - sum(map(len, once))
