"""The stages chained: escalations in, assessments out."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from riskmodel.policy import Policy
from riskmodel.records import (
    PROXIMITIES,
    RATINGS,
    SEVERITIES,
    Assessment,
    Category,
    Escalation,
    Evidence,
    Explanation,
    Factor,
    ModelVersion,
    Precedent,
    Source,
)
from riskmodel.stages import decision, explanation
from riskmodel.stages.decision import Signs, Thresholds
from riskmodel.stages.encoding import Encoder, Encoding
from riskmodel.stages.form import FormHead
from riskmodel.stages.heads import HeadProbabilities, Heads
from riskmodel.stages.language import LanguageDetector
from riskmodel.stages.lexical import LexicalVector, LexicalVectorizer
from riskmodel.stages.precedents import Precedents, familiarity
from riskmodel.stages.rating import Blend, Rated, blend_chances, joint_chances, rate, table_chances

FloatArray = NDArray[np.float32]
PRECEDENTS_SHOWN = 3  # their mean similarity is how familiar a text is


def new_id() -> str:
    """Return a fresh identifier for an escalation that came without one."""
    return uuid.uuid4().hex


@dataclass(frozen=True, eq=False)
class Assessed:
    """An assessment, and the vector it was read from: (d,), unit length."""

    assessment: Assessment
    vector: FloatArray


@dataclass(frozen=True)
class RiskModel:
    """One version of the trained stages under one policy; several threads may use it at once."""

    name: str
    version: str
    policy: Policy
    languages: LanguageDetector
    lexical: LexicalVectorizer
    encoder: Encoder
    heads: Heads
    form: FormHead
    blend: Blend
    content_blend: Blend
    thresholds: Thresholds
    precedents: Precedents

    def assess(
        self,
        escalations: Sequence[Escalation],
        now: datetime,
        new_id: Callable[[], str] = new_id,
        *,
        crowded: bool = False,
    ) -> list[Assessment]:
        """Rate and explain each escalation, in order; the arguments are those of :meth:`assessed`."""
        return [one.assessment for one in self.assessed(escalations, now, new_id, crowded=crowded)]

    def assessed(
        self,
        escalations: Sequence[Escalation],
        now: datetime,
        new_id: Callable[[], str] = new_id,
        *,
        crowded: bool = False,
    ) -> list[Assessed]:
        """Rate and explain each escalation, in order, and give the vectors of that one pass too.

        Args:
            escalations: validated escalations.
            now: when those that carry no ``received_at`` arrived; deadlines count from there.
            new_id: names those that carry no ``id``.
            crowded: whether other threads assess at the same time; each then takes one core.
        """
        encodings = self.encoder.encode([escalation.text for escalation in escalations], crowded=crowded)
        return [
            Assessed(
                self._assess(escalation, encoding, escalation.received_at or now, escalation.id or new_id()),
                encoding.vector,
            )
            for escalation, encoding in zip(escalations, encodings, strict=True)
        ]

    def _assess(self, escalation: Escalation, encoding: Encoding, received_at: datetime, name: str) -> Assessment:
        language = self.languages.detect(escalation.text)
        lexical = self.lexical.transform(escalation.text)
        nearest = self.precedents.nearest(encoding.vector, PRECEDENTS_SHOWN)
        logits = self.heads.logits(encoding.vector, lexical.features, lexical.values)
        believed = self.heads.probabilities(logits)
        content = bool(self.form.is_content(encoding.vector[None])[0])
        rated, agreed = self.rate(escalation.source, believed, content=content)
        rank = RATINGS.index(rated.rating)
        confidence = float(rated.chances[rank])
        safety = float(decision.not_too_low(rated.chances[None], np.array([rank]))[0])
        names = self.policy.category_names
        decided = decision.decide_categories(believed.categories, names, rated.severity, self.thresholds.category)
        categories = [
            Category(
                name=names[at],
                probability=_rounded(believed.categories[at]),
                dsa=self.policy.categories[names[at]].dsa,
            )
            for at in decided
        ]
        signs = Signs(
            language=language,
            mixed=self.languages.is_mixed(escalation.text),
            words=lexical.known_words,
            rank=rank,
            confidence=confidence,
            safety=safety,
            critical=float(rated.chances[decision.CRITICAL]),
            agreed=agreed,
            familiarity=familiarity(nearest),
            for_person=self.policy.needs_person(categories[0].name, rated.rating),
            content=content,
        )
        team = self.policy.team_for(categories[0].name, rated.rating, escalation.market)
        support = self.support(escalation.text, encoding, lexical, self.answer(logits, rated, content=content))
        return Assessment(
            id=name,
            language=language,
            rating=rated.rating,
            act_by=self.policy.act_by(rated.rating, received_at, team),
            team=team,
            confidence=_rounded(confidence),
            probabilities={rating: _rounded(rated.chances[rank]) for rank, rating in enumerate(RATINGS)},
            plausible_ratings=decision.plausible_ratings(
                rated.chances, rank, self.thresholds.mass(language, content=content)
            ),
            severity=Factor(
                value=rated.severity, confidence=_rounded(believed.severity[SEVERITIES.index(rated.severity)])
            ),
            proximity=Factor(
                value=rated.proximity,
                confidence=_rounded(believed.proximity[PROXIMITIES.index(rated.proximity)]),
            ),
            categories=categories,
            category_probabilities={names[at]: _rounded(chance) for at, chance in enumerate(believed.categories)},
            explanation=self._explain(
                language, rated, categories, team, nearest, explanation.phrases(escalation.text, support)
            ),
            decision=decision.decide(signs, self.thresholds),
            model=ModelVersion(name=self.name, version=self.version, policy=self.policy.version),
        )

    def rate(self, source: Source | None, believed: HeadProbabilities, *, content: bool = False) -> tuple[Rated, bool]:
        """Return the rating, and whether table and direct rating favour the same."""
        blend = self._blend(content)
        # The floor is for demands by authorities and the press; where the source is not known, the text decides.
        may_lift = source is None or source in self.policy.floor.sources
        floor = np.array([believed.floor if may_lift else 0.0], dtype=np.float32)
        joint = joint_chances(believed.severity[None], believed.proximity[None], floor)
        table = table_chances(joint, self.policy.rating_ranks)
        chances = blend_chances(table, believed.rating[None], blend)[0]
        agreed = bool(table[0].argmax() == believed.rating.argmax())
        return rate(chances, joint[0], blend, self.policy), agreed

    def _blend(self, content: bool) -> Blend:
        return self.content_blend if content else self.blend

    def _explain(
        self,
        language: str,
        rated: Rated,
        categories: list[Category],
        team: str,
        nearest: list[Precedent],
        evidence: list[Evidence],
    ) -> Explanation:
        return Explanation(
            summary=explanation.summary(
                language,
                rated.rating,
                rated.severity,
                rated.proximity,
                rated.lifted,
                [category.name for category in categories],
                team,
                evidence,
                self.policy,
            ),
            rule=f"policy {self.policy.rating_version}: {rated.rule}",
            evidence=evidence,
            counterfactuals=explanation.counterfactuals(rated.severity, rated.proximity, rated.lifted, self.policy),
            precedents=nearest,
        )

    def answer(self, logits: FloatArray, rated: Rated, *, content: bool = False) -> FloatArray:
        """Return (k,) coefficients that turn logits into the support for a rating: its factors' and its own lead."""
        at, table = self.heads.columns, self._blend(content).table_weight
        coefficients = np.zeros_like(logits)
        for head, answer, share in (
            ("severity", SEVERITIES.index(rated.severity), table / 2),
            ("proximity", PROXIMITIES.index(rated.proximity), table / 2),
            ("rating", RATINGS.index(rated.rating), 1 - table),
        ):
            coefficients[at[head]] = share * explanation.margin(logits[at[head]], answer)
        return coefficients

    def support(
        self, text: str, encoding: Encoding, lexical: LexicalVector, coefficients: FloatArray
    ) -> explanation.Support:
        """Return what each word adds to ``coefficients`` · logits: exact, so that words and rest sum to it."""
        return explanation.support(
            text,
            tokens=encoding.hidden
            @ (self.heads.dense @ coefficients / np.float32(len(encoding.hidden) * encoding.norm)),
            token_spans=encoding.offsets,
            grams=lexical.values * (self.heads.lexical[lexical.features] @ coefficients),
            gram_spans=lexical.spans[lexical.words],
            constant=float(self.heads.bias @ coefficients),
        )


def _rounded(chance: np.floating | float) -> float:
    return round(float(chance), 4)
