"""A text in, the numbers of cases, files and reports out that follow a word for one: "expediente 25-011873"."""

import re
from collections.abc import Iterator

from riskmodel.redaction.spans import Span

_CASE = re.compile(
    r"(?<![\w\[])(?:(?i:case|file|ref(?:erence|erencia|erência)?|report|occurrence|ticket|docket|incident|warrant"
    r"|caso|expediente|exp|causa|carpeta(?: de investigaci[oó]n)?|denuncia|folio|radicad[oa]|radicaci[oó]n|acta|oficio"
    r"|legajo|sumario|incidente|requerimiento|tutela|process?o|protocolo|inqu[eé]rito|boletim(?: de ocorr[eê]ncia)?"
    r"|ocorr[eê]ncia|autos|representa[cç][aã]o|of[ií]cio|chamado|recibo)|BO|B\.O\.|NUNC)(?!\w)"
    r"(?:\.|[ \t]*#)?[ \t]*(?:(?i:no\.?|n(?:ro)?\.?[º°o]?|n[uú]m(?:ero|\.)?|number|id)[ \t]*)?[:#]?[ \t]*"
    r"(?P<number>(?=(?:[^\W\d_]{0,6}[./-]?){0,2}\d)[\w]{1,20}(?:[./-]\w{1,20}){0,6}(?: \d{9}-\d{4}-\d{5})?)(?!\w)"
)
_LEAST_DIGITS = 5  # or four in parts: "24-77", not a year or a price
_YEAR = re.compile(r"(?:19|20)\d{2}")
_NO_CASE = re.compile(r"(?:\d{1,3}(?:[.,]\d{3})+|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2}|\d+h\d*)")


def cases(text: str) -> Iterator[Span]:
    """Find case numbers: at least five digits, or four in parts, after a word for a case; no amount, date or year."""
    for match in _CASE.finditer(text):
        number = match["number"]
        digits = sum(map(str.isdigit, number))
        if (digits >= _LEAST_DIGITS or (digits == 4 and not number.isalnum())) and not (
            _NO_CASE.fullmatch(number) or _YEAR.fullmatch(number)
        ):
            yield Span(match.start("number"), match.end("number"), "case")
