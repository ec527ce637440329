"""The text of an e-mail in, what its sender wrote out: without what they answer to, and without a signature.

Line by line, in time that grows with the length alone, as anybody may write to us. English, Spanish and Portuguese.
"""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

QUOTE = ">"
MOST_WRAPPED = 3  # lines that a mail program breaks "On Monday ... wrote:" into
LEAST_HEADERS = 2  # of a header block; one alone may be a sentence, such as "De: what they told me"
# "On Mon, 2 Mar 2026 at 10:00, Desk <desk@example.org> wrote:", and what others call it.
_OPENS = re.compile(r"(?:on|el|em|no dia|a|às)\b", re.IGNORECASE)
_CLOSES = re.compile(r"(?:wrote|escribi[óo]|escreveu)\s*:$", re.IGNORECASE)
_SEPARATOR = re.compile(
    r"(?:[-_]{2,}\s*)(?:original message|forwarded message|mensaje original|mensaje reenviado|mensagem original"
    r"|mensagem encaminhada)(?:\s*[-_]{2,})$",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\*?(?:from|sent|to|cc|subject|date|de|enviado(?: el)?|enviada(?: em)?|enviado em|para|asunto|assunto|fecha|data)"
    r"\s*:\*?\s",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(r"--\s?$")
_MOBILE = re.compile(r"(?:sent from my|enviado desde mi|enviado do meu|enviado de mi|get outlook for)\b", re.IGNORECASE)
# Elements that hold what is answered to, or nothing to read.
_SILENT = frozenset({"blockquote", "head", "script", "style", "title"})
_QUOTES = ("gmail_quote", "moz-cite-prefix", "divRplyFwdMsg", "appendonsend", "yahoo_quoted")
_BREAKS = frozenset({"address", "br", "dd", "div", "dt", "h1", "h2", "h3", "h4", "hr", "li", "p", "pre", "table", "tr"})
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"})


def written(text: str) -> str:
    """Return what the sender of an e-mail wrote, from its plain text; empty if that is nothing."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\xa0", " ").split("\n")]
    return "\n".join(_own(lines)).strip()


def _own(lines: Sequence[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith(QUOTE):
            at += 1
            continue
        if _SIGNATURE.match(lines[at]) or _SEPARATOR.match(line) or _is_header_block(lines, at) or _MOBILE.match(line):
            return
        wrapped = _attribution(lines, at)
        if wrapped:
            at += wrapped
            if not _is_quoted(lines, at):  # a program that does not mark what it quotes: all of the rest is that
                return
            continue
        yield lines[at]
        at += 1


def _attribution(lines: Sequence[str], at: int) -> int:
    """Return over how many lines somebody is said to have written what follows; 0 if nobody is."""
    if not _OPENS.match(lines[at].strip()):
        return 0
    for count in range(1, MOST_WRAPPED + 1):
        if at + count > len(lines) or not lines[at + count - 1].strip():
            return 0
        if _CLOSES.search(lines[at + count - 1].strip()):
            return count
    return 0


def _is_header_block(lines: Sequence[str], at: int) -> bool:
    """Return whether the headers of another e-mail begin here, after a rule or without one."""
    if lines[at].strip().strip("_-") == "" and len(lines[at].strip()) >= 10:
        at += 1
    block = [line.strip() for line in lines[at : at + 4]]
    return bool(block) and _HEADER.match(block[0] + " ") is not None and _headers(block) >= LEAST_HEADERS


def _headers(block: Sequence[str]) -> int:
    return sum(_HEADER.match(line + " ") is not None for line in block)


def _is_quoted(lines: Sequence[str], at: int) -> bool:
    following = next((line for line in lines[at:] if line.strip()), "")
    return following.strip().startswith(QUOTE)


def text_of_html(html: str) -> str:
    """Return the readable text of an e-mail in HTML, without what it quotes."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(lines)


class _Reader(HTMLParser):
    """Gathers text; stands still within what is quoted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._open: list[str] = []  # elements within the one that is silent, that one first

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that begins."""
        if self._open:
            if tag not in _VOID:
                self._open.append(tag)
            return
        named = " ".join(value or "" for name, value in attrs if name in ("class", "id"))
        if tag in _SILENT or any(quote in named for quote in _QUOTES):
            self._open.append(tag)
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """Note an element that ends, with all that was left open in it."""
        if tag in self._open:
            del self._open[len(self._open) - 1 - self._open[::-1].index(tag) :]
        elif not self._open and tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        """Keep text that can be read."""
        if not self._open:
            self.parts.append(data.replace("\n", " "))
