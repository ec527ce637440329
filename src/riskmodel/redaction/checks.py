"""A number without separators in, whether it can be one of its kind out: what python-stdnum does not hold.

Sources: ISO/IEC 7812 and the networks' own tables (cards), Banxico's circular 14/2017 (CLABE), INE's key of a voter,
Uruguay's DNIC, and the resolution CNJ 65/2008 (numbers of Brazilian court cases).
"""

from collections.abc import Callable
from datetime import date

from stdnum import luhn
from stdnum.mx import rfc

Check = Callable[[str], bool]

_CARDS = {
    "4": (13, 16, 19),
    "5": (16,),
    "2": (16,),
    "34": (15,),
    "37": (15,),
    "30": (14, 16),
    "36": (14,),
    "38": (14,),
    "6": (16, 19),
}
_MEXICAN_STATES = range(1, 34)  # 32 entities, and 33 for people born abroad


def compact(number: str) -> str:
    """Return a number as it is compared: its letters and digits alone, in capitals."""
    return "".join(character for character in number if character.isalnum() or character == "&").upper()


def any_number(number: str) -> bool:
    """Whether there is a number at all: a word before it says enough."""
    return bool(number)


def is_card(number: str) -> bool:
    """Whether it has the beginning and the length of a card number, and Luhn's check digit."""
    lengths = _CARDS.get(number[:2]) or _CARDS.get(number[:1], ())
    return len(number) in lengths and luhn.is_valid(number)


def is_rfc(number: str) -> bool:
    """Whether it is a Mexican RFC with its date and check digit."""
    return rfc.is_valid(number, validate_check_digits=True)


def is_clabe(number: str) -> bool:
    """Whether the last of 18 digits is a CLABE's check digit: weights 3 7 1, the last digit of each product."""
    total = sum(int(digit) * (3, 7, 1)[place % 3] % 10 for place, digit in enumerate(number[:-1]))
    return len(number) == 18 and int(number[-1]) == -total % 10


def is_clave_de_elector(number: str) -> bool:
    """Whether a date of birth and a state of Mexico stand where a key of a voter has them."""
    try:
        date(2000 + int(number[6:8]), int(number[8:10]), int(number[10:12]))
    except ValueError:
        return False
    return int(number[12:14]) in _MEXICAN_STATES


def is_uruguayan(number: str) -> bool:
    """Whether the last of 7 or 8 digits is the check digit of a Uruguayan cédula: weights 2 9 8 7 6 3 4."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:-1].zfill(7), (2, 9, 8, 7, 6, 3, 4), strict=True))
    return int(number[-1]) == -total % 10


def is_court_case(number: str) -> bool:
    """Whether the two check digits of a Brazilian court case's 20 digits are right (modulo 97, ISO 7064)."""
    return int(number[:7] + number[9:] + number[7:9]) % 97 == 1
