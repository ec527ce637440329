"""A text in, the stretches out that look like numbers of somebody and are not: they are left alone."""

import re
from collections.abc import Iterator
from datetime import date

from riskmodel.redaction.spans import HARMLESS, Span

_CURRENCY = r"(?:(?:R|US|MX|CA|CLP|COP|AR|S/)?[$€£]|S/\.?|Bs\.?|₡|(?:USD|BRL|MXN|ARS|CLP|COP|PEN|UYU|CAD|EUR))"
_LAW = (
    r"(?:LO|LC|(?i:leis?|ley(?:es)?|laws?|acts?|decretos?(?:[- ]lei)?|decree|resoluci[oó]n|resolu[cç][aã]o|portaria"
    r"|s[uú]mula|emenda|enmienda|reglamento|regulamento|regulation|directiv[ae]|diretiva|art(?:\.|[ií]culos?|icles?|igos?)"
    r"|section|secci[oó]n|se[cç][aã]o|§+|c\.f\.r\.|cfr|u\.s\.c\.|usc|c[oó]digo|rfc))"
)
_SHAPES = re.compile(
    rf"(?P<price>{_CURRENCY}\s?\d[\d.,]*(?: \d{{3}}(?!\d))*)"
    r"|(?P<uuid>(?<!\w)[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?!\w))"
    rf"|(?P<law>(?<![\w\[]){_LAW}(?:[ \t]+(?:federal|complementar|org[aá]nica|n\.?[º°o]?|no\.|n[uú]m(?:ero|\.)))?"
    r"(?:[ \t]*\([A-Z]{2,3}\))?[ \t]*[º°]?[ \t]*\d[\d./-]{0,12}(?!\d))"
    r"|(?P<version>(?<![\w.-])(?:19|20)\d{2}\.\d{1,2}\.\d{1,2}\.\d{1,3}(?![\w-]|\.\d))"
    r"|(?P<decimal>(?<![\w.,+-])0[.,]\d{1,20}(?: ?- ?0[.,]\d{1,20})?(?![\w-]|[.,]\d))"
    r"|(?P<date>(?<![\w.-])(?:\d{4}-\d{2}-\d{2}|\d{1,2}(?P<between>[./-])\d{1,2}(?P=between)(?:\d{4}|\d{2}))"
    r"(?![\d-])(?!\.\d))"
    r"|(?P<time>(?<![\w:])\d{1,2}:\d{2}(?::\d{2})?(?![\d:]))"
    r"|(?P<amount>(?<![\w.,-])\d{1,3}(?:[.,]\d{3})+(?:[.,]\d{1,2})?(?![.,/-]?\d)"
    r"|(?<![\w.,-])[1-9]\d{0,2}(?: \d{3}){0,3} 000(?![.,/-]?\d| \d)|(?<![\w.,-])[1-9]\d*0{6}(?!\w))"
    r"|(?P<years>(?<![\w.-])(?:19|20)\d{2}(?:(?: ?[-/,] ?| )(?:19|20)\d{2}){1,11}(?![\w-]))"
    r"|(?P<day>(?<!\w)(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\w))"
)
# Ages, scores, odds and the like: small numbers in a row; and round numbers in a row.
_SMALL = re.compile(
    r"(?<![\w.,(+-])\d{1,2}(?:(?: ?[-,;/] ?| )\d{1,2}){3,20}(?![\w-])"
    r"|(?<![\w.,(+-])\d{1,4}00(?:(?: ?[-,;/] ?| )\d{1,4}00)+(?![\w-])"
)


def harmless(text: str) -> Iterator[Span]:
    """Find prices, amounts, fractions, dates, times, years, versions, and statutes."""
    for match in _SHAPES.finditer(text):
        if match["date"] is None or _is_date(match["date"]):
            yield Span(match.start(), match.end(), HARMLESS)


def small_numbers(text: str) -> Iterator[Span]:
    """Find small numbers in a row and round ones in a row; a phone number after a word for one may look like that."""
    for match in _SMALL.finditer(text):
        yield Span(match.start(), match.end(), HARMLESS)


def _is_date(text: str) -> bool:
    first, second, third = (int(part) for part in re.split(r"[./-]", text))
    day, month, year = (third, second, first) if first > 31 else (first, second, third)
    try:
        date(year + 2000 if year < 100 else year, *sorted((month, day)))
    except ValueError:
        return False
    return True
