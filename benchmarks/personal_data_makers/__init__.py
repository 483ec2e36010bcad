"""Made personal data of 27 member states and 24 languages, to plant in real text; written apart from the detector."""
