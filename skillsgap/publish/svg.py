"""SVG that may stand inside any page: no ids, no links, no style sheet, colours as the page names them."""

import re
from xml.etree import ElementTree

LINK = "{http://www.w3.org/1999/xlink}href"
KEPT = ("d", "x", "y", "transform", "style", "viewBox")


def plain_svg(svg, colours):
    """Reduce a drawing to what is visible in it.

    Parameters
    ----------
    svg : str
        A drawing as matplotlib writes it.
    colours : mapping of hex colour to name
        Each becomes a CSS variable with the colour itself as fallback, so that a page can change it.

    Returns
    -------
    str; an ``svg`` element whose text is text. Two of them on a page can't clash, as nothing has an id.

    Examples
    --------
    >>> plain_svg('<svg viewBox="0 0 9 9"><g id="a"><path d="M 1.23456 2" style="fill: #fff"/></g></svg>', {})
    '<svg viewBox="0 0 9 9"><path d="M 1.23 2" style="fill:#fff" /></svg>'
    """
    root = ElementTree.fromstring(svg)
    shapes = {node.get("id"): node for node in root.iter() if _tag(node) == "path" and node.get("id")}
    (plain,) = _plain(root, shapes, colours)
    return ElementTree.tostring(plain, encoding="unicode")


def _plain(node, shapes, colours):
    tag = _tag(node)
    if tag in ("defs", "metadata"):
        return []
    if tag == "use":
        return [_placed(node, shapes[node.get(LINK).removeprefix("#")], colours)]
    children = [kept for child in node for kept in _plain(child, shapes, colours)]
    if tag == "g":
        return children
    kept = _element(tag, node.attrib, colours, children, (node.text or "").strip())
    return [] if kept.get("style") == "fill:none" else [kept]


def _placed(use, shape, colours):
    """A copy of the shape that a ``use`` element points to."""
    place = {"d": shape.get("d"), "transform": f"translate({use.get('x', '0')} {use.get('y', '0')})",
             "style": ";".join(part for part in (use.get("style"), shape.get("style")) if part)}
    return _element("path", place, colours, [], "")


def _element(tag, attributes, colours, children, text):
    values = {name: _short(attributes[name]) for name in KEPT if name in attributes}
    if "style" in values:
        values["style"] = _style(values["style"], colours)
    if values.get("transform", "").startswith("rotate(-0"):
        del values["transform"]
    element = ElementTree.Element(tag, values)
    element.text = text or None
    element.extend(children)
    return element


def _style(style, colours):
    """Declarations without the font's name, which is the page's to choose."""
    parts = [part.split(":", 1) for part in style.split(";") if ":" in part]
    pairs = [(name.strip(), value.strip()) for name, value in parts]
    return ";".join(f"{name}:{_named(value, colours)}" for name, value in pairs if name != "font-family")


def _named(value, colours):
    return f"var(--{colours[value]},{value})" if value in colours else value


def _short(value):
    """Two decimals are a hundredth of a pixel: enough, and alike on every machine."""
    return re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)


def _tag(node):
    return node.tag.rpartition("}")[2]
