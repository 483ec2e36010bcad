import subprocess
import sys

import pytest
from pydantic import ValidationError

from data_curation.settings import CurationSettings, DuplicatesSettings


def test_defaults_stand_on_their_own():
    settings = CurationSettings()
    assert len(settings.languages) == 24 and settings.shard_documents == 2000
    assert set(settings.languages) <= set(settings.personal_data.regions)


def test_a_wanted_language_that_cannot_be_detected_is_refused():
    with pytest.raises(ValidationError, match=r"rm are wanted but not in language\.candidates"):
        CurationSettings(languages=("nl", "rm"))


def test_bands_must_divide_the_signature():
    with pytest.raises(ValidationError, match="no multiple of bands"):
        DuplicatesSettings(permutations=100, bands=32)


def test_reading_settings_loads_no_model_and_no_datatrove():
    heavy = "datatrove", "numpy", "py3langid", "phonenumbers", "pyarrow"
    code = f"import sys, data_curation.settings; sys.exit(any(name in sys.modules for name in {heavy}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
