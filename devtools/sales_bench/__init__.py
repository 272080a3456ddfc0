"""What the sales analysis costs beside the reference algorithm: the second half of ``make bench``.

data.py          seeded files, clean and messy, and what is in them
truth.py         a slow pass over a file with nothing but csv and Decimal, to know what is right
reference.py     the reference service's algorithm in pandas
ours.py          the same work by opskit
processes.py     a whole process, measured from its start to its end
environments.py  private environments: pandas with pyarrow, and what each dependency costs on disk
waiting.py       how long another call waits in the real plugin while a large file is read
table.py         what a stranger reads
"""
