import threading
from bisect import bisect_right

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opskit.dingtalk.pace import PER_WINDOW, SILENCED_S, WINDOW_S, Pace
from opskit.errors import RateLimited

MINUTE_S = 60.0


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


def paced(max_robots: int = 100) -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(clock=clock, sleep=clock.sleep, max_robots=max_robots), clock


def send(pace: Pace, clock: Clock, robot: str, count: int, *, within_s: float = 0, took_s: float = 0) -> list[float]:
    """Send ``count`` messages and return when each began."""
    began = []
    with pace.reserve(robot, count, until=clock() + within_s) as turns:
        for _ in range(count):
            turns.take()
            began.append(clock())
            clock.now += took_s
            turns.answered()
    return began


def test_twenty_go_at_once_and_the_twenty_first_waits_a_minute() -> None:
    pace, clock = paced()
    assert send(pace, clock, "r", 20) == [1000.0] * 20
    assert send(pace, clock, "r", 1, within_s=61) == [1060.5]


def test_what_does_not_fit_the_deadline_is_refused_with_the_seconds_and_takes_nothing() -> None:
    pace, clock = paced()
    send(pace, clock, "r", 15)
    with pytest.raises(RateLimited) as refused:
        pace.reserve("r", 6, until=clock() + 59)
    assert refused.value.seconds == 61
    assert send(pace, clock, "r", 5) == [1000.0] * 5


def test_robots_do_not_wait_for_each_other() -> None:
    pace, clock = paced()
    send(pace, clock, "r", 20)
    assert send(pace, clock, "other", 20) == [1000.0] * 20


def test_turns_that_are_not_taken_are_given_back() -> None:
    pace, clock = paced()
    with pace.reserve("r", 20, until=clock()), pytest.raises(RateLimited):
        pace.reserve("r", 1, until=clock())
    assert send(pace, clock, "r", 20) == [1000.0] * 20


def test_a_slow_answer_counts_from_its_end() -> None:
    pace, clock = paced()
    send(pace, clock, "r", 20, within_s=600, took_s=3)
    # The first was answered at 1003: only then may its place be used again, a minute later.
    assert send(pace, clock, "r", 1, within_s=61) == [1063.5]


def test_calls_under_way_hold_their_place() -> None:
    pace, clock = paced()
    with pace.reserve("r", 20, until=clock()) as turns:
        for _ in range(20):
            turns.take()
        waiting = pace.reserve("r", 1, until=clock() + 120)
        clock.now += 100
        assert waiting.wait_s() == pytest.approx(0.05)
        for _ in range(20):
            turns.answered()
    with waiting:
        assert waiting.wait_s() == pytest.approx(WINDOW_S)
        with pytest.raises(RateLimited):
            waiting.take()


def test_after_a_limit_answer_nobody_calls_for_ten_minutes() -> None:
    pace, clock = paced()
    with pace.reserve("r", 2, until=clock() + 60) as turns:
        turns.take()
        turns.answered()
        assert turns.silence() == SILENCED_S
        with pytest.raises(RateLimited) as refused:
            turns.take()
    assert refused.value.seconds == SILENCED_S
    clock.now += 100
    with pytest.raises(RateLimited) as refused:
        pace.reserve("r", 1, until=clock() + 60)
    assert refused.value.seconds == 500
    clock.now += 500
    assert send(pace, clock, "r", 1) == [1600.0]


def test_idle_robots_are_forgotten_and_their_number_is_bounded() -> None:
    pace, clock = paced(max_robots=3)
    for robot in "abcdef":
        send(pace, clock, robot, 1)
    assert len(pace) <= 4
    clock.now += WINDOW_S
    send(pace, clock, "z", 1)
    assert len(pace) == 1


def test_a_robot_with_a_call_in_it_is_never_forgotten() -> None:
    pace, clock = paced(max_robots=1)
    with pace.reserve("busy", 1, until=clock()) as turns:
        turns.take()
        for robot in "abc":
            send(pace, clock, robot, 1)
        turns.answered()
    assert send(pace, clock, "busy", 19) == [1000.0] * 19


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 25), st.floats(0, 30), st.floats(0, 9)), min_size=1, max_size=30))
def test_no_minute_ever_holds_more_than_twenty(messages: list[tuple[int, float, float]]) -> None:
    pace, clock = paced()
    arrivals: list[float] = []
    for count, pause_s, took_s in messages:
        clock.now += pause_s
        arrivals += send(pace, clock, "r", count, within_s=10_000, took_s=took_s)
    for arrival in arrivals:
        within = bisect_right(arrivals, arrival) - bisect_right(arrivals, arrival - MINUTE_S)
        assert within <= PER_WINDOW


def test_concurrent_threads_share_the_window() -> None:
    pace = Pace()
    taken, refused = [], []

    def one() -> None:
        try:
            with pace.reserve("r", 1, until=pace.clock() + 5) as turns:
                turns.take()
                turns.answered()
                taken.append(1)
        except RateLimited:
            refused.append(1)

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), len(refused)) == (20, 30)
