"""Score mlscale's choice beside other recommenders' rules and the best setting in hindsight.

    python -m benchmarks.quality [DIRECTORY]

Every rule sees the first 70 % of a load and is scored on the last 30 % by the same replay. Loads are generated; a
DIRECTORY adds its ``*.csv`` of ``timestamp,value`` rows (a load a file, scaled to a mean of 8 cores) and of
request arrivals (``TIMESTAMP`` first, counted). A pod requests 1 core and serves as much. Cost is core-hours beside
those of the cheapest setting that the same search finds on the last part itself, within the same budget.
"""

from __future__ import annotations

import csv
import statistics
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from mlscale.hpa.replay_model import FloatArray, Setting, World
from mlscale.recommend.baselines import api_default, crane_style, krr_style, vpa_style
from mlscale.recommend.score import Scored, cost_of, score_setting
from mlscale.recommend.search import Aim, Bounds, Question, search, split_demand

SYNC = 15.0
DAY = 5760
MEAN = 8.0
MOST = 100
WORLD = World()
LONGEST = 14 * DAY
"""Of a trace that goes on for longer, as many last days are taken from each third of it."""


@dataclass(frozen=True)
class Outcome:
    """One rule on one load."""

    unmet: float
    cost: float
    """In shares of the best setting's in hindsight."""


def main() -> None:
    """Print the tables, one an objective."""
    loads = generated()
    for path in sorted(Path(sys.argv[1]).glob("*.csv")) if len(sys.argv) > 1 else []:
        loads |= recorded(path)
    for aim in (Aim("cost"), Aim("balanced"), Aim("reliability")):
        _table(loads, aim)


def _table(loads: dict[str, FloatArray], aim: Aim) -> None:
    print(f"\n### {aim.objective}: at most {100 * aim.unmet:g} % of demand unmet\n")
    print("Unmet in per cent of demand / cost beside the best in hindsight.\n")
    rows = {name: compared(demand, aim) for name, demand in loads.items()}
    rules = list(next(iter(rows.values())))
    print(f"| load | {' | '.join(rules)} |\n|---|{'---|' * len(rules)}")
    for name, row in rows.items():
        cells = (f"{100 * one.unmet:.2f} / {one.cost:.2f}" for one in row.values())
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    for title, of in (("within budget", _within), ("median cost of those", _median)):
        print(f"| {title} | {' | '.join(of([row[rule] for row in rows.values()], aim.unmet) for rule in rules)} |")


def _within(outcomes: list[Outcome], budget: float) -> str:
    return f"{sum(one.unmet <= budget for one in outcomes)} of {len(outcomes)}"


def _median(outcomes: list[Outcome], budget: float) -> str:
    costs = [one.cost for one in outcomes if one.unmet <= budget]
    return f"{statistics.median(costs):.2f}" if costs else "none"


def compared(demand: FloatArray, aim: Aim) -> dict[str, Outcome]:
    """Every rule on one load."""
    seen, unseen = split_demand(demand)
    bounds, count = Bounds(MOST, (1.0,)), int(np.ceil(np.quantile(seen, 0.95)))
    rules: dict[str, Setting] = {
        "mlscale": search(Question(seen, WORLD, bounds, aim, count)).setting,
        "krr": krr_style(seen, count),
        "crane": crane_style(seen, count, 1.0),
        "VPA": vpa_style(seen, count, SYNC),
        "API default": api_default(1.0, MOST),
    }
    best = hindsight(unseen, bounds, aim, count)
    rules["hindsight"] = best
    scored = {name: _scored(unseen, setting, count) for name, setting in rules.items()}
    least = _cost(scored["hindsight"])
    return {name: Outcome(float(one.score.unmet[0]), _cost(one) / least) for name, one in scored.items()}


def hindsight(unseen: FloatArray, bounds: Bounds, aim: Aim, count: int) -> Setting:
    """The cheapest within budget on what the others have not seen."""
    return search(Question(unseen, WORLD, bounds, aim, count, margin=1.0)).setting


def _scored(demand: FloatArray, setting: Setting, count: int) -> Scored:
    first = min(max(count, setting.min_replicas), setting.max_replicas)
    return score_setting(demand, setting, setting.request, WORLD, first)


def _cost(scored: Scored) -> float:
    return float(cost_of(scored.score)[0])


def generated() -> dict[str, FloatArray]:
    """Loads of 7 days with what makes thresholds hard: cycles, bursts, trends, noise."""
    rng, hours = np.random.default_rng(3), np.arange(7 * DAY) / 240
    day = 1 + 0.6 * np.sin(2 * np.pi * hours / 24)
    lasting = np.convolve(rng.standard_normal(len(hours)), 0.97 ** np.arange(300))[: len(hours)]
    bursts = np.convolve(rng.random(len(hours)) < 6 / DAY, np.repeat(1.5, 40))[: len(hours)]
    office = np.where((hours % 24 > 8) & (hours % 24 < 18) & (hours < 24 * 5), 1.6, 0.3)
    loads = {
        "daily": day,
        "daily, noisy": day * (1 + 0.05 * lasting),
        "daily, bursts": day + bursts,
        "office hours": office,
        "growing 5 % a day": day * 1.05 ** (hours / 24),
        "steady": np.ones(len(hours)),
        "steady, noisy": 1 + 0.05 * lasting,
        "bursts alone": 0.3 + 2 * bursts,
        "hourly jobs": 0.5 + 1.5 * (hours % 1 < 0.25),
    }
    return {f"generated: {name}": _scaled(load) for name, load in loads.items()}


def recorded(path: Path) -> dict[str, FloatArray]:
    """The loads of one file, up to three stretches of 14 days."""
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    times = np.array([datetime.fromisoformat(row[0][:26]).timestamp() for row in rows[1:]])
    arrivals = rows[0][0] == "TIMESTAMP"
    syncs = np.arange(times.min(), times.max(), SYNC)
    if arrivals:
        edges = np.append(syncs, syncs[-1] + SYNC)
        return {path.stem: _scaled(np.histogram(times, edges)[0].astype(float))}
    load = np.interp(syncs, times, np.array([float(row[1]) for row in rows[1:]]))
    if len(load) <= LONGEST:
        return {path.stem: _scaled(load)}
    ends = [len(load) * part // 3 for part in (1, 2, 3)]
    return {f"{path.stem} ({part})": _scaled(load[max(0, e - LONGEST) : e]) for part, e in enumerate(ends, 1)}


def _scaled(load: FloatArray) -> FloatArray:
    return np.asarray(load.clip(0) * MEAN / load.mean())


if __name__ == "__main__":
    main()
