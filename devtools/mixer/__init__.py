"""Sales files with every defect that exports have, at random, and what they truly say.

A file is made of a seed: a table of true sales, then defects, each a function with a name. The truth comes from the
sales alone and never from a parser of ``opskit``, so that it can be held against what ``opskit.sales`` reads.
``python -m devtools.mixer --files N --seed S`` judges N files; README of the mixer: ``examiner``.
"""
