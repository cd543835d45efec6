"""The bytes of a text file as blocks of whole lines in UTF-8, whatever encoding and line ends they came in."""

import codecs
import gzip
import re
import zlib

from skillsgap.study.reading.texttable import unreadable
from skillsgap.wording import N_

CHUNK = 1 << 22  # bytes read at a time
LONGEST = 1 << 26  # bytes of one line
BOMS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
CONTROLS = bytes([*range(9), *range(14, 32), 127])
CONTROL = re.compile(b"[" + re.escape(CONTROLS) + b"]")
LEGACY = ("windows-1251", "windows-1252")
SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# what the two code pages agree on (dashes, quotes, no-break space): it tells nothing about which one it is
SAME = bytes(b for b in range(128, 256)
             if bytes([b]).decode(LEGACY[0], "replace") == bytes([b]).decode(LEGACY[1], "ignore"))  # fmt: skip
LETTERS = b"".join(re.escape(bytes([b])) for b in range(128, 256) if b not in SAME)
WORD = re.compile(rb"[A-Za-z]*[" + LETTERS + rb"][A-Za-z" + LETTERS + rb"]*")
ODD = bytes(b for b in range(128, 160) if b not in b"\x80\x85\x91\x92\x93\x94\x95\x96\x97\x99")
SIGN = re.compile(rb"(?<=[A-Za-z])[\xa1-\xac\xae-\xb3\xb5\xb6\xb8-\xbf](?=[A-Za-z])")  # no letter of 1252
VOWELS = "аеёиоуыэюяіїєў"
MIND = 0.9  # share of the evidence that must agree
FEWEST = 3  # bytes beyond ASCII; fewer may be damage
SAVE = N_("save the file as UTF-8 (in a spreadsheet: CSV UTF-8), or declare its encoding in params")


def blocks(path, declared, found):
    """Read a text file, compressed or not, in blocks of whole lines.

    Parameters
    ----------
    path : Path
    declared : {"utf-8", "utf-16", "windows-1251", "windows-1252"} or None
        None: told from the bytes, with a note where it isn't UTF-8.
    found : Findings
        Its notes grow.

    Yields
    ------
    (int, bytes)
        Line of the first byte, and lines in UTF-8, each ended by a line feed.

    Raises
    ------
    StudyError
        Bytes that don't fit the encoding, or that no text has; a file that ends too early.
    """
    decoder, line, rest = _Decoder(declared, found), 1, b""
    try:
        with (gzip.open if path.name.lower().endswith(".gz") else open)(path, "rb") as file:
            while chunk := file.read(CHUNK):
                if decoder.codec is None and not chunk.isascii():
                    chunk += file.read(CHUNK)  # the first letters beyond ASCII may be its last bytes
                rest += decoder.decode(chunk)
                cut = rest.rfind(b"\n") + 1
                if cut:
                    yield line, rest[:cut]
                    line, rest = line + rest.count(b"\n"), rest[cut:]
                if len(rest) > LONGEST:
                    found.fault(N_("the line has no end"), N_("export it again as text"), line)
                    found.stop()
    except (EOFError, OSError, zlib.error) as error:
        raise unreadable(found.name, "CSV", error) from None
    rest += decoder.decode(b"", final=True)
    if rest:
        yield line, rest if rest.endswith(b"\n") else rest + b"\n"


class _Decoder:
    """Bytes in, UTF-8 with line feeds out; undecided about the encoding as long as all is ASCII."""

    def __init__(self, declared, found):
        self.declared, self.found = declared, found
        self.codec, self.decoder, self.line, self.held, self.begun = None, None, 1, b"", False

    def decode(self, chunk, final=False):
        if not self.begun:
            chunk, self.begun = self._begin(chunk), True
        if self.decoder is None and not chunk.isascii():
            self._decide(chunk)
        if self.codec in LEGACY and not self.declared and _sequences(chunk) > 1 - MIND:
            at = SEQUENCE.search(chunk).start()
            text = N_("byte {byte} is not {encoding}, as the bytes before")
            self._refuse(text, SAVE, chunk, at, self.codec)
        try:
            text = chunk if self.decoder is None else self.decoder.decode(chunk, final).encode()
        except UnicodeDecodeError as error:
            encoding = "UTF-8" if self.codec == "utf-8" else self.codec
            self._refuse(N_("byte {byte} is not {encoding}"), SAVE, error.object, error.start, encoding)
        text = self._line_ends(self.held + text, final)
        self.line += text.count(b"\n")
        return text

    def _begin(self, chunk):
        """Take off the byte order mark, and settle on UTF-16."""
        mark = next((mark for mark in BOMS if chunk.startswith(mark)), b"")
        codec = BOMS.get(mark) or _wide(chunk)
        name = "utf-16" if codec and codec.startswith("utf-16") else codec
        if name and self.declared and name != self.declared:
            self._contradict(N_("params declare {declared}, and its bytes are {encoding}"), name)
        if self.declared == "utf-16" and not name:
            self._contradict(N_("params declare {declared}, and its bytes are not"))
        if name == "utf-16":
            self._settle(codec)
        if name and not self.declared:
            text = N_("the file begins with a byte order mark") if name == "utf-8" else N_("the file is not UTF-8")
            self.found.note(text, N_("read as {encoding}"), values={"encoding": name})
        return chunk[len(mark) :]

    def _decide(self, chunk):
        codec = self.declared or guess(chunk)
        if codec is None:
            at = _first_invalid(chunk)
            self._refuse(N_("byte {byte} is not {encoding}"), SAVE, chunk, at, "UTF-8")
        if self.declared in LEGACY and _first_invalid(chunk) is None:
            self._contradict(N_("params declare {declared}, and its bytes are {encoding}"), "utf-8")
        if self.declared in LEGACY and guess(chunk) not in (None, self.declared):
            self.found.note(N_("its letters look like {encoding}"), N_("read as params declare"),
                            values={"encoding": guess(chunk)})  # fmt: skip
        if codec in LEGACY and not self.declared:
            self.found.note(N_("the file is not UTF-8"), N_("read as {encoding}"), values={"encoding": codec})
        self._settle(codec)

    def _settle(self, codec):
        self.codec, self.decoder = codec, codecs.getincrementaldecoder(codec)()

    def _contradict(self, text, encoding=None):
        values = {"declared": self.declared, "encoding": encoding}
        self.found.fault(text, N_("correct encoding in params"), values=values)
        self.found.stop()

    def _refuse(self, text, remedy, data, at, encoding=None):
        before = self.held + (data[:at].decode(self.codec, "replace").encode() if self.codec else data[:at])
        line = self.line + before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
        self.found.fault(text, remedy, line, values={"byte": f"{data[at]:#04x}", "encoding": encoding})
        self.found.stop()

    def _line_ends(self, text, final):
        """Line feeds for any line ends; text that no table has is refused."""
        odd = len(text.translate(None, CONTROLS)) != len(text) and CONTROL.search(text)
        if odd:
            line = self.line + re.sub(b"\r\n?", b"\n", text[: odd.start()]).count(b"\n")
            values = {"byte": f"{odd[0][0]:#04x}"}
            self.found.fault(N_("byte {byte} does not belong into a text file"), N_("export it again as text"), line,
                             values=values)  # fmt: skip
            self.found.stop()
        keep = len(text) - (not final and text.endswith(b"\r"))  # a line feed may follow
        text, self.held = text[:keep], text[keep:]
        if b"\r" not in text:
            return text
        text = text.replace(b"\r\n", b"\n")
        alone = text.count(b"\r")
        if alone:
            line = self.line + text[: text.index(b"\r")].count(b"\n")
            self.found.note(N_("lines end in a carriage return alone"), N_("read as line ends"), line, rows=alone)
        return text.replace(b"\r", b"\n")


def _wide(chunk):
    """UTF-16 without a byte order mark: every other byte of its ASCII characters is 0."""
    low, high = chunk[0::2].count(0), chunk[1::2].count(0)
    codec = "utf-16-le" if high > low else "utf-16-be"
    if max(low, high) < len(chunk) / 20 or min(low, high) > max(low, high) / 100:
        return None
    return codec if re.search("[\r\n]", chunk.decode(codec, "replace")) else None


def _first_invalid(chunk):
    """Place of the first byte that UTF-8 can't have there; None where all is UTF-8."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(chunk)
    except UnicodeDecodeError as error:
        return error.start
    return None


def _sequences(chunk):
    """Share of the bytes beyond ASCII that are whole UTF-8 characters."""
    beyond = len(chunk.translate(None, bytes(range(128))))
    return (len(chunk) - len(SEQUENCE.sub(b"", chunk))) / beyond if beyond else 0


def guess(chunk):
    """Tell the encoding of bytes beyond ASCII by the letters of their words; None where it can't be told.

    A word of Windows-1252 mixes its letters with those of ASCII (région), a word of Windows-1251 has none of them.
    Other code pages show in letters where these have none, in capitals after small ones, or in words without vowels.

    Parameters
    ----------
    chunk : bytes

    Returns
    -------
    {"utf-8", "windows-1251", "windows-1252"} or None

    Examples
    --------
    >>> guess("Région, métier, été".encode("cp1252")), guess("Отдел кадров".encode("cp1251")), guess(b"D\\xe9fi")
    ('windows-1252', 'windows-1251', None)
    """
    if _first_invalid(chunk) is None:
        return "utf-8"
    beyond = chunk.translate(None, bytes(range(128)))
    if len(beyond) < FEWEST or _sequences(chunk) > 1 - MIND:
        return None
    if len(beyond) - len(beyond.translate(None, ODD)) + len(SIGN.findall(chunk)) > (1 - MIND) * len(beyond):
        return None
    if not beyond.translate(None, SAME):
        return "windows-1252"
    words = WORD.findall(chunk)
    cyrillic = [word for word in words if len(word) > 1 and not re.search(b"[A-Za-z]", word)]
    mixed = sum(1 for word in words if re.search(b"[A-Za-z]", word))
    if mixed > MIND * (mixed + len(cyrillic)):
        return "windows-1252"
    if len(cyrillic) > MIND * (mixed + len(cyrillic)) and _is_cyrillic(b" ".join(cyrillic)):
        return "windows-1251"
    return None


def _is_cyrillic(words):
    """Whether words read as Windows-1251 have capitals and vowels where Cyrillic words have them."""
    text = words.decode("windows-1251", "replace")
    letters = text.replace(" ", "")
    vowels = sum(text.lower().count(vowel) for vowel in VOWELS) / len(letters)
    inverted = len(re.findall("[а-яё][А-ЯЁ]", text)) / (text.count(" ") + 1)
    return inverted <= 1 - MIND and 0.3 <= vowels <= 0.65
