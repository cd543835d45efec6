"""An Excel workbook as bytes that depend on its contents only, not on the clock."""

import io
import re
import zipfile

CLOCK = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment a zip archive can name


def workbook_bytes(workbook):
    """The bytes of an .xlsx file: the same for the same cells, whenever it is made.

    Parameters
    ----------
    workbook : openpyxl.Workbook

    Returns
    -------
    bytes

    Examples
    --------
    >>> from openpyxl import Workbook
    >>> workbook_bytes(Workbook()) == workbook_bytes(Workbook())
    True
    """
    written, plain = io.BytesIO(), io.BytesIO()
    workbook.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(plain, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            part = CLOCK.sub(rb"\g<1>1980-01-01T00:00:00Z", source.read(name))
            target.writestr(zipfile.ZipInfo(name, EPOCH), part, zipfile.ZIP_DEFLATED)
    return plain.getvalue()
