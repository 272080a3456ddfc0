"""Who is at work on an app, within this process."""

import pytest

from opskit.dify.console import claimed
from opskit.errors import Conflict

HERE, THERE = "http://dify.example/console/api", "http://other.example/console/api"


def test_an_app_is_claimed_once() -> None:
    with claimed(HERE, "a", "b"):
        with pytest.raises(Conflict, match=r"\[console_claimed\].*: B\."), claimed(HERE, "c", "B"):
            pass
        with claimed(HERE, "c"), claimed(THERE, "a", "b"):
            pass


def test_a_claim_ends_with_the_work_however_that_ends() -> None:
    with pytest.raises(ValueError, match="as a test"), claimed(HERE, "a"):
        raise ValueError("as a test")
    with claimed(HERE, "a"):
        pass
