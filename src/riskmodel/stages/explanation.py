"""What carried a rating in, words and reasons out: exact additive evidence, counterfactuals, a sentence.

With mean pooling and linear heads, support for an answer is a sum over tokens and n-grams (plus a constant):
``w·e = Σ_t (w·h_t) / (n‖mean‖)``. Nothing is estimated; it explains the read-out of contextual states,
which is not the same as a cause in the world.
"""

import re
import string
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskmodel.policy import NO_VIOLATION, Policy
from riskmodel.records import (
    LANGUAGES,
    PROXIMITIES,
    RATINGS,
    SEVERITIES,
    Counterfactual,
    Evidence,
    Proximity,
    Rating,
    Severity,
)

FloatArray = NDArray[np.float32]
Spans = NDArray[np.int32]

CHUNK = re.compile(r"\S+")
EDGES = ".,;:!?¡¿()[]{}\"'“”‘’«»…—–-*_~`|/\\"
MAX_PHRASES = 3
MAX_PHRASE_WORDS = 12
# What a word must carry, as a share of the strongest word's support, to lengthen a phrase rather than end it.
PHRASE_FLOOR = 0.2
LEAST_SHARE = 0.03  # of all support; a weaker phrase says nothing
FALLBACK_LANGUAGE = "en"


@dataclass(frozen=True)
class Support:
    """How much each whitespace-delimited word of a text supports one answer, in logits.

    ``spans``: (w, 2) offsets; ``words``: (w,) support; ``rest``: support of no word (bias, special tokens).
    ``words.sum() + rest`` is the answer's margin exactly.
    """

    spans: Spans
    words: FloatArray
    rest: float


def margin(logits: FloatArray, answer: int) -> FloatArray:
    """Return (k,) coefficients whose product with the logits is the answer's lead over the others, by their chances."""
    others = np.exp(logits - logits.max())
    others[answer] = 0
    coefficients = -others / max(float(others.sum()), 1e-12)
    coefficients[answer] = 1
    result: FloatArray = coefficients.astype(np.float32)
    return result


def support(
    text: str, tokens: FloatArray, token_spans: Spans, grams: FloatArray, gram_spans: Spans, constant: float
) -> Support:
    """Add up what tokens (n,) and n-gram occurrences (m,) contribute, word by word.

    ``token_spans`` (n, 2) and ``gram_spans`` (m, 2) are offsets in the text; what lies in no word goes to ``rest``.
    """
    spans = np.array([match.span() for match in CHUNK.finditer(text)], dtype=np.int32).reshape(-1, 2)
    values = np.concatenate([tokens, grams])
    ends = np.concatenate([token_spans, gram_spans])[:, 1]
    real = ends > 0
    words = np.zeros(len(spans), dtype=np.float64)
    if len(spans):
        # The word that a piece ends in; a piece that ends in white space belongs to the word before.
        owner = np.clip(np.searchsorted(spans[:, 0], ends, side="left") - 1, 0, len(spans) - 1)
        np.add.at(words, owner[real], values[real])
    rest = constant + float(values.sum() - words.sum())
    return Support(spans, words.astype(np.float32), rest)


def phrases(text: str, found: Support) -> list[Evidence]:
    """Return the strongest stretches of words, in order of the text; empty where no word supports the answer."""
    positive = np.clip(found.words, 0, None)
    total = float(positive.sum())
    if total <= 0:
        return []
    floor = PHRASE_FLOOR * float(positive.max())
    stretches = []
    for first, last in _segments(found.words - floor):
        weight = float(found.words[first : last + 1].sum()) / total
        stretches.append((weight, first, last))
    strongest = sorted(stretches, reverse=True)[:MAX_PHRASES]
    evidence = []
    for weight, first, last in sorted(strongest, key=lambda stretch: stretch[1]):
        start, end = _trim(text, int(found.spans[first, 0]), int(found.spans[last, 1]))
        if weight >= LEAST_SHARE:
            evidence.append(Evidence(start=start, end=end, text=text[start:end], weight=round(min(weight, 1.0), 4)))
    return evidence


def _segments(scores: FloatArray) -> list[tuple[int, int]]:
    """Return disjoint stretches of positive total, none longer than a phrase: best first, then left and right of it."""
    pending = [_best_segment(scores, 0, len(scores))]
    found: list[tuple[int, int]] = []
    while pending and len(found) < MAX_PHRASES:
        best = max(pending, key=lambda item: item[0])
        score, first, last, part = best
        if score <= 0:
            break
        found.append((first, last))
        pending.remove(best)
        sides = (part[0], first), (last + 1, part[1])
        pending += [_best_segment(scores, *side) for side in sides if side[0] < side[1]]
    return found


def _best_segment(scores: FloatArray, start: int, stop: int) -> tuple[float, int, int, tuple[int, int]]:
    """Return (score, first, last, (start, stop)) of the best stretch of at most ``MAX_PHRASE_WORDS`` words."""
    sums = np.concatenate([[0.0], np.cumsum(scores[start:stop], dtype=np.float64)])
    best = (-np.inf, start, start)
    for length in range(1, min(MAX_PHRASE_WORDS, stop - start) + 1):
        totals = sums[length:] - sums[:-length]
        at = int(np.argmax(totals))
        if totals[at] > best[0]:
            best = (float(totals[at]), start + at, start + at + length - 1)
    return best[0], best[1], best[2], (start, stop)


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    edges = EDGES + string.whitespace
    left, right = len(piece) - len(piece.lstrip(edges)), len(piece) - len(piece.rstrip(edges))
    return (start, end) if left + right >= len(piece) else (start + left, end - right)


def counterfactuals(severity: Severity, proximity: Proximity, lifted: bool, policy: Policy) -> list[Counterfactual]:
    """Return every other single answer that would change the rating, with the rating it would give."""
    ranks, s, p, floor = (
        policy.rating_ranks,
        SEVERITIES.index(severity),
        PROXIMITIES.index(proximity),
        int(lifted),
    )
    here = ranks[s, p, floor]
    other: list[tuple[str, int]] = [(PROXIMITIES[at], ranks[s, at, floor]) for at in range(len(PROXIMITIES))]
    other += [(SEVERITIES[at], ranks[at, p, floor]) for at in range(len(SEVERITIES))]
    if lifted:
        other.append(("no deadline", ranks[s, p, 0]))
    return [Counterfactual.model_validate({"if": name, "then": RATINGS[rank]}) for name, rank in other if rank != here]


def summary(
    language: str,
    rating: Rating,
    severity: Severity,
    proximity: Proximity,
    lifted: bool,
    categories: list[str],
    team: str,
    evidence: list[Evidence],
    policy: Policy,
) -> str:
    """Return one or two fixed sentences in the language of the report, in English where that is not ours."""
    words = _sentences()[language if language in LANGUAGES else FALLBACK_LANGUAGE]
    hours, working = policy.ratings[rating].act_within_hours, policy.working_hours(rating, team) is not None
    unit = ("working_hour" if working else "hour") + ("" if hours == 1 else "s")
    kind = "no_violation" if categories == [NO_VIOLATION] else "harm"
    parts = [
        words[kind].format(
            rating=words["ratings"][rating],
            severity=words["severities"][severity],
            proximity=words["proximities"][proximity],
            categories=", ".join(words["categories"][name] for name in categories),
            hours=words[unit].format(n=hours),
        )
    ]
    if lifted:
        parts.append(words["lifted"])
    if evidence and kind == "harm":
        strongest = max(evidence, key=lambda item: item.weight)
        parts.append(words["decisive"].replace("{phrase}", " ".join(strongest.text.split())))
    return " ".join(parts)


@cache
def _sentences() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("summaries.toml").read_text(encoding="utf-8"))
