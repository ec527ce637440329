"""Cases kept and handed off by rule, one after the other; each id is printed once its transaction is acknowledged.

``python -m benchmarks.deliveries.deciding URL DESK ANSWER PREFIX COUNT``
"""

import itertools
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from riskmodel.casebook import Rated, Sent, digest_of, open_casebook
from riskmodel.casework import Automatic, load_contacts
from riskmodel.policy import load_policy
from riskmodel.records import Assessment, Escalation

# Each leads to another team by the policy.
CATEGORIES = ("violence", "hate", "scams_fraud")


def main() -> None:
    """Keep cases until there are enough, or until killed."""
    url, desk, answer, prefix, count = sys.argv[1:]
    policy = load_policy()
    contacts = load_contacts(Path(desk), os.environ.get, frozenset(policy.teams))
    casebook = open_casebook(url, told=Automatic(policy, contacts).kept)
    template = json.loads(Path(answer).read_text(encoding="utf-8"))
    for at, category in zip(range(int(count)), itertools.cycle(CATEGORIES), strict=False):
        rated = made(template, f"{prefix}-{at}", category)
        casebook.keep([rated])
        sys.stdout.write(rated.assessment.id + "\n")
        sys.stdout.flush()


def made(template: dict[str, object], id_: str, category: str) -> Rated:
    """Return an escalation whose rating is accepted, as the model's answer to one text has it."""
    now = datetime.now(UTC)
    named = [{"name": category, "probability": 0.9, "dsa": None}]
    answer = template | {"id": id_, "categories": named, "decision": {"route": "auto", "reasons": []}}
    assessment = Assessment.model_validate_json(json.dumps(answer))
    escalation = Escalation(text=f"They said they will be at the gate at six. ({id_})", id=id_)
    sent = Sent("benchmark", escalation, None, digest_of(escalation), None, None)
    return Rated(sent, assessment, assessment.model_dump_json(by_alias=True), now, now)


if __name__ == "__main__":
    main()
