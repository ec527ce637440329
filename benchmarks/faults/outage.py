"""What a crowd saw and the moments between which the database was away in; figures out."""

from typing import Any

from benchmarks.faults.crowd import Crowd
from benchmarks.plan import latency_of


def outage(crowd: Crowd, begin: float, end: float) -> dict[str, Any]:
    """Return replies before, during and after, how fast the refusals were, and the time to the first answer after."""
    failing = [seconds for at, kind, seconds in crowd.events if begin <= at and kind.startswith("503")]
    others = {kind for _, kind, _ in crowd.events if kind != "200" and not kind.startswith("503")}
    return {
        "away_s": round(end - begin, 2),
        "before": crowd.kinds(end=begin),
        "meanwhile": crowd.kinds(begin, end),
        "afterwards": crowd.kinds(end),
        "refused_ms": latency_of(failing),
        "refusals_without_retry_after": crowd.without_retry_after,
        "other_than_200_and_503": sorted(others),
        "back_after_s": crowd.first_answer_after(end),
    }
