"""The documents and numbers that are known, each with the word that announces it, how it is written, and its check.

``cue``: the words after which a number counts as this kind, however it is written and whether or not its check digit
is right. ``cued``: how it is written there. ``alone``: spellings that need no word before them where the check holds;
``firm`` ones are looked for before the cues, ``bare`` ones after them.
"""

from dataclasses import dataclass

from stdnum import iban
from stdnum.ar import cbu, cuit
from stdnum.br import cnpj, cpf
from stdnum.cl import rut
from stdnum.co import nit
from stdnum.ec import ci
from stdnum.ec import ruc as ruc_of_ecuador
from stdnum.es import dni, nie
from stdnum.mx import curp
from stdnum.pe import ruc as ruc_of_peru
from stdnum.us import itin, ssn

from riskmodel.redaction.checks import (
    Check,
    any_number,
    is_card,
    is_clabe,
    is_clave_de_elector,
    is_court_case,
    is_rfc,
    is_uruguayan,
)


@dataclass(frozen=True)
class Kind:
    """A kind of number; a kind may stand in several rows."""

    name: str
    check: Check = any_number
    cue: str | None = None
    cued: str | None = None
    firm: str | None = None
    bare: str | None = None


def _digits(least: int, most: int) -> str:
    """Digits, also written apart: up to three signs or spaces between any two."""
    return rf"\d(?:[ .\-/]{{0,3}}\d){{{least - 1},{most - 1}}}"


_UUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# The longest first, so that none is found by its half.
_PLATE = (
    r"(?:[A-Z]{2}[ -]?\d{3}[ -]?[A-Z]{2}|[A-Z]{3}[ -]?\d{3}[ -]?[A-Z]|[A-Z]{3}[ -]?\d[A-Z]\d{2}"
    r"|[A-Z]{3}[ -]?\d{2}[ -]?\d{2}|[A-Z]{2,3}[ -]?\d{3,4}|[A-Z]{4}[ -]?\d{2}|[A-Z]\d{2}[ -]?[A-Z]{3}"
    r"|[A-Z][ -]?\d{3}[ -]?[A-Z]{3}|\d{3,4}[ -]?[A-Z]{3}|\d[A-Z]{3}\d{3}"
    r"|[a-z]{2}-?\d{3}-?[a-z]{2}|[a-z]{3}-?\d[a-z]\d{2}|[a-z]{3}-?\d{3,4})"
)
_CNPJ = r"[A-Za-z\d]{2}\.[A-Za-z\d]{3}\.[A-Za-z\d]{3}/[A-Za-z\d]{4}-\d{2}"

KINDS = (
    Kind("card", is_card, r"(?i:cards?|tarjetas?|cart(?:ão|ao|ões|oes)|visa|mastercard|amex)", _digits(13, 19)),
    Kind("IBAN", iban.is_valid, r"(?i:iban)", r"[A-Za-z]{2}\d{2}(?: ?[A-Za-z\d]){11,30}"),
    # Brazil
    Kind("CPF", cpf.is_valid, r"(?i:cpfs?)", _digits(11, 11), r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{9}-\d{2}", r"\d{11}"),
    Kind(
        "CNPJ",
        cnpj.is_valid,
        r"(?i:cnpjs?)",
        rf"{_CNPJ}|{_digits(14, 14)}|[A-Za-z\d]{{12}}-?\d{{2}}",
        _CNPJ,
        r"[A-Z\d]{12}-?\d{2}",
    ),
    Kind("RG", cue=r"RG|R\.G\.|(?i:registro geral)", cued=r"\d(?:[ .\-]{0,2}\d){5,8}(?:-?[xX])?"),
    Kind("PIX key", cue=r"(?i:pix|chave aleat[óo]ria)", cued=_UUID),
    # Mexico
    Kind(
        "CURP",
        curp.is_valid,
        r"(?i:curp)",
        r"[A-Za-z]{4}-?\d{6}-?[A-Za-z]{6}-?\w\d",
        r"[A-Za-z]{4}\d{6}[A-Za-z]{6}\w\d",
    ),
    Kind(
        "RFC",
        is_rfc,
        r"RFC|(?i:rfc|registro federal de contribuyentes)",
        r"[A-Za-zÑñ&]{3,4}[ -]?\d{6}(?:[ -]?\w{3})?",
        r"[A-Za-zÑñ&]{3,4}-?\d{6}-?\w{3}",
    ),
    Kind(
        "INE",
        is_clave_de_elector,
        r"INE|IFE|(?i:clave de elector|credencial(?: de elector| para votar)?)",
        r"[A-Za-z]{6}\d{8}[HMhm]\d{3}|\d{9}|\d{13}",
        r"[A-Za-z]{6}\d{8}[HMhm]\d{3}",
    ),
    Kind("CLABE", is_clabe, r"(?i:clabe(?: interbancaria)?)", _digits(18, 18)),
    # Argentina, Peru, Spain
    Kind("CBU", cbu.is_valid, r"(?i:cbu|cvu)", _digits(22, 22), r"\d{22}"),
    Kind("CUIT", cuit.is_valid, r"(?i:cui[tl])", _digits(11, 11), r"\d{2}-\d{8}-\d", r"\d{11}"),
    Kind(
        "DNI",
        dni.is_valid,
        r"(?i:dnis?|d\.n\.i\.|documento(?: nacional)? de identidad|documento de identidade)",
        r"\d{1,2}(?P<sign>[ .]?)\d{3}(?P=sign)\d{3}(?:-?[A-Za-z\d])?|\d(?: \d){6,7}",
        r"\d{8}-?[A-Za-z]",
    ),
    Kind("NIE", nie.is_valid, r"NIE|(?i:n\.i\.e\.)", r"[XYZxyz]-?\d{7}-?[A-Za-z]", r"[XYZxyz]-?\d{7}-?[A-Za-z]"),
    Kind("RUC", ruc_of_peru.is_valid, r"(?i:ruc)", rf"{_digits(11, 11)}|{_digits(13, 13)}", bare=r"\d{11}"),
    Kind("RUC", ruc_of_ecuador.is_valid, bare=r"\d{10}001"),
    # Chile
    Kind(
        "RUT",
        rut.is_valid,
        r"(?i:rut)|RUN|R\.U\.[TN]\.",
        r"\d{1,2}[ .]?\d{3}[ .]?\d{3}[ -]{0,3}[\dkK]",
        r"\d{2}\.\d{3}\.\d{3}-[\dkK]",
        r"\d{1,2}\.?\d{3}\.?\d{3}-[\dkK]",
    ),
    # Colombia, Ecuador, Uruguay and their neighbours
    Kind(
        "cédula",
        is_uruguayan,
        r"(?i:c[ée]dulas?(?: de (?:identidad|ciudadan[ií]a|extranjer[ií]a))?)|C\.C\.|C\.I\.|CC(?![ -]BY)|CI|NUIP",
        rf"(?:[VEve]-?)?{_digits(6, 11)}",
        r"\d\.\d{3}\.\d{3}-\d",
    ),
    Kind("cédula", ci.is_valid, bare=r"\d{9}-\d"),
    Kind(
        "NIT", nit.is_valid, r"NIT|(?i:nit|n\.i\.t\.)", r"\d{3}[ .]?\d{3}[ .]?\d{3}(?:-?\d)?", r"\d{3}\.\d{3}\.\d{3}-\d"
    ),
    # United States and Canada
    Kind(
        "SSN",
        ssn.is_valid,
        r"SSN|ssn|(?i:social security(?: number| no\.?| card)?|social)",
        _digits(9, 9),
        r"\d{3}-\d{2}-\d{4}",
    ),
    Kind("ITIN", itin.is_valid, r"(?i:itin)", _digits(9, 9), r"9\d{2}-\d{2}-\d{4}"),
    Kind("EIN", cue=r"EIN|(?i:employer identification number|(?:federal )?tax id)", cued=_digits(9, 9)),
    Kind("SIN", cue=r"SIN|NAS|(?i:social insurance(?: number)?|assurance sociale)", cued=_digits(9, 9)),
    # Anywhere
    Kind("passport", cue=r"(?i:passports?|pasaportes?|passaportes?)", cued=r"[A-Za-z]{0,3}[ -]?\d{6,9}[A-Za-z]?"),
    Kind(
        "plate",
        cue=r"(?i:placas?|(?:licen[cs]e |number )?plates?|patente|matr[íi]cula|chapa)",
        cued=_PLATE,
    ),
    Kind(
        "account",
        cue=r"(?i:(?:bank )?account (?:number|no\.?)|bank account|acct|cuenta (?:corriente|bancaria|de ahorros?|vista)"
        r"|n[uú]mero de cuenta|caja de ahorros?|conta (?:corrente|poupan[çc]a|banc[áa]ria)|n[uú]mero da conta)",
        cued=rf"{_digits(5, 22)}(?:-?[xX])?",
    ),
    Kind("case", is_court_case, firm=r"\d{7}-\d{2}\.\d{4}\.\d\.\d{2}\.\d{4}"),
)
