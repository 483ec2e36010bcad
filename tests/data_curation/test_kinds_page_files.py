"""ALTO and PAGE: recognised text of scanned pages."""

from __future__ import annotations

import pytest

from data_curation.extract import extract

ALTO = """<alto xmlns="http://www.loc.gov/standards/alto/ns-v{version}#"><Description><sourceImageInformation>
<fileIdentifier>ddd:1:p001</fileIdentifier></sourceImageInformation></Description>{order}<Layout>
<Page ID="P1"><PrintSpace>
<TextBlock ID="B2" language="fr"><TextLine><String CONTENT="Deux" WC="0.5"/></TextLine></TextBlock>
<ComposedBlock ID="C1"><TextBlock ID="B1" language="dut">
<TextLine><String CONTENT="De" WC="1"/><SP/><String CONTENT="onder" WC="0.9"
 SUBS_TYPE="HypPart1" SUBS_CONTENT="onderaardse"/><HYP CONTENT="-"/></TextLine>
<TextLine><String CONTENT="aardse" WC="0.8" SUBS_TYPE="HypPart2" SUBS_CONTENT="onderaardse"/><SP/>
<String CONTENT="gang" WC="x"><ALTERNATIVE>bang</ALTERNATIVE></String><String CONTENT="ein"/><HYP/></TextLine>
<TextLine><String CONTENT="digt"/><SP/><String CONTENT="hier-"/></TextLine>
<TextLine><String CONTENT="Daar."/></TextLine></TextBlock></ComposedBlock>
</PrintSpace></Page></Layout></alto>"""
ORDER = '<ReadingOrder><OrderedGroup><ElementRef REF="C1"/><ElementRef REF="B2"/></OrderedGroup></ReadingOrder>'

PAGE = """<PcGts xmlns="http://schema.primaresearch.org/PAGE/gts/pagecontent/{version}" pcGtsId="p7">
<Metadata><Creator>x</Creator></Metadata><Page imageFilename="p.png" primaryLanguage="Dutch">
<ReadingOrder><OrderedGroup id="g"><RegionRefIndexed index="10" regionRef="r2"/>
<OrderedGroupIndexed index="2" regionRef="r1"><RegionRefIndexed index="0" regionRef="r1a"/></OrderedGroupIndexed>
</OrderedGroup></ReadingOrder>
<TextRegion id="r2"><TextLine id="b" custom="readingOrder {{index:1;}}"><TextEquiv index="1"><Unicode>mis</Unicode>
</TextEquiv><TextEquiv index="0" conf="0.6"><Unicode>ven hier.</Unicode></TextEquiv></TextLine>
<TextLine id="a" custom="readingOrder {{index:0;}}"><Word><TextEquiv conf="1"><Unicode>Wij</Unicode></TextEquiv></Word>
<Word><TextEquiv conf="0.8"><Unicode>blij\u00ac</Unicode></TextEquiv></Word></TextLine>
<TextEquiv><Unicode>samenvatting</Unicode></TextEquiv></TextRegion>
<TextRegion id="n" type="page-number"><TextLine><TextEquiv><Unicode>7</Unicode></TextEquiv></TextLine></TextRegion>
<TextRegion id="r1"><TextRegion id="r1a" primaryLanguage="German (Standard)"><TextEquiv><Unicode>Eerst.</Unicode>
</TextEquiv></TextRegion><TextEquiv><Unicode>samenvatting</Unicode></TextEquiv></TextRegion>
</Page></PcGts>"""


@pytest.mark.parametrize("version", [2, 3, 4])
def test_divided_words_of_alto_stand_whole_in_reading_order(version: int) -> None:
    found = extract("p.xml", ALTO.format(version=version, order=ORDER).encode())
    assert found.text == "De onderaardse\ngang eindigt\nhier-\nDaar.\n\nDeux"
    assert (found.language, found.native_id) == ("dut", "ddd:1:p001")
    assert found.words == 4
    assert found.confidence == pytest.approx(0.8)


def test_without_a_reading_order_the_file_has_it() -> None:
    assert (extract("p.xml", ALTO.format(version=2, order="").encode()).text or "").startswith("Deux\n\nDe ")


@pytest.mark.parametrize("version", ["2013-07-15", "2019-07-15"])
def test_page_files_follow_their_reading_order_and_leave_page_numbers_out(version: str) -> None:
    found = extract("p.xml", PAGE.format(version=version).encode())
    assert found.text == "Eerst.\n\nWij blijven\nhier."
    assert (found.language, found.native_id) == ("nl", "p7")
    assert found.words == 3
    assert found.confidence == pytest.approx(0.8)


def test_a_page_without_text_is_empty() -> None:
    assert extract("p.xml", b"<alto><Layout><Page/></Layout></alto>").problem == "empty"
    assert extract("p.xml", b"<PcGts><Page/></PcGts>").problem == "empty"


@pytest.mark.timeout(10)
def test_a_word_divided_over_many_lines_takes_linear_time() -> None:
    line = "<TextLine><TextEquiv><Unicode>aaa-</Unicode></TextEquiv></TextLine>"
    found = extract("p.xml", f"<PcGts><Page><TextRegion>{line * 20_000}</TextRegion></Page></PcGts>".encode())
    assert found.text == "aaa" * 20_000 + "-"
