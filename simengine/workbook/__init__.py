"""The workbook: a run as an Excel file in which totals, present values and rates of return are formulas that an investor can follow."""

from simengine.workbook.write import write_workbook

__all__ = ["write_workbook"]
