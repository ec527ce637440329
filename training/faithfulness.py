"""A version and labelled texts in, how far its evidence can be trusted out.

Three questions, each beside baselines. *Deletion* (comprehensiveness): how much chance does the rating lose when the
words that carry most are taken out? *Sufficiency*: how much does it lose when only they are left? Both after DeYoung
et al. 2020 (ERASER), as the mean over several shares of the words. *Agreement*: do the words overlap with those that
the raters marked?
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from riskmodel.model import RiskModel
from riskmodel.records import RATINGS
from riskmodel.stages.explanation import CHUNK, Support, phrases
from riskmodel.stages.rating import Blend, blend_chances, table_chances
from training.calibrate import believe
from training.metrics import Interval
from training.progress import Report, silent

FloatArray = NDArray[np.float32]
SHARES = (0.1, 0.2, 0.3, 0.5)  # of the words, the strongest first
RESAMPLES = 1_000
SEED = 2026
OURS, OCCLUSION, TFIDF, RANDOM, SHOWN = "ours", "occlusion", "TF-IDF weights", "random", "ours, phrases as shown"
BATCH = 64


@dataclass(frozen=True)
class Faithfulness:
    """Figures of each method on n texts, and how far ours is ahead of random and of the others, with intervals."""

    n: int
    deletion: dict[str, Interval]
    sufficiency: dict[str, Interval]
    agreement: dict[str, Interval]
    ahead: dict[str, Interval]


def words_of(text: str) -> NDArray[np.int32]:
    """Return (w, 2) spans of the words that evidence is made of."""
    return np.array([match.span() for match in CHUNK.finditer(text)], dtype=np.int32).reshape(-1, 2)


def measure(model: RiskModel, train: pd.DataFrame, frame: pd.DataFrame, report: Report = silent) -> Faithfulness:
    """Compare a version's evidence with occlusion, plain TF-IDF weights and chance.

    Args:
        model: the version.
        train: what the TF-IDF baseline is fitted on.
        frame: labelled texts with ``evidence`` that the version was not trained on.
        report: called as the work goes on.
    """
    draw = np.random.default_rng(SEED)
    tfidf = _tfidf(train)
    chances: dict[str, dict[str, list[float]]] = {"deletion": {}, "sufficiency": {}}
    overlap: dict[str, list[float]] = {}
    texts = frame["text"].tolist()
    marked_share = _marked_share(train)
    for at, (text, pieces) in enumerate(zip(texts, frame["evidence"], strict=True)):
        spans = words_of(text)
        rank, whole, found, blend = _read(model, text)
        chance = _chance_of(model, rank, blend)
        strengths = {
            OURS: found.words,
            OCCLUSION: whole - chance([_without(text, spans, [word]) for word in range(len(spans))]),
            TFIDF: tfidf(text, spans, rank),
            RANDOM: draw.random(len(spans)),
        }
        marked = _marked(text, spans, pieces)
        for name, strength in strengths.items():
            order = np.argsort(-np.asarray(strength), kind="stable")
            counts = [max(1, round(share * len(spans))) for share in SHARES]
            left = chance([_without(text, spans, order[:count]) for count in counts])
            alone = chance([_only(text, spans, order[:count]) for count in counts])
            chances["deletion"].setdefault(name, []).append(float(whole - left.mean()))
            chances["sufficiency"].setdefault(name, []).append(float(whole - alone.mean()))
            top = order[: max(1, round(marked_share * len(spans)))]
            overlap.setdefault(name, []).append(_f1(set(top.tolist()), marked))
        shown = _marked(text, spans, [piece.text for piece in phrases(text, found)])
        overlap.setdefault(SHOWN, []).append(_f1(shown, marked))
        report(at + 1, len(texts), "")
    ahead = {
        f"{question}, ours against {other}": _interval(sign * (np.array(scores[OURS]) - np.array(scores[other])))
        for question, scores, sign in (
            ("deletion", chances["deletion"], 1),
            ("sufficiency", chances["sufficiency"], -1),
            ("agreement", overlap, 1),
        )
        for other in (RANDOM, TFIDF, OCCLUSION)
    }
    return Faithfulness(
        len(texts),
        {name: _interval(np.array(scores)) for name, scores in chances["deletion"].items()},
        {name: _interval(np.array(scores)) for name, scores in chances["sufficiency"].items()},
        {name: _interval(np.array(scores)) for name, scores in overlap.items()},
        ahead,
    )


def markdown(found: Faithfulness, version: str) -> str:
    """Return the figures as a Markdown table."""
    lines = [
        f"Version {version}, {found.n} texts of the test split; 95% bootstrap intervals.",
        "",
        "| words ranked by | deletion: chance lost (more is better) | sufficiency: chance lost (less is better) | "
        "agreement with the raters: F1 of words |",
        "| --- | --- | --- | --- |",
    ]
    for name in (OURS, OCCLUSION, TFIDF, RANDOM, SHOWN):
        cells = [part.get(name) for part in (found.deletion, found.sufficiency, found.agreement)]
        lines.append(f"| {name} | {' | '.join(str(cell) if cell else '' for cell in cells)} |")
    lines += ["", "| ours ahead of the others (above 0: better) | |", "| --- | --- |"]
    lines += [f"| {name} | {value} |" for name, value in found.ahead.items()]
    return "\n".join(lines) + "\n"


def _read(model: RiskModel, text: str) -> tuple[int, float, Support, Blend]:
    """Return the rank of the rating, its chance, what each word adds to it, and how the chance was blended."""
    encoding = model.encoder.encode([text])[0]
    lexical = model.lexical.transform(text)
    logits = model.heads.logits(encoding.vector, lexical.features, lexical.values)
    content = bool(model.form.is_content(encoding.vector[None])[0])
    rated = model.rate(None, model.heads.probabilities(logits), content=content)[0]
    rank = RATINGS.index(rated.rating)
    found = model.support(text, encoding, lexical, model.answer(logits, rated, content=content))
    return rank, float(rated.chances[rank]), found, model.content_blend if content else model.blend


def _chance_of(model: RiskModel, rank: int, blend: Blend) -> Callable[[Sequence[str]], FloatArray]:
    """Return a function from n texts to the (n,) chances of one rating, blended as the whole text's were."""

    def chance(texts: Sequence[str]) -> FloatArray:
        lexical = [model.lexical.transform(text) for text in texts]
        logits = np.stack(
            [
                model.heads.logits(encoding.vector, grams.features, grams.values)
                for encoding, grams in zip(model.encoder.encode(texts), lexical, strict=True)
            ]
        )
        believed = believe(logits, np.ones(len(texts), dtype=bool))
        table = table_chances(believed.joint, model.policy.rating_ranks)
        found: FloatArray = blend_chances(table, believed.direct, blend)[:, rank]
        return found

    return chance


def _tfidf(train: pd.DataFrame) -> Callable[[str, NDArray[np.int32], int], FloatArray]:
    """Return how plain TF-IDF with logistic regression would weigh each word of a text for a rating."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2, strip_accents="unicode")
    ranks = [RATINGS.index(rating) for rating in train["rating"]]
    classifier = LogisticRegression(C=10, max_iter=1_000).fit(vectorizer.fit_transform(train["text"]), ranks)
    analyse, vocabulary, idf = vectorizer.build_analyzer(), vectorizer.vocabulary_, vectorizer.idf_

    def weigh(text: str, spans: NDArray[np.int32], rank: int) -> FloatArray:
        found = []
        for start, end in spans:
            known = [vocabulary[token] for token in analyse(text[start:end]) if token in vocabulary]
            found.append(float(sum(idf[at] * classifier.coef_[rank, at] for at in known)))
        return np.array(found, dtype=np.float32)

    return weigh


def _without(text: str, spans: NDArray[np.int32], words: Sequence[int] | NDArray[np.int64]) -> str:
    gone = {int(word) for word in words}
    return " ".join(text[start:end] for at, (start, end) in enumerate(spans) if at not in gone)


def _only(text: str, spans: NDArray[np.int32], words: NDArray[np.int64]) -> str:
    return " ".join(text[spans[word, 0] : spans[word, 1]] for word in sorted(words))


def _marked(text: str, spans: NDArray[np.int32], pieces: Sequence[str]) -> set[int]:
    """Return which words lie in a piece that the raters marked."""
    found: set[int] = set()
    for piece in pieces:
        start = text.find(piece)
        found |= {at for at, (first, last) in enumerate(spans) if first < start + len(piece) and last > start}
    return found


def _marked_share(train: pd.DataFrame) -> float:
    """Return the mean share of words that the raters mark."""
    shares = [
        len(_marked(text, words_of(text), pieces)) / len(words_of(text))
        for text, pieces in zip(train["text"], train["evidence"], strict=True)
        if len(words_of(text))
    ]
    return float(np.mean(shares))


def _f1(given: set[int], truth: set[int]) -> float:
    if not truth or not given:
        return float(not truth and not given)
    return 2 * len(given & truth) / (len(given) + len(truth))


def _interval(values: NDArray[np.float64]) -> Interval:
    draw = np.random.default_rng(SEED)
    samples = [values[draw.integers(0, len(values), len(values))].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(samples, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))
