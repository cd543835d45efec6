"""Tables on the sheets of a workbook: one look for all, ready to filter and to print."""

from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter

from skillsgap.publish.canvas import PALETTE


def colour(name):
    """A colour of the palette as workbooks write it: "16232F"."""
    return PALETTE[name].lstrip("#").upper()


def title_rows(sheet, lines, *, across=1):
    """Write lines above a table; each is text, size in points and a colour of the palette. Returns the next row.

    Lines go `across` so many columns; over several they are broken where they are longer than the columns together.
    """
    for row, (text, size, name) in enumerate(lines, start=1):
        cell = plain(sheet.cell(row, 1), text)
        cell.font = Font(size=size, bold=size > 11, color=colour(name))
        if across > 1:
            sheet.merge_cells(start_row=row, end_row=row, start_column=1, end_column=across)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            letters = sum(sheet.column_dimensions[get_column_letter(i)].width for i in range(1, across + 1))
            sheet.row_dimensions[row].height = 1.4 * size * -(-len(text) * size // int(11 * letters))
    return len(lines) + 1


def heading_row(sheet, row, headings):
    """Write the headings of a table in one row: text and width in letters of each column."""
    for i, (text, width) in enumerate(headings, start=1):
        cell = plain(sheet.cell(row, i), text)
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor=colour("ink"))
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        sheet.column_dimensions[get_column_letter(i)].width = width
    sheet.row_dimensions[row].height = 32


def set_up(sheet, top, n_rows, n_columns):
    """Make the table below the headings in row `top` one to filter, to scroll under them, and to print on A4."""
    sheet.auto_filter.ref = f"A{top}:{get_column_letter(n_columns)}{top + n_rows}"
    sheet.freeze_panes = f"A{top + 1}"
    sheet.print_title_rows = f"{top}:{top}"
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight, sheet.sheet_properties.pageSetUpPr.fitToPage = 0, True


def plain(cell, value):
    """Fill a cell; text stays text, also where it begins as a formula does. Returns the cell."""
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"
    return cell
