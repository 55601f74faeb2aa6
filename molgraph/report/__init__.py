"""The HTML report: one self-contained file a chemist opens in a browser."""

from molgraph.report.contents import (
    Distribution,
    Estimate,
    Neighbour,
    Parity,
    Quality,
    Ranked,
    Report,
    Row,
    Target,
)
from molgraph.report.evaluated import evaluation_report, write_evaluation_report
from molgraph.report.explained import ExplainedPage, Looked, write_explained_page
from molgraph.report.report import write_report
from molgraph.report.screened import screen_report, write_screen_report

__all__ = [
    "Distribution",
    "Estimate",
    "ExplainedPage",
    "Looked",
    "Neighbour",
    "Parity",
    "Quality",
    "Ranked",
    "Report",
    "Row",
    "Target",
    "evaluation_report",
    "screen_report",
    "write_evaluation_report",
    "write_explained_page",
    "write_report",
    "write_screen_report",
]
