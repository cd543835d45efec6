"""Words of the Uzbek texts: English ones that were left in them, and those that stand for a term of the glossary."""

import re

# what no language translates: keys of params and columns (in Uzbek between “ ”, where nothing else tells them from
# words), formats and programs
CODE = re.compile(r"\b\w+(?:[._][\w{}]+)+(?:: \w+)?|“\w+”|~?/?\.pgpass|\.csv|reverse: yes|link: |"
                  r"\b(?:UTF|CSV|DATA|SELECT|PGPASSWORD|SQLAlchemy|U\+02B[BC])\b")
QUOTED = re.compile(r"\(Britaniyada: [^)]*\)")  # what another framework calls a role
BOTH = {"agent", "at", "bic", "disk", "federal", "formula", "model", "respondent", "solar", "tender", "test"}
BOTH |= {"gap", "may", "past"}  # other words in Uzbek: a sentence, the month, low


def bare(text):
    """A text without its places, and without what is the same in every language."""
    return re.sub(r"\{\w+(?:!r)?\}", " ", CODE.sub(" ", text))


def small_words(texts):
    """Words that English texts write small; those they never do are names, the same in Uzbek.

    Parameters
    ----------
    texts : iterable of Text

    Returns
    -------
    set of str
    """
    return {word for text in texts for word in re.findall(r"(?<!\w)[a-z]{2,}(?!\w)", bare(text.english))}


def english_left(said, small):
    """English words in an Uzbek text, but for those of both languages.

    Parameters
    ----------
    said : str
    small : set of str
        As `small_words` gives them.

    Returns
    -------
    set of str

    Examples
    --------
    >>> english_left("SI tests, test va {tests}", {"test", "tests"})
    {'tests'}
    """
    return set(re.findall(r"[^\W\d]{2,}", QUOTED.sub("", bare(said)).casefold())) & small - BOTH


def english(term):
    """An English term as a pattern: any number, and capitals unless it is written in them."""
    term = re.sub(r" \(.*\)", "", term)
    pattern = re.sub("y$", "(?:ys?|ies)", term) if term.endswith("y") else term + "(?:s|es)?"
    return re.compile(rf"(?<![\w-]){pattern}(?!\w)", 0 if term.startswith("AI") else re.IGNORECASE)


def holds(said, terms):
    """Whether an Uzbek text has all words of any of the terms, whatever their suffixes.

    Examples
    --------
    >>> holds("bilim darajalari", ["bilim darajasi"]), holds("reja", ["daraja"])
    (True, False)
    """
    return any(all(stem.search(said) for stem in _stems(term)) for term in terms)


def _stems(term):
    """Stems of a term's words, with the consonants that suffixes change: koʻnikma, daraja, ulush; -lik, -ligi."""
    def stem(word):
        word = re.escape(re.sub(r"(?<=\w{3})(lari|lar|si|i)$", "", word))
        return re.sub("[kg]$", "[kg]", re.sub("(q|gʻ)$", "(q|gʻ)", word))

    return [re.compile(rf"(?<!\w){stem(word)}", 0 if word.isupper() else re.IGNORECASE) for word in term.split()]
