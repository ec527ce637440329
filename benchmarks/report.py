"""Results of a version in, the tables of ``benchmarks/README.md`` out, between its marks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from benchmarks import results
from benchmarks.targets import FAULTS, Found, targets
from benchmarks.texts import ROOT

README = ROOT / "benchmarks" / "README.md"
BEGIN, END = "<!-- results -->", "<!-- end of results -->"
COMMANDS = ("encoder", "service", "peers", "overload", "soak", "growth", "growth-postgresql", "faults")


def write_readme(version: str) -> None:
    """Write the tables of a version, from the files that its commands left."""
    documents = {name: document for name in COMMANDS if (document := results.read(version, name)) is not None}
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = "\n".join(_lines(version, documents))
    README.write_text(f"{before}{BEGIN}\n\n{lines}\n{END}{after}", encoding="utf-8")


def _lines(version: str, documents: dict[str, dict[str, Any]]) -> Iterator[str]:
    found: Found = {name: document[name] for name, document in documents.items()}
    machines = {
        f"{machine['cores']} cores, {machine['processor']}, Python {machine['python']}"
        for machine in (document["machine"] for document in documents.values())
    }
    days = sorted(document["measured_at"][:10] for document in documents.values())
    yield f"Version {version}, {'; '.join(sorted(machines))}, {' to '.join(dict.fromkeys([*days[:1], *days[-1:]]))}."
    yield ""
    yield from _table(("asked of the service", "", "measured", "reached"), (one.row(found) for one in targets()))
    if "encoder" in found:
        yield from _encoder(found["encoder"])
    if "peers" in found:
        yield from _peers(found["peers"])
    if "overload" in found:
        yield from _overload(found["overload"])
    if "soak" in found:
        yield from _soak(found["soak"])
    for name in ("growth", "growth-postgresql"):
        if name in found:
            yield from _growth(found[name])
    if "faults" in found:
        yield from _faults(found["faults"])


def _encoder(found: dict[str, Any]) -> Iterator[str]:
    yield "**The encoder**, ONNX Runtime int8 beside sentence-transformers fp32."
    yield ""
    rows = [
        ("texts/s", "onnx_texts_per_second", "sentence_transformers_texts_per_second", "throughput_ratio"),
        ("one text, p50 in ms", "onnx_p50_ms", "sentence_transformers_p50_ms", "latency_ratio"),
        ("weighted kappa of the test split", "kappa_int8", "kappa_fp32", None),
    ]
    yield from _table(
        ("", "int8", "fp32", "ratio"),
        ((what, found[ours], found[theirs], ratio and found[ratio]) for what, ours, theirs, ratio in rows),
    )


def _peers(found: dict[str, Any]) -> Iterator[str]:
    rounds = f"{len(found['rounds'])} rounds of {found['seconds']:g} s"
    yield f"**Beside others**: medians of {rounds}; latency in ms; memory of all processes in MB."
    yield ""
    head = ("system", "clients", "requests/s", "p50", "p95", "p99", "errors", "MB")
    keys = ("system", "clients", "rate", "p50", "p95", "p99", "errors", "resident_mb")
    yield from _table(head, ([one[key] for key in keys] for one in found["medians"]))
    yield from (f"- {name}: {configuration}" for name, configuration in found["systems"].items())
    costs = [one["generator_ms"] for one in found["medians"] if one["generator_ms"] is not None]
    cost = f"{min(costs):.2f} to {max(costs):.2f} ms"
    yield f"- the load generator: {cost} of processor time a request, on the same cores"
    yield ""


def _overload(found: dict[str, Any]) -> Iterator[str]:
    yield f"**Beyond capacity** ({found['capacity_requests_per_second']:g} requests/s)."
    yield ""
    head = ("", "requests", "refused", "without Retry-After", "refused in p50 / p99 / max ms", "let in, not answered")
    yield from _table(
        head,
        (
            (
                name,
                crowd["requests"],
                f"{crowd['refused_share']:.0%}",
                crowd["refusals_without_retry_after"],
                " / ".join(str(crowd["refused_ms"][key]) for key in ("p50", "p99", "max")),
                crowd["let_in_and_not_answered"],
            )
            for name, crowd in found["crowds"].items()
        ),
    )


def _soak(found: dict[str, Any]) -> Iterator[str]:
    if "resident_mb_first" in found:
        yield (
            f"**Over {found['requests']:,} requests** ({found['clients']} clients, texts cut to "
            f"{found['most_characters']} characters): {found['resident_mb_at_start']:g} MB at the start, "
            f"{found['resident_mb_first']:g} once settled, {found['resident_mb_last']:g} at the end; "
            f"{found['mb_per_10000_requests']:g} MB per 10,000 requests; "
            f"answers: {found['outcomes']}."
        )
        yield ""


def _growth(found: dict[str, Any]) -> Iterator[str]:
    sizes = list(next(iter(found["p50_ms"].values())))
    each = f"{found['bytes_an_escalation']:,} bytes an escalation"
    yield f"**As the casebook grows** ({found['database']}, {each}): p50 in ms."
    yield ""
    rows = (
        [work, *by_size.values(), found["ratio_to_smallest"][work][sizes[-1]]]
        for work, by_size in found["p50_ms"].items()
    )
    yield from _table(["", *(f"{int(size):,} stored" for size in sizes), "ratio"], rows)


def _faults(found: dict[str, Any]) -> Iterator[str]:
    yield "**Under faults**: clients send each escalation, with an id, until it is answered, and ask for some again."
    yield ""
    rows = []
    for fault, title in FAULTS.items():
        if fault in found:
            kept = found[fault]["at_the_end" if fault == "kill" else "casebook"]
            rows.append(
                (
                    title,
                    kept["answered"],
                    kept["lost"],
                    kept["duplicates"],
                    kept["kept_otherwise_than_answered"] + kept["answered_twice_differently"],
                    _back(fault, found[fault]),
                )
            )
    yield from _table(("", "answered", "lost", "kept twice", "answers that differ", "first answer after"), rows)


def _back(fault: str, found: dict[str, Any]) -> str:
    if fault == "kill":
        return f"{found['kill_to_next_answer_s_most']} s at most, with the restart"
    if fault == "locked":
        return f"{found['back_after_s']} s"
    if fault == "postgresql":
        return f"{max(one['back_after_s'] for one in found['stops'])} s at most"
    return ""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + " --- |" * len(head)
    for row in rows:
        yield "| " + " | ".join("" if cell is None else str(cell) for cell in row) + " |"
    yield ""
