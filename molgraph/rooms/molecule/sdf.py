"""Records of an SDF as text: mol blocks, and data items of which nothing is lost and none is invented.

See: CTFile Formats (BIOVIA, 2020), chapter "SDfile": a data item is a line that begins with `>` and names it in angle
brackets or as a field number (DT12), lines of data and a blank line. Many writers leave blank lines inside data, or
leave out the one at the end, so an item ends here where the next one begins.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rdkit import Chem, rdBase

from molgraph.data import endable
from molgraph.data.stream import LINE, SHOWN, Broken, Lines, Row, name_of, open_bytes
from molgraph.rooms.molecule.cxsmiles import many_molecules
from molgraph.rooms.molecule.hard import hard_block, why

UNNAMED = "unnamed"
_HEAD = re.compile(r".*\n.*\n.*\n(?=.*V[23]000)")  # the three lines before the counts line of a mol block
# The last line of a mol block with blank ones before it, or where a tag begins.
_END = re.compile(r"^(?:(?:[ \t]*\n)*[ \t]*M[ \t]+END[ \t]*(?:\n|\Z)|(?=>))", re.MULTILINE)
_NAMED = re.compile(r">[ \t]*(?:\d+[ \t]+)?(?:\([^()]*\)[ \t]*)?(?:DT\d+[ \t]*)?<[^\n]*>")
# After a blank line also one whose closing bracket, or both, are missing, or that names a field of MACCS-II.
_NAMED_AFTER_BLANK = re.compile(r">[ \t]*(?:\([^()]*\)[ \t]*)?<[^<>]*$|>[ \t]+[A-Za-z_]\w*(?:[ \t]+\d+)?[ \t]*$")


class Record(NamedTuple):
    """Hold one SDF record as text, and why it could not be read whole."""

    title: str
    block: str
    tags: dict[str, str]
    problem: Broken | None


def records(source: str | os.PathLike[str]) -> Iterator[Record]:
    """Cut a file at its `$$$$` lines, so that no broken record can take its neighbour along."""
    with open_bytes(source) as stream:
        lines = Lines(stream, name_of(source))
        held: list[str] = []
        size = 0
        problem: Broken | None = None
        try:
            for line in lines:
                if line.startswith("$$$$"):
                    yield record("".join(held), problem)
                    held, size, problem = [], 0, None
                    continue
                size += len(line)
                if lines.broken:
                    problem = lines.broken.popitem()[1]
                elif size > LINE:
                    problem = Broken("too_large", f"the record at line {lines.number} has over {LINE:,} characters")
                else:
                    held.append(line)
            if problem or any(line.strip() for line in held):
                yield record("".join(held), problem)
        finally:
            lines.detach()


def record(text: str, problem: Broken | None = None) -> Record:
    """Cut a record in its title, its mol block and its data."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    head = _HEAD.match(text)  # where there is one, its lines are titles and comments, whatever they begin with
    end = _END.search(text, head.end() if head else 0)
    block = text[: end.start()] if end else text
    ended = end is not None and bool(end[0].strip())
    data = text[end.end() :] if end else ""
    return Record(text.partition("\n")[0].strip(), f"{block}M  END\n" if ended else block, _tags(data), problem)


def _tags(data: str) -> dict[str, str]:
    """Return the data by name; of one that comes twice, both, a line below the other, if both say something."""
    tags: dict[str, str] = {}
    name: str | None = None
    held: list[str] = []
    after_blank = True

    def close() -> None:
        if name is not None:
            value = "\n".join(held).strip("\n") if any(map(str.strip, held)) else ""
            value = re.sub(r"(?:\n[ \t]*)+\Z", "", value)
            tags[name] = "\n".join(filter(None, (tags.get(name), value)))

    for line in data.split("\n"):
        if is_tag(line) or (after_blank and _NAMED_AFTER_BLANK.match(line)):
            close()
            name, held = tag(line), []
        else:
            held.append(line)
        after_blank = not line.strip()
    close()
    return tags


def is_tag(line: str) -> bool:
    """Tell whether a line names a data item wherever it stands."""
    return _NAMED.match(line) is not None


def tag(line: str) -> str:
    """Return the name in a tag line, also where its closing bracket or both are missing.

    >>> tag("> <IC50 (>10)> (4)"), tag(">  <ID"), tag("> DT12"), tag(">  <>")
    ('IC50 (>10)', 'ID', 'DT12', 'unnamed')
    """
    _, opened, name = line.partition("<")
    name = (name.rpartition(">")[0] if ">" in name else name) if opened else line[1:]
    return name.strip() or UNNAMED


def row(found: Record, tags: Iterable[str]) -> Row:
    """Return the cells of a record: its SMILES, its title, its data by these names."""
    smiles, problem = ("", found.problem) if found.problem else _within(found.block)
    cells = [smiles, found.title, *(found.tags.get(name, "") for name in tags)]
    return problem._replace(cells=tuple(cells), text=problem.text or found.title[:SHOWN]) if problem else cells


def smiles_of(molecule: Chem.Mol) -> str:
    """Return the SMILES of a molecule, as CXSMILES where it has stereo that is relative or racemic (V3000 groups), or
    where it is a polymer or a pattern."""
    groups = [g for g in molecule.GetStereoGroups() if g.GetGroupType() != Chem.StereoGroupType.STEREO_ABSOLUTE]
    many = many_molecules(molecule)
    if not groups and not many:
        return str(Chem.MolToSmiles(molecule))
    fields = Chem.CXSmilesFields
    only = fields.CX_ENHANCEDSTEREO | (fields.CX_POLYMER | fields.CX_LINKNODES if many else 0)
    return str(Chem.MolToCXSmiles(molecule, Chem.SmilesWriteParams(), only))


def _within(block: str) -> tuple[str, Broken | None]:
    """Read a mol block, where that can be ended if the molecule is a hard one."""
    if not hard_block(block):
        return _smiles_of_block(block)
    try:
        found: tuple[str, Broken | None] = endable.call(_smiles_of_block, block)
        return found
    except endable.TooLong as error:
        return "", Broken(*why(error))


def _smiles_of_block(block: str) -> tuple[str, Broken | None]:
    with rdBase.BlockLogs():
        try:
            molecule: Chem.Mol | None = Chem.MolFromMolBlock(block)
            if molecule is not None:
                many = many_molecules(molecule)
                return ("", Broken(*many)) if many else (smiles_of(molecule), None)
            drawn: Chem.Mol | None = Chem.MolFromMolBlock(block, sanitize=False, removeHs=False)
            problems = [p.Message() for p in Chem.DetectChemistryProblems(drawn)] if drawn is not None else []
        except (RuntimeError, ValueError) as error:  # an RDKit invariant that this block violates
            problems = [str(error).strip().partition("\n")[0]]
    message = "; ".join(problems) or "RDKit cannot read the mol block"
    return "", Broken("invalid_molblock", message)
