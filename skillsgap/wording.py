"""Messages and numbers in each report language: the same figures, other words.

Messages are English sentences with {named} places; `locale/<lang>/LC_MESSAGES/skillsgap.po` holds their
translations. Numbers follow CLDR. Uzbek (Latin) awaits review by a native speaker.
"""

import json
from functools import lru_cache
from numbers import Real
from pathlib import Path

from babel import Locale
from babel.lists import format_list
from babel.messages.pofile import read_po
from babel.numbers import format_compact_decimal, format_decimal, format_percent

LOCALES = Path(__file__).with_name("locale")
LANGUAGES = {"en": "English", "uz": "Oʻzbekcha"}
LATE_LETTERS = {"uz": ("oʻ", "gʻ", "sh", "ch")}  # of an alphabet, behind z
MINUS = "\N{MINUS SIGN}"
# METHODS, disclosure: a share of nobody or of everybody tells something about each person in the group
LOW_SHARE, HIGH_SHARE = 0.05, 0.95


def N_(msgid):
    """Mark a message for the catalogue where it is stored now and translated later."""
    return msgid


# codes that are the package's own, and so have their names in the catalogue
VOCABULARY = {
    ("tier", "basic"): N_("Basic"),
    ("tier", "practitioner"): N_("Practitioner"),
    ("tier", "champion"): N_("Champions"),
    ("tier", "procurement"): N_("AI procurement"),
    ("tier", "senior_strategy"): N_("Senior strategy"),
    ("group", "digital"): N_("Digital"),
    ("group", "data"): N_("Data"),
    ("group", "ai"): N_("AI basics"),
    ("group", "genai"): N_("Generative AI"),
    ("group", "agentic"): N_("Agentic AI"),
    ("group", "oversight"): N_("Oversight and ethics"),
    ("group", "security"): N_("Security and privacy"),
    ("group", "procurement"): N_("Procurement"),
    ("group", "leadership"): N_("Leadership"),
    ("group", "attitude"): N_("Attitudes"),
}


@lru_cache
def catalogue(lang):
    """Translations of a language: dict from message to translation, empty for English."""
    path = LOCALES / lang / "LC_MESSAGES" / "skillsgap.po"
    if not path.exists():
        return {}
    with path.open("rb") as file:
        return {m.id: m.string for m in read_po(file, locale=lang) if m.id and m.string}


class Words:
    """Say things in one report language.

    Parameters
    ----------
    lang : {"en", "uz"}
        Report language (BCP 47).
    labels : mapping of (table, code) to mapping of language to text, optional
        Names of competencies, courses, agencies and other codes.
    currency : mapping of language to text, optional
        Name of the unit's currency.

    Examples
    --------
    >>> words = Words("en", {("agencies", "A1"): {"en": "Tax office"}}, {"en": "solar"})
    >>> words("{n} staff in {agency}", n=words.number(20140), agency=words.label("agencies", "A1"))
    '20,140 staff in Tax office'
    >>> words.signed(-1.34, 1), words.percent(0.613), words.share(0.0), words.money(4200000)
    ('−1.3', '61%', 'under 5%', '4.2 million solar')
    """

    def __init__(self, lang, labels=None, currency=None):
        self.lang = lang
        self.locale = Locale.parse(lang)
        self._labels = labels or {}
        self._currency = currency or {}

    def __call__(self, msgid, **values):
        return catalogue(self.lang).get(msgid, msgid).format(**values)

    def number(self, x, digits=0):
        """A number with `digits` decimals, grouped as the language does."""
        pattern = "#,##0" + ("." + "0" * digits if digits else "")
        text = format_decimal(round(x, digits) + 0.0, format=pattern, locale=self.locale)
        return text.replace("-", MINUS)

    def signed(self, x, digits=1):
        """A difference: its sign always shown, with a true minus."""
        rounded = round(x, digits)
        return ("+" if rounded > 0 else "") + self.number(rounded, digits)

    def percent(self, x):
        """A fraction as a whole percentage."""
        return format_percent(round(x, 2), format="#,##0%", locale=self.locale)

    def share(self, x):
        """A share of people; near 0 or 1 only "under 5 %" or "over 95 %", which tells nothing of anyone."""
        if x <= LOW_SHARE:  # a released share at the limit was coded there
            return self("under {share}", share=self.percent(LOW_SHARE))
        if x >= HIGH_SHARE:
            return self("over {share}", share=self.percent(HIGH_SHARE))
        return self.percent(x)

    def money(self, x):
        """An amount in the unit's currency, in words from a million up."""
        if abs(x) >= 1_000_000:
            amount = format_compact_decimal(x, format_type="long", fraction_digits=1, locale=self.locale)
        else:
            amount = self.number(x)
        return f"{amount} {self.currency}".strip().replace("-", MINUS)

    @property
    def currency(self):
        """Name of the unit's currency; empty where it has none."""
        return self.text(self._currency)

    def text(self, texts):
        """The text of this language, or the English one."""
        if isinstance(texts, str):
            return texts
        return texts.get(self.lang) or texts.get("en", "")

    def alphabet(self, texts):
        """Texts as the language's alphabet orders them, for sorting: Uzbek has oʻ, gʻ, sh and ch after z.

        Parameters
        ----------
        texts : Series of str

        Returns
        -------
        Series of str

        Examples
        --------
        >>> import pandas as pd
        >>> pd.Series(["Shahar", "Soliq", "Zavod"]).sort_values(key=Words("uz").alphabet).tolist()
        ['Soliq', 'Zavod', 'Shahar']
        """
        folded = texts.str.casefold()
        for place, letter in enumerate(LATE_LETTERS.get(self.lang, ())):
            folded = folded.str.replace(letter, chr(ord("{") + place))
        return folded

    def label(self, table, code):
        """Name of a code; the code itself where nothing names it."""
        named = self._labels.get((table, str(code)))
        if named:
            return self.text(named)
        return self(VOCABULARY[table, code]) if (table, code) in VOCABULARY else str(code)

    def say(self, msgid, values):
        """A stored message with its typed values, as claims keep them.

        Parameters
        ----------
        msgid : str
            English message with {named} places.
        values : str or mapping
            For each place ``{"kind": …, "value": …}``, or the JSON text of it. Kinds are number (with
            ``digits``), signed (with ``digits``), percent, share, money, text (per language), message,
            told (a message with plain values), label and labels (with ``table``).

        Examples
        --------
        >>> Words("en").say("{part} of staff", '{"part": {"kind": "share", "value": 0.61}}')
        '61% of staff'
        """
        values = json.loads(values) if isinstance(values, str) else values
        return self(msgid, **{name: self._typed(value) for name, value in values.items()})

    def told(self, msgid, values):
        """A message with plain values, as problems and quality levels keep them; without any it has no places.

        Numbers below 10,000 are not grouped, since a year or a code may be one.

        Examples
        --------
        >>> Words("en").told("{value} is above {high}", {"value": "007", "high": 4.0}), Words("uz").told("{", {})
        ('007 is above 4', '{')
        """
        values = json.loads(values) if isinstance(values, str) else values
        if not values:
            return catalogue(self.lang).get(msgid, msgid)
        return self(msgid, **{name: self._plain(x) for name, x in values.items()})

    def problem(self, problem):
        """What is wrong, and what to do about it or what was done: the two sentences of a Problem."""
        return self.told(problem.text, problem.values), self.told(problem.remedy, problem.values)

    def _plain(self, x):
        if not isinstance(x, Real):
            return x if isinstance(x, str) else str(x)
        pattern = "#,##0.####" if abs(x) >= 10_000 else "0.####"
        return format_decimal(x, format=pattern, locale=self.locale).replace("-", MINUS)

    def _typed(self, value):
        kind, x = value["kind"], value["value"]
        if kind == "label":
            return self.label(value["table"], x)
        if kind == "labels":
            return format_list([self.label(value["table"], code) for code in x], locale=self.locale)
        if kind in ("number", "signed"):
            return getattr(self, kind)(x, value.get("digits", 0))
        if kind == "message":
            return self.say(x, value.get("values", {}))
        if kind == "told":
            return self.told(x, value.get("values", {}))
        return getattr(self, kind)(x)
