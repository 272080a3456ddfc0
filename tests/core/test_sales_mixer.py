"""Many files with defects at random: read right, or refused, or rejected row by row, never wrong in silence.

``make fuzz`` reads ten thousand. What the verdicts mean stands in ``devtools.mixer``.
"""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from devtools.mixer.examiner import judged
from devtools.mixer.plan import Plan, plan_of, table_of
from devtools.mixer.registry import DEFECTS

FILES, SEED = 120, 1


def plans() -> list[Plan]:
    return [plan_of(seed) for seed in range(SEED, SEED + FILES)]


def test_no_file_is_read_wrong_in_silence() -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:  # a fork of a process with threads may hang
        verdicts = list(pool.map(judged, plans(), chunksize=10))
    assert [str(verdict) for verdict in verdicts if verdict.kind in {"SILENT", "CRASH"}] == []
    kinds = [verdict.kind for verdict in verdicts]
    assert kinds.count("right") >= FILES * 0.9, [str(verdict) for verdict in verdicts if verdict.kind != "right"]
    # Row names without a heading, and decimal commas that nothing quotes: whole files of which nobody can be sure.
    assert kinds.count("refused") + kinds.count("needless") <= FILES * 0.06


def test_a_seed_always_makes_the_same_file() -> None:
    for plan in plans()[:40]:
        assert table_of(plan)[1] == table_of(plan)[1]


def test_every_defect_comes_to_pass() -> None:
    made = {name for seed in range(6000) for name in plan_of(seed).defects}
    assert DEFECTS.keys() - made <= {name for name in DEFECTS if name.startswith("hopeless")}
