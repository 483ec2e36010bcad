"""What an operator sets about curation: the YAML key ``curation:`` and the rules in ``configs/quality.yaml``.

Every figure here is a documented default; a run's YAML may change each of them. This module imports nothing heavy, so
that a configuration can be checked without loading a language model or datatrove.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator, model_validator

from data_curation.blocks import BlockSettings
from data_curation.contamination.settings import ContaminationSettings
from data_curation.harm.settings import HarmSettings
from data_curation.personal_settings import LanguageCode, PersonalDataSettings
from data_curation.repeats.settings import RepeatsSettings
from licensing.settings import Section

OFFICIAL_LANGUAGES = (
    "bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fr", "ga", "hr",
    "hu", "it", "lt", "lv", "mt", "nl", "pl", "pt", "ro", "sk", "sl", "sv",
)  # fmt: skip
"""The 24 official languages of the EU, as ISO 639-1 codes."""

REGIONAL_LANGUAGES = ("br", "ca", "cy", "eu", "fo", "fy", "gd", "gl", "lb", "lij", "ltg", "oc", "se", "vec", "wa")
"""Regional languages of Europe that the detector can tell. It has no label for, among others, Asturian, Corsican,
Friulian, Kashubian, Low German, Manx, Mirandese, Romansh, Sardinian, Scots and Sorbian: texts in these are taken for a
neighbour. Bosnian is left out on purpose, since a fifth of Croatian sentences would be taken for it."""

OTHER_CANDIDATES = (
    "af", "an", "ar", "be", "ext", "fa", "he", "hi", "id", "is", "ja", "ko", "la", "mk", "nn", "no", "ru", "sq", "sr",
    "tr", "uk", "vi", "zh",
)  # fmt: skip
"""Languages that are told apart from the wanted ones, so that a page in one of them is not taken for its neighbour."""

Share = Annotated[float, Field(ge=0, le=1)]
GramSize = Annotated[int, Field(ge=1)]


class FunctionWordSettings(Section):
    """The content of ``configs/function-words.yaml``: more function words than the quality rules need."""

    languages: dict[LanguageCode, tuple[str, ...]] = Field(default_factory=dict)
    """Words in lower case; written in YAML as one string with blanks."""

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {code: tuple(words.split()) if isinstance(words, str) else words for code, words in value.items()}


class ParagraphSettings(Section):
    """When a paragraph is surely in another language; see ``data_curation.languages.paragraphs``."""

    least_letters: int = Field(default=30, ge=1)
    """A paragraph with fewer letters is never judged."""
    joined_letters: int = Field(default=120, ge=1)
    """Fewest letters of all paragraphs of a text that seem to be in one other language, together."""
    least_function_words: int = Field(default=3, ge=1)
    """Fewest function words of the other language in a paragraph."""
    function_word_share: Share = 0.15
    """Least share of a paragraph's words that are function words of the other language."""
    dominance: float = Field(default=1.8, ge=1)
    """How many times as many function words of the other language as of the document's own it takes."""
    most_symbols: Share = 0.08
    """Largest share of symbols among letters and symbols; above it a paragraph is code or figures, and stays."""
    least_confidence: Share = 0.9
    """Least probability that the detector gives the other language on the paragraphs taken together."""
    sample_characters: int = Field(default=1000, ge=100)
    """How much of them the detector reads."""
    quoted_share: Share = 0.1
    """Foreign paragraphs with less than this share of a text's letters are quotations, and stay."""
    least_remaining: Share = 0.4
    """Least share of the letters that must remain; below it the document is removed, ``language-mixed``."""


class LanguageSettings(Section):
    """How a document's language is settled; see ``data_curation.languages.judge``."""

    candidates: tuple[LanguageCode, ...] = OFFICIAL_LANGUAGES + REGIONAL_LANGUAGES + OTHER_CANDIDATES
    """Languages the detector may answer with; the wanted ones must be among them."""
    least_confidence: Share = 0.5
    """Below this probability the detector's answer does not count by itself."""
    short_characters: int = Field(default=300, ge=0)
    """Up to this length, an unsure document stays under its declared language if that is among the three likeliest."""
    keep_under_detected: bool = False
    """Keep a document whose detected language differs from the declared one, under the detected language."""
    sample_characters: int = Field(default=4000, ge=300)
    """How much of a document the detector reads at most: a third each from start, middle and end."""
    first_sample_characters: int = Field(default=600, ge=300)
    """How much it reads first, where function words point clearly to one language."""
    first_sample_confidence: Share = 0.9
    """Least probability of that same language with which the first sample is enough."""
    first_sample_function_words: Share = 0.08
    """Least share of function words of that language among the text's words; Finnish and Hungarian have few."""
    mixed: Literal["cut", "keep", "remove"] = "cut"
    """What becomes of paragraphs in other languages: cut, keep and only count them, or remove the document."""
    paragraphs: ParagraphSettings = ParagraphSettings()


class GopherSettings(Section):
    """Thresholds of datatrove's GopherQualityFilter (Rae et al. 2021, table A1); the paper's values in brackets."""

    min_words: int = Field(default=25, ge=1)
    """Fewest words [50]; manuals have short but whole pages."""
    max_words: int = Field(default=1_000_000, ge=1)
    """Most words [100,000]; a novel is one document here."""
    min_average_word: float = Field(default=2.5, gt=0)
    """Shortest mean word length in characters [3]."""
    max_average_word: float = Field(default=12, gt=0)
    """Longest mean word length in characters [10]; Finnish and Hungarian compounds are long."""
    max_symbol_ratio: Share = 0.1
    """Most hash signs, and most ellipses, for each word [0.1]."""
    max_bullet_lines: Share = 0.95
    """Largest share of lines that start with a bullet [0.9]."""
    max_ellipsis_lines: Share = 0.3
    """Largest share of lines that end with an ellipsis [0.3]."""
    min_alphabetic: Share = 0.6
    """Least share of words with a letter [0.8]; datatrove's own splitter counts punctuation as words."""
    min_stop_words: int = Field(default=2, ge=0)
    """Fewest different stop words of the language [2]."""


class RepetitionSettings(Section):
    """Thresholds of datatrove's GopherRepetitionFilter; the paper's values in brackets."""

    min_words: int = Field(default=50, ge=1)
    """Texts with fewer words are not asked: datatrove counts the most frequent n-gram even where it occurs once, and
    four long words are a fifth of a short page."""
    duplicate_lines: Share = 0.3
    """Share of lines that repeat an earlier one [0.3]."""
    duplicate_line_characters: Share = 0.2
    """Share of characters in such lines [0.2]."""
    duplicate_paragraphs: Share = 0.3
    """Share of paragraphs that repeat an earlier one [0.3]."""
    duplicate_paragraph_characters: Share = 0.2
    """Share of characters in such paragraphs [0.2]."""
    top_grams: dict[GramSize, Share] = Field(default_factory=lambda: {2: 0.25, 3: 0.22, 4: 0.2})
    """Share of characters in the most frequent n-gram [2: 0.2, 3: 0.18, 4: 0.16]; manuals repeat names of menus."""
    duplicate_grams: dict[GramSize, Share] = Field(
        default_factory=lambda: {5: 0.3, 6: 0.28, 7: 0.26, 8: 0.24, 9: 0.22, 10: 0.2}
    )
    """Share of characters in repeated n-grams [5: 0.15 … 10: 0.1]; instructions repeat whole phrases."""


class FineWebSettings(Section):
    """Thresholds of datatrove's FineWebQualityFilter (Penedo et al. 2024); FineWeb's values in brackets."""

    min_terminal_lines: Share = 0
    """Least share of lines that end in punctuation [0.12]; 0 asks for none."""
    short_line_length: int = Field(default=30, ge=1)
    """A line of at most so many characters is short [30]."""
    max_short_lines: Share = 0.9
    """Largest share of short lines [0.67]; above it the page is a menu."""
    max_duplicate_characters: Share = 0.2
    """Largest share of characters in repeated lines [0.01]."""
    max_lines_per_word: Share = 0.45
    """Most line ends for each word [0.3]."""
    spare_without_marks: bool = False
    """Let a page pass ``min_terminal_lines`` of which no line at all ends in punctuation [false]."""


class C4Settings(Section):
    """Rules of datatrove's C4QualityFilter (Raffel et al. 2020, section 2.2); C4's values in brackets.

    The first two remove a page. The others leave lines out of account, and matter only to ``min_sentences`` and to
    which lines the first two look at: the text itself is never changed.
    """

    drop_lorem_ipsum: bool = True
    """Remove a page with the filler text "lorem ipsum" [true]."""
    drop_curly_bracket: bool = False
    """Remove a page with an opening curly bracket [true]; it would remove every page about programming."""
    min_sentences: int = Field(default=0, ge=0)
    """Fewest sentences in the lines that count [5]; 0 asks for none."""
    min_words_per_line: int = Field(default=0, ge=0)
    """Lines with fewer words, parted by white space, do not count [3]."""
    longest_word: int = Field(default=0, ge=0)
    """Lines with a longer word, in characters, do not count [1000]; 0 lets every line count."""
    need_terminal_mark: bool = False
    """Lines that do not end in a full stop, question mark, exclamation mark or quotation mark do not count [true]."""
    leave_out_javascript: bool = False
    """Lines with the word javascript do not count [true]."""
    leave_out_policy: bool = False
    """Lines with an English phrase such as "cookie policy" or "terms of use" do not count [true]."""
    leave_out_citations: bool = False
    """Look at lines without ``[1]``, ``[edit]`` and ``[citation needed]`` [true]."""

    def rules_for_lines(self) -> bool:
        """Return whether any rule asks about single lines."""
        counted = self.min_sentences or self.min_words_per_line or self.longest_word or self.need_terminal_mark
        return bool(counted or self.leave_out_javascript or self.leave_out_policy or self.leave_out_citations)


class QualityThresholds(Section):
    """All quality rules for one language; None switches a group off."""

    max_symbols: Share = 0.35
    """Largest share of the characters other than white space that are neither letter nor digit (our own rule)."""
    gopher: GopherSettings | None = GopherSettings()
    repetition: RepetitionSettings | None = RepetitionSettings()
    fineweb: FineWebSettings | None = FineWebSettings()
    c4: C4Settings | None = C4Settings()

    @model_validator(mode="before")
    @classmethod
    def _tell_what_moved(cls, value: object) -> object:
        if isinstance(value, dict) and "drop_lorem_ipsum" in value:
            raise ValueError("drop_lorem_ipsum has moved: write it under c4, as in 'c4: {drop_lorem_ipsum: true}'")
        return value


class ScoreSettings(Section):
    """What a text's quality score is made of, by which the better of two duplicates is kept: weights of four shares."""

    phrases: int = Field(default=4, ge=0)
    """Weight of the share of five-word phrases that did not occur before in the text."""
    lines: int = Field(default=3, ge=0)
    """Weight of the share of lines that end in a full stop or another terminal mark."""
    letters: int = Field(default=2, ge=0)
    """Weight of the share of words with a letter."""
    symbols: int = Field(default=1, ge=0)
    """Weight of the share of visible characters that belong to a word."""

    @property
    def total(self) -> int:
        """Sum of the weights."""
        return self.phrases + self.lines + self.letters + self.symbols

    @model_validator(mode="after")
    def _some_weight(self) -> ScoreSettings:
        if not self.total:
            raise ValueError("all weights are 0, so that every text would score the same: give at least one a weight")
        return self


class LanguageQuality(Section):
    """The rules of one language: its stop words, and thresholds where they differ from the common ones."""

    stop_words: tuple[str, ...] = Field(min_length=2)
    """Frequent words in lower case; written in YAML as one string with blanks, since a bare ``no`` would be False."""
    thresholds: QualityThresholds | None = None

    @field_validator("stop_words", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value


class QualitySettings(Section):
    """The content of ``configs/quality.yaml``: common thresholds and one entry for each language."""

    words: Literal["unicode", "datatrove"] = "unicode"
    """How a text is split into words: ``unicode`` is our own split, the same for all languages; ``datatrove`` is
    datatrove's splitter of the language, thirty times slower, for comparison with an unchanged datatrove. It rests on
    spaCy (Maltese and Galician: on stanza), which does not come with Herkomst."""
    score: ScoreSettings = ScoreSettings()
    thresholds: QualityThresholds = QualityThresholds()
    languages: dict[LanguageCode, LanguageQuality] = Field(min_length=1)


GroundOfUse = Literal[
    "agreement", "own", "consent", "official-work", "licence", "public-domain", "dsm-art-3", "dsm-art-4"
]
GROUNDS: tuple[GroundOfUse, ...] = get_args(GroundOfUse)
"""The bases on which a document can be admitted (``licensing.rights.Basis``), the surest first; why in
``data_curation.survivor``."""


class DuplicatesSettings(Section):
    """How near duplicates are found, see ``data_curation.minhash`` for the curve that these values give, and which of
    them stays (``data_curation.survivor``)."""

    survivor: tuple[Literal["rights", "quality", "digest"], ...] = ("rights", "quality", "digest")
    """What decides which one of a group stays, the weightiest first: the surest right to use it, the best quality, the
    smallest id. ``digest`` comes last, so that there is always one answer. Without ``rights`` a text that came under an
    agreement may be used under the terms of a copy on the web, with the duties of both."""
    rights_order: tuple[GroundOfUse, ...] = GROUNDS
    """Grounds of use, the surest first; each exactly once. Of equal grounds the one with more duties is the surer."""
    shingle_words: int = Field(default=5, ge=1)
    """Words in a shingle; similarity is the Jaccard index of two documents' sets of shingles."""
    permutations: int = Field(default=140, ge=8)
    """Values in a signature, of 4 bytes each."""
    bands: int = Field(default=20, ge=1)
    """Groups of values; two documents meet if all values of one group agree."""
    least_estimate: Share = 0.72
    """A pair counts as duplicate from this *estimated* similarity. It lies more than two standard errors of the
    estimate (0.034 each) under the similarity aimed at (0.8): with 0.8 half of the pairs at 0.8 would be missed."""
    keys_in_memory: int = Field(default=8_000_000, ge=1)
    """Band keys held at once, at about 45 bytes each."""
    leaders_per_bucket: int = Field(default=64, ge=1)
    """How many members of one bucket are compared with all the others; bounds the work on boilerplate."""

    @model_validator(mode="after")
    def _bands_divide(self) -> DuplicatesSettings:
        if self.permutations % self.bands:
            raise ValueError(
                f"permutations ({self.permutations}) is no multiple of bands ({self.bands}): "
                "choose for instance 140 and 20"
            )
        return self

    @field_validator("survivor")
    @classmethod
    def _digest_last(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if value[-1:] != ("digest",) or len(set(value)) < len(value):
            raise ValueError(
                f"survivor ({', '.join(value)}) must name each criterion once and end in digest, or documents that are "
                "equal in the others would have no order: write for instance [rights, quality, digest]"
            )
        return value

    @field_validator("rights_order")
    @classmethod
    def _every_ground_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(value) != sorted(GROUNDS):
            raise ValueError(
                f"rights_order ({', '.join(value)}) must name each of {', '.join(GROUNDS)} exactly once, or documents "
                "on the others would have no place among copies: add or remove what differs"
            )
        return value


class CurationSettings(Section):
    """The part ``curation:`` of a run's YAML."""

    languages: tuple[LanguageCode, ...] = OFFICIAL_LANGUAGES
    """Languages wanted; documents in others are removed."""
    language: LanguageSettings = LanguageSettings()
    quality_rules: Path | None = None
    """A file of quality rules; left out, the one that comes with Herkomst (``configs/quality.yaml``)."""
    personal_data: PersonalDataSettings = PersonalDataSettings()
    duplicates: DuplicatesSettings = DuplicatesSettings()
    repeats: RepeatsSettings | None = RepeatsSettings()
    """Paragraphs and runs of words that stand in several documents; None leaves them all."""
    harm: HarmSettings = HarmSettings()
    """Harmful language: word lists that are recorded only, and a place for a classifier."""
    contamination: ContaminationSettings = ContaminationSettings()
    """Evaluation sets whose items are kept out of the corpus."""
    blocks: tuple[BlockSettings, ...] = ()
    """Blocks of datatrove that run between our steps; see ``data_curation.blocks``."""
    slice_bytes: int = Field(default=64 << 20, ge=1)
    """Bytes of input files that one task of reading takes; a larger file is one task."""
    shard_documents: int = Field(default=2000, ge=1)
    """Documents in one piece of work; bounds the memory of a task and what is lost when it dies."""

    @model_validator(mode="after")
    def _wanted_can_be_detected(self) -> CurationSettings:
        missing = [code for code in self.languages if code not in self.language.candidates]
        if missing:
            raise ValueError(
                f"languages {', '.join(missing)} are wanted but not in language.candidates, so that every such "
                "document would be removed: add them there"
            )
        return self
