"""What JSON repair is worth beside its peers: right and wrong, on a collection and on made-up faults; time; memory.

The collection is not part of this repository. It holds one case a line: ``raw``, perhaps a ``schema``, and what is
accepted (``expected``, ``alternatives``, ``expect_fail``, ``alternative_fail``); ``tier`` says how sure that is.
"""
