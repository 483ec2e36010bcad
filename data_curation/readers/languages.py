"""Language tags as they stand in documents, paths and package names, reduced to a primary subtag.

The tag is a declaration by whoever wrote it; curation compares it with the language that it detects.
"""

from __future__ import annotations

import re

_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_@.][A-Za-z0-9@._-]*)?")
_IN_PATH = re.compile(r"([a-z]{2})(?:[-_][A-Z]{2}|@[a-z]+)?")
_IN_PACKAGE = re.compile(r"-([a-z]{2})(?:-(?:br|gb|us|za|cn|tw|in|pt|ca|mx|at|ch|be))?$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _pairs(text: str) -> dict[str, str]:
    return {three: two for three, _, two in (pair.partition("=") for pair in text.split())}


# ISO 639-1, without "ps" (Pashto), which in paths means PostScript.
_TWO_LETTERS = _words(
    """aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en
    eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja
    jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb
    nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr
    ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"""
)

# ISO 639-2, bibliographic and terminological, for the languages of Europe; BCP 47 asks for the two-letter form.
_THREE_LETTERS = _pairs(
    """alb=sq sqi=sq arm=hy hye=hy baq=eu eus=eu bel=be bos=bs bre=br bul=bg cat=ca ces=cs cze=cs cym=cy wel=cy dan=da
    deu=de ger=de dut=nl nld=nl ell=el gre=el eng=en est=et fao=fo fin=fi fra=fr fre=fr fry=fy geo=ka kat=ka gla=gd
    gle=ga glg=gl hrv=hr hun=hu ice=is isl=is ita=it lat=la lav=lv lit=lt ltz=lb mac=mk mkd=mk mlt=mt nno=nn nob=nb
    nor=no oci=oc pol=pl por=pt roh=rm ron=ro rum=ro rus=ru slk=sk slo=sk slv=sl spa=es sme=se srp=sr swe=sv tur=tr
    ukr=uk yid=yi"""
)


def primary(tag: str | None) -> str | None:
    """Reduce a tag (``nl-NL``, ``pt_BR``, ``dut``) to its primary subtag in lower case; None where it is no tag."""
    found = _TAG.fullmatch((tag or "").strip())
    if found is None or found[1].lower() in ("und", "mul", "zxx"):
        return None
    return _THREE_LETTERS.get(found[1].lower(), found[1].lower())


def from_path(path: str) -> str | None:
    """The language that a path names: an ending before the last one (``x.nl.html``), else the deepest such folder."""
    *folders, name = path.split("/")
    for part in [*reversed(name.split(".")[1:-1]), *reversed(folders)]:
        found = _IN_PATH.fullmatch(part)
        if found and found[1] in _TWO_LETTERS:
            return found[1]
    return None


def from_package(package: str) -> str | None:
    """The language that a package name ends in (``libreoffice-help-nl``, ``libreoffice-help-pt-br``)."""
    found = _IN_PACKAGE.search(package)
    return found[1] if found and found[1] in _TWO_LETTERS else None
