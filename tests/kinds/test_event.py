"""Times to an event: read, learnt by discrete hazards, said by time; against likelihoods written as loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from molgraph.data.targets import ABOVE, EXACT, Targets
from molgraph.errors import ConfigError, DataError
from molgraph.kinds import Event, make, restore
from molgraph.kinds.asked import Asked

FRAME = pd.DataFrame(
    {
        "days": ["12", "30", "", "7.5", "9", "-3", "4"],
        "since": ["", "2", "", "", "10", "", ""],
        "death": ["1", "0", "1", "dead", "1", "1", "alive"],
    }
)
ASKED = Asked(beside={"time": "days", "start": "since"})


def targets(time: list[float], cause: list[int], start: list[float] | None = None) -> Targets:
    values = torch.tensor([time, [float(c) for c in cause], start or [0.0] * len(time)], dtype=torch.float64).T
    bound = torch.zeros(values.shape, dtype=torch.int8)
    bound[:, 0] = torch.tensor([EXACT if c == 1 else ABOVE for c in cause])
    return Targets.of(("death", "death cause", "death start"), values, bound)


def adapted(causes: tuple[str, ...] = ("1",), rows: int = 200) -> Event:
    random = np.random.default_rng(0)
    time, lost = random.exponential(10, rows), random.exponential(20, rows)
    cause = np.where(time <= lost, random.integers(1, len(causes) + 1, rows), 0)
    return Event(("death",), (causes,)).adapt(targets(np.minimum(time, lost).tolist(), cause.tolist()))


def test_cells_become_times_bounds_and_causes() -> None:
    parsed = Event.parse(FRAME.iloc[[0, 1, 2, 3, 6]].replace("dead", "1"), "death", ASKED)
    assert parsed.labels == ("1",)
    assert parsed.values[:, 0].tolist()[:2] == [12.0, 30.0] and np.isnan(parsed.values[2]).all()
    assert parsed.values[:, 1].tolist()[3:] == [1.0, 0.0]
    assert parsed.values[1, 2] == 2.0 and parsed.bound[:, 0].tolist() == [EXACT, ABOVE, EXACT, EXACT, ABOVE]
    assert parsed.notes == ["death: events by days: 2 1; 2 rows were watched until days and had none."]


def test_rows_that_cannot_be_are_refused_by_name() -> None:
    rejects = Event.parse(FRAME.replace("dead", "1"), "death", ASKED).rejects
    assert rejects[4].message == "death: '1' is watched from 10 on, which is not before its time 9"
    assert rejects[5].message == "death: '1' has the days '-3': a time above 0 is needed"


def test_scores_are_of_the_first_cause_and_all_causes_teach() -> None:
    frame = pd.DataFrame({"t": ["1", "2", "3", "4"], "what": ["censored", "transplant", "death", "death"]})
    parsed = Event.parse(frame, "what", Asked(beside={"time": "t"}))
    assert parsed.bound[:, 0].tolist() == [ABOVE, ABOVE, EXACT, EXACT]  # a transplant is no death
    kind = adapted(("death", "transplant"))
    raw = torch.full((1, kind.outputs), -3.0)  # events are rare
    late, early = kind.cuts[0][-1], kind.cuts[0][0]
    met = kind.loss(raw, targets([early], [2]))[0]
    lost = kind.loss(raw, targets([early], [0]))[0]
    assert met > lost and kind.loss(raw, targets([late], [2]))[0] > met  # its cost is that of an event, not of a loss
    values, bound = np.array([1.0, 2.0, 3.0, 4.0]), np.array([ABOVE, ABOVE, EXACT, EXACT], np.int8)
    guess = np.array(kind.guess(values, bound))
    assert guess[len(kind.cuts[0]) :].tolist() == [0.0] * len(kind.cuts[0])


def test_competing_events_keep_their_names() -> None:
    frame = pd.DataFrame({"t": ["1", "2", "3", "4"], "what": ["censored", "transplant", "death", "death"]})
    parsed = Event.parse(frame, "what", Asked(beside={"time": "t"}))
    assert parsed.labels == ("death", "transplant") and parsed.values[:, 1].tolist() == [0, 2, 1, 1]
    graded = Event.parse(frame.replace({"death": "low", "transplant": "safe"}), "what", Asked(beside={"time": "t"}))
    assert graded.labels == ("low", "safe") and graded.values[:, 1].tolist() == [0, 2, 1, 1], "words for what happened"
    lost = Event.parse(frame.replace("transplant", "Lost to follow-up"), "what", Asked(beside={"time": "t"}))
    assert lost.labels == ("death",) and lost.values[:, 1].tolist() == [0, 0, 1, 1]
    new = Event.parse(
        frame.replace("transplant", "relapse"), "what", Asked(labels=("death", "transplant"), beside={"time": "t"})
    )
    assert "is none of the events in training" in new.rejects[1].message


@pytest.mark.parametrize(
    ("cells", "error", "words"),
    [(["0", "0"], DataError, "no row says that the event happened"), (["1", "0"], ConfigError, "--event TIME:death")],
)
def test_what_is_no_event(cells: list[str], error: type[Exception], words: str) -> None:
    asked = ASKED if error is DataError else Asked()
    with pytest.raises(error, match=words):
        Event.parse(pd.DataFrame({"death": cells, "days": ["1", "2"], "since": ["", ""]}), "death", asked)


def test_too_few_events_teach_nothing() -> None:
    with pytest.raises(DataError, match="3 events in 4 training rows, and at least 10"):
        Event(("death",), (("1",),)).adapt(targets([1, 2, 3, 4], [1, 1, 1, 0]))


def test_steps_are_quantiles_of_the_curve() -> None:
    time = [float(at) for at in range(1, 101)]
    (cuts,) = Event(("death",), (("1",),)).adapt(targets(time, [1] * 100)).cuts
    assert len(cuts) == 20 and cuts[-1] == 96.0  # five of a hundred are still watched then
    assert np.diff(cuts) == pytest.approx([5] * 19, abs=1)


def hazards(logits: torch.Tensor) -> np.ndarray:
    return np.asarray(torch.softmax(torch.cat([torch.zeros(1, logits.shape[1]), logits]), 0)[1:])


@pytest.mark.parametrize("causes", [("1",), ("death", "transplant")])
def test_the_loss_is_the_likelihood_of_the_steps(causes: tuple[str, ...]) -> None:
    kind = adapted(causes)
    cuts = np.array(kind.cuts[0])
    raw = torch.randn(6, kind.outputs, generator=torch.Generator().manual_seed(0))
    middle = float((cuts[3] + cuts[4]) / 2)
    time = [cuts[0] / 2, cuts[2], middle + 0.01, middle - 0.01, 1e4, cuts[5]]
    cause, start = [1, len(causes), 0, 0, 1, 1], [0, 0, 0, 0, 0, float(cuts[2])]
    loss, weight = kind.loss(raw, targets(time, cause, start))
    expected = []
    for row in range(6):
        h = hazards(raw[row].view(len(causes), -1))
        total, low = 0.0, 0.0
        for k, cut in enumerate(cuts):
            half, at_risk = (low + cut) / 2, (low + cut) / 2 >= start[row]
            if cause[row] and low < time[row] <= cut:
                total -= np.log(h[cause[row] - 1, k])
            elif at_risk and (cut < time[row] if cause[row] else half < time[row]):
                total -= np.log(1 - h[:, k].sum())
            low = cut
        expected.append(total)
    assert loss[:, 0].tolist() == pytest.approx(expected, rel=1e-4)
    assert weight[:, 0].tolist() == [1.0] * 6


def test_chances_by_time_are_those_of_the_hazards() -> None:
    kind = adapted(("death", "transplant"))
    raw = torch.randn(3, kind.outputs, generator=torch.Generator().manual_seed(1))
    found = kind.predict(raw).view(3, 2, -1).numpy()
    for row in range(3):
        h, left, sums = hazards(raw[row].view(2, -1)), 1.0, np.zeros(2)
        for k in range(h.shape[1]):
            sums += left * h[:, k]
            left *= 1 - h[:, k].sum()
            assert found[row, :, k] == pytest.approx(sums, rel=1e-4)
    assert len(kind.columns) == kind.outputs == found[0].size


def test_a_network_of_nothing_learns_the_kaplan_meier_curve() -> None:
    """With one bias per step and no input, the likelihood is greatest where hazards are the shares of the steps."""
    kind = adapted()
    random = np.random.default_rng(0)
    time, lost = random.exponential(10, 200), random.exponential(20, 200)
    own = targets(np.minimum(time, lost).tolist(), (time <= lost).astype(int).tolist())
    bias = torch.zeros(1, kind.outputs, requires_grad=True)
    optimiser = torch.optim.LBFGS([bias], max_iter=200)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss, weight = kind.loss(bias.expand(200, -1), own)
        total = (loss * weight).sum() / weight.sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(closure)
    curve = np.array(kind.guess(own.values[:, 0].numpy(), own.bound[:, 0].numpy()))
    assert kind.predict(bias.detach())[0].numpy() == pytest.approx(curve, abs=0.02)


def test_it_is_said_by_time() -> None:
    kind = adapted()
    steps = len(kind.cuts[0])
    estimates = np.stack([np.linspace(0, 0.9, steps), np.linspace(0, 0.4, steps)])
    _, _, interval = None, None, kind.calibrated(estimates, estimates, targets([5, 6], [1, 0]))[0]
    said = kind.said(estimates, np.full_like(estimates, np.nan), interval)
    assert said["death"].tolist() == pytest.approx([0.9, 0.4])
    assert [name for name in said if "_by_" in name] == [f"death_by_{kind.cuts[0][at]:.4g}" for at in kind._marks]
    before = int((estimates[0] >= 0.5).argmax())
    assert kind.cuts[0][before - 1] <= said["death_time"][0] <= kind.cuts[0][before]
    assert np.isnan(said["death_time"][1]) and interval.reason and not interval.limits
    assert kind.quantity == f"probability of death by {kind.cuts[0][-1]:.4g}" and kind.chance
    assert kind.text(12.5, ABOVE) == ">12.5" and kind.text(12.5, EXACT) == "12.5"


def test_of_no_rows_nothing_is_said() -> None:
    """Where every row of a table is refused."""
    kind = adapted()
    none = np.zeros((0, len(kind.cuts[0])))
    said = kind.said(none, none, kind.calibrated(none, none, targets([], []))[0])
    assert set(said) >= {"death", "death_std", "death_time"} and all(len(each) == 0 for each in said.values())


def test_trees_are_a_log_normal_time() -> None:
    kind = adapted()
    raw = np.array([[np.log(5.0), np.log(0.5)]])
    chance = kind.of_trees(raw, np.zeros(0, np.int64))[0]
    at = np.array(kind.cuts[0])
    assert chance[at <= 5].max(initial=0) <= 0.5 <= chance[at >= 5].min()
    assert kind.for_trees(np.exp(np.array([kind.mean[0] + kind.std[0]]))) == pytest.approx([1.0])


def test_it_is_written_and_read_back() -> None:
    kind = adapted(("death", "transplant"))
    assert restore(kind.state()) == kind
    joint = make({"death": "event", "size": "regression"}, {"death": ("1",)})
    assert joint.reads("death") == ("death", "death cause", "death start")
    with pytest.raises(ValueError, match="do not rise"):
        restore({**kind.state(), "cuts": [[3.0, 2.0]]})
