"""Sales files with every defect that exports have, at random, and what they truly say.

A seed gives a *plan*: which defects, in which language, how many rows. A plan gives a *table* of true sales and a file.
Each defect is a function that changes the table: how a cell is written, which lines stand between the rows, how the
file is encoded, sometimes what was sold. What a row says, and why it must be rejected, is written down as the defect is
made; nothing of it comes from ``opskit``. ``examiner`` then holds what ``opskit.sales`` reads against it.

``make fuzz`` judges 10,000 files; ``make fuzz FILES=1 SEED=7`` one again, and
``python -m devtools.mixer --files 1 --seed 7 --shrink --save folder`` makes it as small as it can be, to look at.

Verdicts, from harmless to the worst:

- ``right``: every figure of every day, product and region, and every rejected row with a reason that is true. Also a
  file without sales that is refused with the code it deserves.
- ``refused``: a file that holds sales was refused with a code that its defects justify (``Table.refusals``): asking
  is better than guessing, but every one of these costs somebody a minute.
- ``untold``: the figures are right, and the reader misses a word of something (``Table.needs``), or a row is not
  counted.
- ``other_reason``: a row, or a file without sales, is rightly rejected, for a reason that is not its own.
- ``rejected``: good rows were rejected; they were counted, and so somebody can see it.
- ``needless``: a file was refused that can be read.
- ``warned``: figures are wrong, under a warning that says why they may be (``Table.excused``), such as days that
  contradict each other, or a total that disagrees.
- ``SILENT``: figures are wrong, and nobody is told. There must be none.
- ``CRASH``: anything but a refusal was raised. There must be none.

To add a defect, write a function ``(table, dice) -> bool`` in the module of its kind and put ``@defect(group, weight)``
above it: at most one of a group comes into a file, and a weight of 1 is the usual chance. It returns False where it
cannot be. It says what it did to the truth: ``row.reasons`` for a row that must be rejected, ``row.free`` too if it may
as well be read as ``row.sale`` says, ``row.sale`` where other things were sold. Modules are applied in the order in
which ``plan`` imports them, functions in the order in which they stand.
"""
