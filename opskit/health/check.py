"""A whole check."""

import time
from collections.abc import Sequence

from opskit.dingtalk import Pace
from opskit.dingtalk.pace import SHARED
from opskit.errors import Refused
from opskit.health import report
from opskit.health.checkup import Check, Checks, Checkup
from opskit.health.finding import Finding
from opskit.health.look import Subject, looked
from opskit.health.plan import Plan, planned
from opskit.ports import Workspace

_MOST_TOLD = 10  # failures in an error


def check(checkup: Checkup, workspace: Workspace, *, pace: Pace = SHARED) -> Checks:
    """Look at everything at once, for ``timeout_s`` seconds at the most.

    InvalidInput, InvalidCredentials: something cannot be used, and nothing was sent. Refused ``checks_failed``: with
    ``fail_on`` any, something has failed; the text names it. All else is in the checks: a failure is a result.
    """
    ends = time.monotonic() + checkup.timeout_s
    plan = planned(checkup, workspace, pace)
    checks = [
        _check(subject, finding, took_s, plan)
        for subject, (finding, took_s) in zip(plan.subjects, looked(plan.subjects, ends), strict=True)
    ]
    if checkup.fail_on == "any":
        _fail_on(checks)
    return Checks(
        checks=checks,
        healthy=sum(one.ok for one in checks),
        failed=sum(one.state == "failed" for one in checks),
        report=report.told(checks, plan.locale),
    )


def _check(subject: Subject, finding: Finding, took_s: float, plan: Plan) -> Check:
    message, fix = finding.words(plan.locale, plan.secrets)
    return Check(
        name=subject.name,
        kind=subject.kind,
        ok=finding.state == "healthy",
        state=finding.state,
        latency_ms=round(took_s * 1000),
        code=finding.code,
        message=message,
        fix=fix,
    )


def _fail_on(checks: Sequence[Check]) -> None:
    failures = [one for one in checks if one.state == "failed"]
    if failures:
        error = Refused("checks_failed", failed=len(failures), count=len(checks))
        for one in failures[:_MOST_TOLD]:
            error.also("check_failed", name=one.name, code=one.code, problem=f"{one.message} {one.fix}".strip())
        raise error
