"""Personal data in text, found by form, checksum and context, and replaced by typed placeholders.

Each kind has a cheap search for candidates and a strict confirmation; the value itself is kept nowhere. What an
operator may change (words, forms, which rule needs a word) stands in ``configs/personal-data.yaml``.

=============  ================================================================================  ==================
kind           found by                                                                          module
=============  ================================================================================  ==================
email          local part of at most 64 characters, ``@`` or a bracketed word for it, domain     ``emails``
phone          numbering plans; without leading 0 or plus only after a word such as "tel"        ``phones``
iban           length and structure of its country, ISO 7064 mod 97-10                           ``ibans``
card           issuer, length, Luhn                                                              ``cards``
ip             global addresses, version 4 and 6                                                 ``ips``
national-id    form, checksum and word, for all member states                                    ``national_ids``
licence-plate  form of a country and a word, or a form that hardly anything else has             ``plates``
birth-date     a full date after "born" and the like, from 1900 on                               ``births``
address        street and number beside a postcode, in some countries                             ``addresses``
name           after a form of address; off unless asked for                                     ``names``
=============  ================================================================================  ==================

A value is also found where one line end breaks it, with any kind of space or hyphen in it, and under a word at the head
of its column. Not found: names without a title, addresses without a postcode, dates of birth without a word,
and everything that is personal by its meaning alone.
"""

from data_curation.personal.found import Found, Redacted
from data_curation.personal.pseudonyms import NoKey
from data_curation.personal.redact import PersonalData

__all__ = ["Found", "NoKey", "PersonalData", "Redacted"]
