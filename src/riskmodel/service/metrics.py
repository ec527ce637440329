"""What the service does in, figures for Prometheus out; labels hold names of ours only, never what was sent.

The table of docs/metrics.md is held to this registry by a test.
"""

from collections.abc import Callable
from typing import Literal, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)

from riskmodel.casework.delivery import CHANNELS, OUTCOMES, Channel
from riskmodel.records import LANGUAGES, UNDETERMINED, Assessment
from riskmodel.service.errors import KINDS, UNEXPECTED

Reason = Literal[
    "queue_full", "deadline", "rate_limit", "unauthenticated", "forbidden", "not_ready", "casebook_unavailable"
]

NAMESPACE = "riskmodel"
OTHER = "other"
UNMATCHED = "unmatched"  # a request whose path no route has
UNANSWERED = "none"  # the client went away before a status was sent
SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_LANGUAGES = {*LANGUAGES, UNDETERMINED}
_SLUGS = {kind.slug for kind in KINDS.values()} | {UNEXPECTED.slug}
# Problems of requests that may be valid, but were not let in or not answered.
_REFUSALS: dict[str, Reason] = {
    "busy": "queue_full",
    "deadline": "deadline",
    "rate-limit": "rate_limit",
    "no-valid-key": "unauthenticated",
    "role": "forbidden",
    "not-ready": "not_ready",
    "casebook": "casebook_unavailable",
}


class Metrics:
    """The figures of one application, in a registry of its own; every method may be called from any thread.

    Children of labelled metrics are looked up once and kept: the library's own lookup costs more than the counting.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._requests = _counter(registry, "requests", "Requests answered.", "route", "method", "status")
        self._request_seconds = _histogram(
            registry, "request_duration_seconds", "From a request to its answer.", SECONDS, "route", "method"
        )
        self._assessments = _counter(
            registry, "assessments", "Escalations assessed.", "rating", "language", "decision", "version"
        )
        self._assessment_seconds = _histogram(
            registry, "assessment_duration_seconds", "The model's work on one escalation.", SECONDS
        )
        self._commit_rows = _histogram(registry, "commit_rows", "Escalations kept in one transaction.", SIZES)
        self._commit_seconds = _histogram(
            registry, "commit_duration_seconds", "One transaction of the casebook.", COMMIT_SECONDS
        )
        self._waiting = _gauge(registry, "escalations_waiting", "Escalations that wait for a lane.")
        self._in_flight = _gauge(registry, "escalations_in_flight", "Escalations accepted and not yet answered.")
        self._refusals = _counter(
            registry, "refusals", "Requests turned away, or not answered in time or in full.", "reason"
        )
        self._problems = _counter(registry, "problems", "Problem documents sent.", "slug")
        self._model = Info("model", "The model version that answers.", namespace=NAMESPACE, registry=registry)
        self._models_loaded = _counter(registry, "models_loaded", "Model versions that began to answer.")
        self._models_refused = _counter(registry, "models_refused", "Model versions that failed their checks.")
        self._worker_restarts = _counter(registry, "worker_restarts", "Lanes that died and were replaced.")
        self._attempts = _counter(registry, "message_attempts", "Tries to send a message.", "channel", "outcome")
        self._messages_waiting = _gauge(registry, "messages_waiting", "Messages that are not sent yet.")
        self._messages_dead = _gauge(registry, "messages_dead", "Messages that were given up; a person must look.")
        self._rounds = _counter(registry, "rounds", "Turns of what is done beside the service.", "round", "result")
        self._request_children: dict[tuple[str, str, int | None], tuple[Counter, Histogram]] = {}
        self._assessment_children: dict[tuple[str, str, str, str], Counter] = {}
        # What has not happened yet is a zero: a rate over a series that appears with its first event misses that event.
        self._refusal_children = {reason: self._refusals.labels(reason) for reason in get_args(Reason)}
        self._problem_children = {slug: self._problems.labels(slug) for slug in sorted(_SLUGS | {OTHER})}
        for channel in CHANNELS:
            for outcome in OUTCOMES:
                self._attempts.labels(channel, outcome)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)

    def request(self, route: str | None, method: str, status: int | None, seconds: float) -> None:
        """Count a request under its route's template; None where no route has its path, or no status was sent."""
        key = route or UNMATCHED, method if method in _METHODS else OTHER, status
        found = self._request_children.get(key)
        if found is None:
            path, verb, _ = key
            answered = self._requests.labels(path, verb, UNANSWERED if status is None else str(status))
            found = self._request_children[key] = answered, self._request_seconds.labels(path, verb)
        found[0].inc()
        found[1].observe(seconds)

    def assessed(self, assessment: Assessment, seconds: float) -> None:
        """Count an escalation that was assessed."""
        key = assessment.rating, assessment.language, assessment.decision.route, assessment.model.version
        child = self._assessment_children.get(key)
        if child is None:
            rating, language, route, version = key
            language = language if language in _LANGUAGES else OTHER
            child = self._assessment_children[key] = self._assessments.labels(rating, language, route, version)
        child.inc()
        self._assessment_seconds.observe(seconds)

    def committed(self, rows: int, seconds: float) -> None:
        """Count a transaction of the casebook."""
        self._commit_rows.observe(rows)
        self._commit_seconds.observe(seconds)

    def queue(self, waiting: Callable[[], int], in_flight: Callable[[], int]) -> None:
        """Have the depth of the queue read whenever the metrics are."""
        self._waiting.set_function(waiting)
        self._in_flight.set_function(in_flight)

    def errors(self, *slugs: str) -> None:
        """Count the problem documents of one request by the last part of their type; a refusal once for each reason."""
        for slug in slugs:
            self._problem_children[slug if slug in _SLUGS else OTHER].inc()
        for reason in {_REFUSALS[slug] for slug in slugs if slug in _REFUSALS}:
            self.refused(reason)

    def refused(self, reason: Reason) -> None:
        """Count a request that was turned away."""
        self._refusal_children[reason].inc()

    def model_loaded(self, version: str) -> None:
        """Say which version answers from now on."""
        self._models_loaded.inc()
        self._model.info({"version": version})

    def model_refused(self) -> None:
        """Count a version that failed its checks."""
        self._models_refused.inc()

    def worker_restarted(self) -> None:
        """Count a lane that died and was replaced."""
        self._worker_restarts.inc()

    def attempted(self, channel: Channel, outcome: str) -> None:
        """Count a try to send a message."""
        self._attempts.labels(channel, outcome).inc()

    def outbox(self, waiting: int, dead: int) -> None:
        """Say how many messages are not sent yet, and how many were given up."""
        self._messages_waiting.set(waiting)
        self._messages_dead.set(dead)

    def round_made(self, name: str, *, failed: bool) -> None:
        """Count a turn of what is done beside the service."""
        self._rounds.labels(name, "failed" if failed else "done").inc()


def _counter(registry: CollectorRegistry, name: str, meaning: str, *labels: str) -> Counter:
    return Counter(name, meaning, labels, namespace=NAMESPACE, registry=registry)


def _gauge(registry: CollectorRegistry, name: str, meaning: str) -> Gauge:
    return Gauge(name, meaning, namespace=NAMESPACE, registry=registry)


def _histogram(
    registry: CollectorRegistry, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
) -> Histogram:
    return Histogram(name, meaning, labels, namespace=NAMESPACE, registry=registry, buckets=buckets)
