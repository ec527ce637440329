"""A text in, its addresses on a network out: e-mail addresses, links, handles, IP addresses; also those written out.

A domain without a path is a link only under a few endings, which are no words.
"""

import ipaddress
import re
from collections.abc import Iterator

from riskmodel.redaction.spans import Span

_ENDING = r"com|net|org|info|xyz|io|app|ly|gg|site|online|shop|biz|tv|gov|gob|edu|example"
_AT = r"(?:[ \t]?[(\[{] ?(?:at|arroba|em|en) ?[)\]}][ \t]?|[ \t](?:arroba|at)[ \t])"
_DOT = r"(?:[ \t]?[(\[{] ?(?:dot|punto|ponto|\.) ?[)\]}][ \t]?|[ \t](?:dot|punto|ponto)[ \t])"
_TOLD = rf"(?:{_ENDING}|[a-z]{{2}})"  # the ending of an address that is told in words
_END = r"[^\s<>\"“”«»\x00]*[^\s<>\"“”«»\x00.,;:!?)\]]"

_SHAPES = re.compile(
    r"(?P<email>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    rf"|(?<![\w.+-])[\w.+-]{{1,64}} @ ?[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,3}}\.(?:{_ENDING})(?:\.[a-z]{{2}})?(?!\w)"
    rf"|(?<![\w.+-])(?:[\w+-]{{1,32}}{_DOT}){{0,2}}[\w.+-]{{1,64}}(?i:{_AT}[\w-]{{1,63}}(?:{_DOT}[\w-]{{1,63}}){{0,3}}{_DOT}{_TOLD}(?!\w)"
    rf"|[ \t]?[(\[{{] ?(?:at|arroba) ?[)\]}}][ \t]?[\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{1,3}}"
    rf"|[ \t]arroba[ \t][\w-]{{1,63}}(?:\.[\w-]{{1,63}}){{0,3}}\.{_TOLD}(?!\w)))"
    rf"|(?P<link>(?<!\w)(?:h(?:tt|xx)ps?://|www\.){_END}"
    rf"|(?<![\w.@-])(?:[\w-]+(?:\.|\[\.\]))+[A-Za-z]{{2,}}/{_END}"
    rf"|(?<![\w.@-])(?:[\w-]+(?:\.|\[\.\]))+(?:{_ENDING})(?:\.[a-z]{{2}})?(?!\w))"
    r"|(?P<handle>(?<![\w.@])@\w(?:[\w.]*\w)?|(?<![\w/])/?u/[\w-]{3,30}(?!\w)|(?<![\w.@])\w[\w.]{1,31}#\d{4}(?!\w))"
    r"|(?P<ip>(?<![\w.])\d{1,3}(?:(?:\.|\[\.\])\d{1,3}){3}(?!\.?\w)"
    r"|(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:]))"
)
_KINDS = {"email": "e-mail", "link": "link", "handle": "handle", "ip": "IP address"}
# "version 1.2.3.4", "section 4.2.1.3": numbered as an address is.
_NUMBERED = re.compile(
    r"(?i)\b(?:versi[oó]n|vers[aã]o|release|sec(?:tion|ci[oó]n)|se[cç][aã]o|art[ií]culo|artigo)\W{1,3}$"
)


def addresses(text: str) -> Iterator[Span]:
    """Find e-mail addresses, links, handles and IP addresses."""
    for match in _SHAPES.finditer(text):
        kind = _KINDS[str(match.lastgroup)]
        if kind != "IP address" or _is_ip(match, text):
            yield Span(match.start(), match.end(), kind)


# A name without an @ counts as a handle after a word for one, and where it looks like one: with a digit or underscore.
_NAMED = re.compile(
    r"(?i)(?<![\w\[])(?:users?|username|usu[aá]rios?|usuarios?|accounts?|cuentas?|contas?|perfil|profile|handle|nick|alias"
    r"|insta(?:gram)?|ig|telegram|tiktok|discord|snap(?:chat)?|kik|twitter|screen name)"
    r"(?:[ \t]{0,2}[:=«\"“'(]{1,2}[ \t]?| (?:is|es|é|named|called|llamad[oa]|chamad[oa]|nome|de nombre|id) [«\"“']?| )"
    r"(?P<name>(?=[\w.-]{0,31}[\d_])[^\W\d_][\w.-]{2,30}\w)(?![\w@])"
)


def named_handles(text: str) -> Iterator[Span]:
    """Find handles without an @: a name after a word such as "account" that holds a digit or an underscore."""
    for match in _NAMED.finditer(text):
        yield Span(match.start("name"), match.end("name"), "handle")


def _is_ip(match: re.Match[str], text: str) -> bool:
    if _NUMBERED.search(text[max(0, match.start() - 16) : match.start()]):
        return False
    try:
        ipaddress.ip_address(match[0].replace("[.]", "."))
    except ValueError:
        return False
    return match[0].strip(":") != ""
