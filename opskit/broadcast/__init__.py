"""One question to many Dify apps at once: latency of the slowest instead of the sum.

inquiry.py    what a broadcast takes and gives
plan.py       who is asked what, known before anybody is asked
gathering.py  asking, and waiting for as many answers as the mode wants
circuits.py   who is left alone for a while
verdict.py    the judge of best_of
report.py     the answers in words; progress.py what happens meanwhile
"""

from opskit.broadcast.ask import ask
from opskit.broadcast.circuits import Circuits
from opskit.broadcast.inquiry import Answer, Answers, Inquiry
from opskit.broadcast.progress import Progress

__all__ = ["Answer", "Answers", "Circuits", "Inquiry", "Progress", "ask"]
