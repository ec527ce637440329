"""Text in, its language out: py3langid names it among all; where it wavers among ours, langdetect has a say."""

import re
from importlib.resources import files

from langdetect.detector_factory import DetectorFactory
from langdetect.lang_detect_exception import LangDetectException
from py3langid.langid import MODEL_FILE, LanguageIdentifier

from riskmodel.records import LANGUAGES, UNDETERMINED, Language

# Close kin that py3langid takes short or creole reports for; the desk's Caribbean and Galician reports
# read as English and Portuguese.
KIN: dict[str, Language] = {"pcm": "en", "jam": "en", "gl": "pt", "ext": "es", "an": "es", "ast": "es"}
# How much chance all other languages together, and one of them, must have before a text counts as none of ours.
OTHER_LANGUAGES_CHANCE, OTHER_LANGUAGE_CHANCE = 0.8, 0.5
# How much the profiles count beside the identifier (decision 0004); they cannot turn a lead greater than that.
PROFILE_WEIGHT = 0.2
NOTHING_OF_OURS = 1e-4  # close kin of one another, such as Serbian and Croatian, share the rest among them
MAX_CHARACTERS = 2_000  # more text does not change the answer, only the time it takes
SURE = 0.99  # that half of a text is of one language
LEAST_WORDS_OF_A_HALF = 6
_NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|[@#]\w+|[\d_]+")
_WORD = re.compile(r"[^\W\d_]{2,}")


class LanguageDetector:
    """Tells the language of a text; the same text always gets the same answer."""

    def __init__(self) -> None:
        self._factory = DetectorFactory()
        self._factory.seed = 0  # langdetect draws at random otherwise: 10 of 70 texts changed language between calls
        profiles = files("langdetect") / "profiles"
        self._factory.load_json_profile([(profiles / code).read_text(encoding="utf-8") for code in LANGUAGES])
        self._identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def detect(self, text: str) -> str:
        """Return the ISO 639-1 code of a text of any length, ``und`` where there are no words."""
        words = _NOT_WORDS.sub(" ", text[:MAX_CHARACTERS])
        if _WORD.search(words) is None:
            return UNDETERMINED
        ranked = [(KIN.get(code, code), float(chance)) for code, chance in self._identifier.rank(words)]
        ours = dict.fromkeys(LANGUAGES, 0.0)
        for code, chance in ranked:
            if code in ours:
                ours[code] += chance
        total = sum(ours.values())
        other, chance = next((code, chance) for code, chance in ranked if code not in ours)
        if total < NOTHING_OF_OURS or (total <= 1 - OTHER_LANGUAGES_CHANCE and chance >= OTHER_LANGUAGE_CHANCE):
            return str(other)
        first, second = sorted(ours.values(), reverse=True)[:2]
        if first - second > PROFILE_WEIGHT * total:
            return max(LANGUAGES, key=ours.__getitem__)
        by_profile = self._profile_chances(words)
        votes = {code: PROFILE_WEIGHT * by_profile[code] + ours[code] / total for code in LANGUAGES}
        return max(LANGUAGES, key=votes.__getitem__)

    def is_mixed(self, text: str) -> bool:
        """Return whether the first and the second half of a text are surely of two different languages of ours."""
        words = _NOT_WORDS.sub(" ", text[:MAX_CHARACTERS]).split()
        if len(words) < 2 * LEAST_WORDS_OF_A_HALF:
            return False
        half = len(words) // 2
        found = [self._surely(" ".join(part)) for part in (words[:half], words[half:])]
        return None not in found and found[0] != found[1]

    def _surely(self, text: str) -> str | None:
        """Return the one of our languages that is almost certain."""
        code, chance = self._identifier.rank(text)[0]
        code = KIN.get(code, code)
        return code if code in LANGUAGES and float(chance) >= SURE else None

    def _profile_chances(self, words: str) -> dict[str, float]:
        detector = self._factory.create()
        detector.append(words)
        try:
            found = {item.lang: item.prob for item in detector.get_probabilities()}
        except LangDetectException:  # it found no letters it knows; the other detector decides
            found = {}
        return {name: float(found.get(name, 0.0)) for name in LANGUAGES}
