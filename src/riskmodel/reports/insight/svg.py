"""A drawing in, SVG for a page out: no style within it, so that the strictest policy allows it; tones are classes."""

from xml.sax.saxutils import escape, quoteattr

from riskmodel.reports.insight.drawing import PAPER, Box, Drawing, Label, Shape, Stroke


def svg(drawing: Drawing, id_: str) -> str:
    """Return the picture with its title and its words for whoever does not see it.

    Args:
        drawing: what is shown; colours are those of paper where no style sheet says otherwise.
        id_: unique on the page.
    """
    shapes = "\n".join(_element(shape) for shape in drawing.shapes)
    return (
        f'<svg class="picture" viewBox="0 0 {drawing.width:g} {drawing.height:g}" role="img" '
        f'aria-labelledby="{id_}-title {id_}-words" xmlns="http://www.w3.org/2000/svg">\n'
        f'<title id="{id_}-title">{escape(drawing.title)}</title>'
        f'<desc id="{id_}-words">{escape(drawing.alternative)}</desc>\n{shapes}\n</svg>'
    )


def _element(shape: Shape) -> str:
    match shape:
        case Box(x, y, width, height, tone):
            return (
                f'<rect class="t-{tone}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
                f'fill="{PAPER[tone]}"/>'
            )
        case Stroke(x1, y1, x2, y2, tone, width, dashed):
            dashes = ' stroke-dasharray="5 4"' if dashed else ""
            return (
                f'<line class="l-{tone}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                f'stroke="{PAPER[tone]}" stroke-width="{width:g}"{dashes}/>'
            )
        case Label(x, y, text, tone, anchor, size, bold):
            weight = ' font-weight="bold"' if bold else ""
            return (
                f'<text class="t-{tone}" x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" text-anchor={quoteattr(anchor)} '
                f'fill="{PAPER[tone]}"{weight}>{escape(text)}</text>'
            )
