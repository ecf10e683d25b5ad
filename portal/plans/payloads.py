"""Plans as the API gives them."""

from collections.abc import Callable, Iterable
from typing import Any

from portal.plans.rules import Life, Plan, Step
from portal.releases.models import Issue, Release

Translate = Callable[[str], str]


def plan_payload(plan: Plan, translate: Translate) -> dict[str, Any]:
    """`steps` are in order; `obstacle` says why there is no way for this customer now. Days are ISO 8601."""
    stands = plan.standing
    obstacle = plan.obstacle
    return {
        "verdict": plan.verdict.value,
        "target": _version(plan.target),
        "why": plan.why_in(translate),
        "steps": [_step(step, translate) for step in plan.steps],
        "downtime_minutes": plan.downtime_minutes,
        "obstacle": {
            "reason": obstacle.reason,
            "release": _version(obstacle.release),
            "code": obstacle.decision.code.value if obstacle.decision else None,
            "detail": obstacle.sentence_in(translate),
        }
        if obstacle
        else None,
        "meanwhile": _version(plan.meanwhile),
        "free_security_fixes": [release.version for release in plan.free_fixes],
        "issues": _issues(stands.issues),
        "recommended": _version(stands.recommended),
        "is_behind": stands.is_behind,
        "support": _life(stands.life),
    }


def _step(step: Step, translate: Translate) -> dict[str, Any]:
    release = step.release
    return {
        "release": str(release.id),
        "version": release.version,
        "is_required": release.is_required,
        "is_free_security_fix": release.is_free_security_fix,
        "downtime_minutes": release.downtime_minutes,
        "may_take": step.may_take,
        "code": step.decision.code,
        "detail": step.decision.sentence_in(translate),
        "solved": _issues(step.solved),
        "issues": _issues(step.issues),
    }


def _issues(issues: Iterable[Issue]) -> list[dict[str, Any]]:
    return [
        {"id": issue.public_id, "severity": issue.severity.value, "cves": [row.cve_id for row in issue.cves]}
        for issue in issues
    ]


def _life(life: Life | None) -> dict[str, Any] | None:
    if life is None:
        return None
    ends = (life.train.end_of_support, life.train.end_of_security_support)
    support, security = (end.isoformat() if end else None for end in ends)
    return {"train": life.train.name, "end_of_support": support, "days_left": life.support_days,
            "end_of_security_support": security, "security_days_left": life.security_days}  # fmt: skip


def _version(release: Release | None) -> str | None:
    return release.version if release else None
