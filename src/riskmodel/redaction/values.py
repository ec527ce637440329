"""Something found in, the same for every spelling of it out: to see that two texts name the same phone or account."""

import ipaddress
import re

import phonenumbers

from riskmodel.redaction.checks import compact
from riskmodel.redaction.spelled import told

_SCHEME = re.compile(r"(?i)^h(?:tt|xx)ps?://(?:www\.)?|^www\.")
_AT = re.compile(r"(?i)\s*[(\[{]\s?(?:at|arroba|em|en)\s?[)\]}]\s*|\s(?:at|arroba)\s|\s*@\s*")
_DOT = re.compile(r"(?i)\s*[(\[{]\s?(?:dot|punto|ponto|\.)\s?[)\]}]\s*|\s(?:dot|punto|ponto)\s")


def value(kind: str, text: str, market: str | None) -> str:
    """Return what was found without what spelling leaves open: separators, capitals, scheme, words for signs.

    A phone number becomes E.164 (``+5511987654321``) where it names its country or ``market`` does, else its digits.
    """
    match kind:
        case "e-mail":
            return _AT.sub("@", _DOT.sub(".", text)).lower()
        case "link":
            return _host_in_small_letters(_SCHEME.sub("", _DOT.sub(".", text)).rstrip("/"))
        case "handle":
            return re.sub(r"^(?:@|/?u/)", "", text).lower()
        case "IP address":
            return str(ipaddress.ip_address(text.replace("[.]", ".")))
        case "phone":
            return _phone(text, market)
        case "case":
            return re.sub(r"\W+", "-", text).upper()
        case "number":
            return told(text)
    return compact(text)


def _host_in_small_letters(link: str) -> str:
    host, slash, path = link.partition("/")
    return host.lower() + slash + path


def _phone(text: str, market: str | None) -> str:
    digits = told(text)
    named = text.lstrip("( ").startswith("+")
    try:
        number = phonenumbers.parse(f"+{digits}" if named else digits, None if named else market)
    except phonenumbers.NumberParseException:
        return digits
    if not phonenumbers.is_possible_number(number):
        return digits
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
