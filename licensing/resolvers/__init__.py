"""Where a licence is declared: each module reads one kind of place and returns what stands there, as written.

All of them are pure: text or bytes in, `licensing.rights.Declared` out, each with its exact place. None raises on any
input, and none concludes: what is neither an SPDX expression nor an address is prose, which a person reads. Where a
statement speaks of a part only, or cannot be parsed, it becomes prose as well, so that it is never taken for more.
"""
