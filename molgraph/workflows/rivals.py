"""What a model has to beat: the methods that a practitioner would use instead."""

from __future__ import annotations

from dataclasses import replace

from molgraph import registry
from molgraph.config import AUTO, RunSettings
from molgraph.predictor.inputs import slots
from molgraph.predictor.member import needs
from molgraph.predictor.parts import parts, seen_by, shared

NONE = "none"
FOREST = "fusion/forest"  # trees that see what each input's own trees would see


def rivals(run: RunSettings) -> dict[str, RunSettings]:
    """Return the methods to beat: of one input its room's comparator; of several those of all and of each alone.

    An input alone that does as well as all together says that the model learnt a bias of the data.

    Raises: ConfigError for a comparator that is not known or cannot read the inputs.
    """
    if run.comparator == NONE:
        return {}
    found = slots(parts(run)[-1])  # of a consensus the network's, which says how the data is seen
    if run.comparator == AUTO and not all(slot.room.rivals.comparator for slot in found):
        return {}  # nobody knows a simpler method
    plain = replace(run.scratch(), encoder={}, ensemble=1, inputs={}, column="")
    own = seen_by(run, "trees")
    if run.comparator != AUTO or not run.inputs:
        name = found[0].room.rivals.comparator if run.comparator == AUTO else run.comparator
        sort = registry.model(name).family
        inputs = run.inputs if sort in ("network", registry.CONSENSUS) else seen_by(run, sort)
        rival = replace(plain, model=name, column=run.column, inputs=inputs)
        rival = rival if run.inputs else replace(rival, encoder=shared(found[0], name))
        needs(rival)
        return {} if name == run.model else {name: rival}
    alone = {
        f"{slot.name} alone ({slot.room.rivals.comparator})": replace(
            plain, model=FOREST, inputs={slot.name: own[slot.name]}
        )
        for slot in found
    }
    together = {} if run.model == FOREST else {FOREST: replace(plain, model=FOREST, inputs=own)}
    return {**together, **alone}
