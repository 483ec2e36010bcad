"""The one family of errors that is shown to a user as a sentence and not as a traceback."""

from __future__ import annotations


class HerkomstError(Exception):
    """Something the user can act on: the message names the file and field, the consequence and the remedy.

    ``exit_code`` is what the command line ends with.
    """

    exit_code = 1
