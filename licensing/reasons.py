"""Every reason code a decision can carry, as one sentence for people, in English and Dutch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason in words; the code is its key in ``REASONS`` and never changes."""

    en: str
    nl: str


REASONS: Mapping[str, Reason] = MappingProxyType(
    {
        "licence-admitted": Reason(
            "The declared licence permits the intended use.", "De opgegeven licentie staat het beoogde gebruik toe."
        ),
        "agreement-admitted": Reason(
            "The agreement with the partner permits the intended use.",
            "De overeenkomst met de partner staat het beoogde gebruik toe.",
        ),
        "policy-admitted": Reason(
            "The policy of this run admits this licence by name.",
            "Het beleid van deze run laat deze licentie met naam toe.",
        ),
        "policy-review": Reason(
            "The policy of this run asks a person to look at this licence.",
            "Het beleid van deze run vraagt dat iemand deze licentie beoordeelt.",
        ),
        "policy-refused": Reason(
            "The policy of this run refuses this licence by name.",
            "Het beleid van deze run weigert deze licentie met naam.",
        ),
        "licence-absent": Reason("No licence is declared.", "Er is geen licentie opgegeven."),
        "licence-prose": Reason(
            "The licence is stated in free text only; a person must read it.",
            "De licentie staat alleen in lopende tekst; iemand moet die lezen.",
        ),
        "licence-unknown": Reason(
            "The declared licence name cannot be read.", "De opgegeven licentienaam is niet te duiden."
        ),
        "licence-not-in-table": Reason(
            "The licence is known but not yet judged in the licence table.",
            "De licentie is bekend maar nog niet beoordeeld in de licentietabel.",
        ),
        "licence-conflict": Reason(
            "Declarations contradict each other, and none can be followed without breaking another.",
            "Opgaven spreken elkaar tegen, en geen ervan is te volgen zonder een andere te schenden.",
        ),
        "non-commercial": Reason(
            "The licence permits non-commercial use only.", "De licentie staat alleen niet-commercieel gebruik toe."
        ),
        "no-derivatives": Reason(
            "The licence does not permit sharing what is made from the work.",
            "De licentie staat niet toe dat bewerkingen worden gedeeld.",
        ),
        "use-not-permitted": Reason("The licence does not permit this use.", "De licentie staat dit gebruik niet toe."),
        "use-unsettled": Reason(
            "Whether the licence permits this use is not settled.",
            "Of de licentie dit gebruik toestaat, staat niet vast.",
        ),
        "strong-copyleft": Reason(
            "The licence claims the whole of a work based on it, which this use may not accept.",
            "De licentie eist het geheel op van een werk dat erop voortbouwt; dit gebruik verdraagt dat niet.",
        ),
        "share-alike": Reason(
            "The licence asks that what is made from the work is shared on the same terms.",
            "De licentie vraagt dat wat van het werk wordt gemaakt onder dezelfde voorwaarden wordt gedeeld.",
        ),
        "file-copyleft": Reason(
            "The licence asks that covered files stay under it.",
            "De licentie vraagt dat de bestanden die eronder vallen eronder blijven.",
        ),
        "agreement-unknown": Reason(
            "The agreement that is named does not exist here.", "De genoemde overeenkomst bestaat hier niet."
        ),
        "agreement-source": Reason(
            "The agreement does not cover this source.", "De overeenkomst geldt niet voor deze bron."
        ),
        "agreement-partner": Reason(
            "The agreement that is named is with another partner.",
            "De genoemde overeenkomst is met een andere partner gesloten.",
        ),
        "agreement-use": Reason(
            "The agreement does not permit this use.", "De overeenkomst staat dit gebruik niet toe."
        ),
        "agreement-not-begun": Reason(
            "The agreed time of use has not begun.", "De overeengekomen gebruikstermijn is nog niet begonnen."
        ),
        "agreement-expired": Reason("The agreed time of use is over.", "De overeengekomen gebruikstermijn is voorbij."),
        "agreement-period": Reason(
            "The publication date lies outside the agreed period.",
            "De publicatiedatum ligt buiten de overeengekomen periode.",
        ),
        "date-absent": Reason(
            "The agreement goes by publication date, and none is known.",
            "De overeenkomst gaat uit van de publicatiedatum, en die is niet bekend.",
        ),
        "own-admitted": Reason(
            "The text is the provider's own work.", "De tekst is eigen werk van de aanbieder van het model."
        ),
        "consent-admitted": Reason(
            "The rightsholder consents to this use.", "De rechthebbende stemt in met dit gebruik."
        ),
        "art-3-admitted": Reason(
            "Scientific research may mine text to which it has lawful access.",
            "Wetenschappelijk onderzoek mag tekst analyseren waartoe het rechtmatig toegang heeft.",
        ),
        "art-4-admitted": Reason(
            "There is lawful access, and the publisher does not reserve text and data mining.",
            "Er is rechtmatige toegang en de uitgever maakt geen voorbehoud tegen tekst- en datamining.",
        ),
        "basis-evidence-absent": Reason(
            "Nothing shows that the stated legal basis is there; a person must look.",
            "Niets toont aan dat de opgegeven rechtsgrond er is; iemand moet dat nagaan.",
        ),
        "art-3-commercial": Reason(
            "The exception for scientific research does not cover commercial use.",
            "De uitzondering voor wetenschappelijk onderzoek geldt niet voor commercieel gebruik.",
        ),
        "art-3-sharing": Reason(
            "Copies made for scientific research may not be released.",
            "Kopieën voor wetenschappelijk onderzoek mogen niet worden vrijgegeven.",
        ),
        "art-3-release": Reason(
            "Whether weights trained on text mined for research may be released is not settled.",
            "Of gewichten van een op onderzoekstekst getraind model mogen worden vrijgegeven, staat niet vast.",
        ),
        "art-4-sharing": Reason(
            "Copies made for text and data mining may not be released.",
            "Kopieën voor tekst- en datamining mogen niet worden vrijgegeven.",
        ),
        "reserved": Reason(
            "The publisher reserves text and data mining.",
            "De uitgever maakt een voorbehoud tegen tekst- en datamining.",
        ),
        "reservation-unknown": Reason(
            "Whether the publisher reserves text and data mining is not known.",
            "Of de uitgever een voorbehoud maakt tegen tekst- en datamining, is niet bekend.",
        ),
        "licence-reserved": Reason(
            "The text carries a public licence, yet the publisher reserves text and data mining.",
            "De tekst heeft een open licentie, maar de uitgever maakt een voorbehoud tegen tekst- en datamining.",
        ),
        "withdrawn": Reason("The document was withdrawn.", "Het document is ingetrokken."),
        "withdrawn-copy": Reason(
            "The document is a copy of one that was withdrawn.",
            "Het document is een kopie van een ingetrokken document.",
        ),
        "parents-admitted": Reason(
            "Every document that it was made from may be used as intended.",
            "Elk document waaruit het is gemaakt, mag worden gebruikt zoals beoogd.",
        ),
        "parent-withdrawn": Reason(
            "A document that it was made from was withdrawn.",
            "Een document waaruit het is gemaakt, is ingetrokken.",
        ),
        "parent-refused": Reason(
            "A document that it was made from may not be used.",
            "Een document waaruit het is gemaakt, mag niet worden gebruikt.",
        ),
        "parent-review": Reason(
            "A document that it was made from waits for a person's judgement.",
            "Een document waaruit het is gemaakt, wacht nog op beoordeling door een mens.",
        ),
        "parent-unknown": Reason(
            "A document that it was made from is not among those received.",
            "Een document waaruit het is gemaakt, is niet ontvangen.",
        ),
        "parents-many": Reason(
            "More documents lie behind it than are kept track of.",
            "Er liggen meer documenten aan ten grondslag dan worden bijgehouden.",
        ),
        "parent-cycle": Reason(
            "It is said to be made from itself, directly or through others.",
            "Het zou uit zichzelf zijn gemaakt, rechtstreeks of via andere documenten.",
        ),
        "parent-adaptation": Reason(
            "The terms of a document that it was made from do not cover making another text from it.",
            "De voorwaarden van een document waaruit het is gemaakt, laten geen bewerking daarvan toe.",
        ),
        "parents-conflict": Reason(
            "The terms of the documents that it was made from cannot all be followed.",
            "De voorwaarden van de documenten waaruit het is gemaakt, zijn niet alle tegelijk na te leven.",
        ),
        "copy-not-admitted": Reason(
            "A copy of this text came in under terms that do not admit it.",
            "Een kopie van deze tekst is ontvangen onder voorwaarden die het gebruik niet toelaten.",
        ),
    }
)
"""Reason codes with their sentences; reports look codes up here and nowhere else."""
