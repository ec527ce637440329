"""A labelled escalation as people write it down, and files of such."""

import json
from pathlib import Path
from typing import Any

SECRET = "marmalade"  # stands in the text of every record here, so no message may hold it
RECORD: dict[str, Any] = {
    "id": "en-3-001",
    "group": "en-3-001",
    "text": f"A shop called {SECRET} takes payment and sends nothing, twelve people wrote to us since Monday.",
    "language": "en",
    "source": "user_report",
    "market": "US",
    "severity": "serious",
    "proximity": "plausible",
    "rating": "medium",
    "categories": ["scams_fraud"],
    "evidence": ["takes payment and sends nothing"],
}
ABSENT = object()


def changed(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**RECORD, **changes}.items() if value is not ABSENT}


def write(path: Path, *records: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path
