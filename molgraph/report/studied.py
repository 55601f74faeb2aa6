"""The page of a study: how the search went, what mattered, what to take."""

from __future__ import annotations

from pathlib import Path

from molgraph.data.files import atomic
from molgraph.report import plots, study_plots
from molgraph.report.report import page
from molgraph.report.study_contents import StudyPage


def render_study(contents: StudyPage) -> str:
    """Return the page as text; equal contents give equal text."""
    return page("study.html", report=contents, plots=plots, study=study_plots)


def write_study_report(path: Path, contents: StudyPage) -> None:
    """Write the page: one file that needs nothing else.

    Raises: ResourceError for a full disk or a missing permission.
    """
    text = render_study(contents)
    with atomic(path, "w") as file:
        file.write(text)
