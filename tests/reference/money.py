"""The slow twin of the money: one replication, one month after the other, in plain Python, read from the study and not from tables."""

from __future__ import annotations

from fractions import Fraction
from math import floor


def walk_money(capital, commitment, horizon, waves, number, people, income, stop, units=100):
    """Walk one replication through its calendar.

    Parameters
    ----------
    capital
        The section of the study.
    commitment, horizon
        The most that can be drawn, in the currency; months of the calendar.
    waves
        By wave: its first month, and how many months people enter.
    number
        From a path to its value in this replication, or None.
    people
        By wave: how many.
    income
        By month: what comes in for the lenders, in the smallest unit.
    stop
        The month after which nothing is drawn or spent, or None.
    units
        Smallest units in one unit of the currency.

    Returns
    -------
    By name of a line: the amounts by month; and how each tranche stands at the end: `principal` is what it lost.
    """
    lines = {}

    def post(name, month, amount):
        lines.setdefault(name, [0] * (horizon + 1))[month] += amount

    def value(path, otherwise):
        found = number(f"capital.{path}")
        return otherwise if found is None else found

    tranches = capital.all_tranches(commitment)
    limit = to_even(commitment * units * value("drawn_share", 1.0))
    reserve = min(limit, 0 if capital.reserve is None else round(capital.reserve.amount.value * units))
    schedule = [0] * (horizon + 1)
    if capital.draws == "scheduled":
        schedule = equal_parts(limit - reserve, floor(number("capital.drawdown_months")), horizon)
    due = {
        name: due_by_month(f"capital.costs.{name}", cost, waves, people, number, horizon, units)
        for name, cost in capital.costs.items()
    }
    due = due or {"delivery": schedule}
    bonds = {}
    for name, cost in capital.costs.items():
        if cost.fails is not None:
            due, bonds = fail(name, cost.fails, due, bonds, number, horizon, units)
    gifts = {
        name: due_by_month(f"capital.grants.{name}", grant, waves, people, number, horizon, units)
        for name, grant in capital.grants.items()
    }
    purses = {
        name: to_even(value(f"grants.{name}.at_most", 0.0) * units)
        for name, grant in capital.grants.items()
        if grant.form == "at_most"
    }
    work_months = [m for m in range(horizon + 1) if schedule[m] > 0 or any(row[m] > 0 for row in due.values())]
    last_work = max(work_months, default=0)
    sizes = [tranche.size.value for tranche in tranches.values()]
    room = dict(zip(tranches, by_weight(limit, sizes if sum(sizes) > 0 else [1.0] * len(sizes)), strict=True))
    nothing = {"principal": 0, "interest": 0.0, "hurdle": 0.0, "in": 0, "out": 0, "peak": 0, "spent": False}
    owes = {name: dict(nothing) for name in tranches}
    works = payout = kept = 0
    deferred = dict.fromkeys(due, 0)
    called = dict.fromkeys(capital.guarantees, 0)
    for month in range(horizon + 1):
        if month > 0:
            for name, one in owes.items():
                growth = (1 + value(f"tranches.{name}.coupon_per_year", 0.0)) ** (1 / 12) - 1
                one["interest"] += (one["principal"] + one["interest"]) * growth
                ceiling = value(f"tranches.{name}.returns_at_most_per_year", None)
                if ceiling is not None:
                    one["hurdle"] *= 1 + ((1 + ceiling) ** (1 / 12) - 1)
        stopped = stop is not None and month > stop
        for name, one in tranches.items():
            until = horizon if one.available_until_month is None else one.available_until_month.value
            if 0 < month <= until and not stopped:
                owes[name]["interest"] += room[name] * (value(f"tranches.{name}.commitment_fee_per_year", 0.0) / 12)
            if month > until:
                room[name] = 0
        came, taken, fees, now = income[month], 0, 0, {}
        for name, row in due.items():
            fee = min(to_even(came * value(f"costs.{name}.share_of_income", 0.0)), came - fees)
            fees += fee
            asked = fee + (0 if stopped else row[month])
            later = to_even(asked * value(f"costs.{name}.deferred_share", 0.0))
            now[name] = asked - later
            deferred[name] += later
            if fee:
                taken += now[name]
        recycled = 0
        if month < last_work and not stopped:
            recycled = to_even((came - taken) * value("recycled_share", 0.0))
        works += taken + recycled
        payout += came - taken - recycled
        want = 0 if stopped else schedule[month]
        for name, gift in {} if stopped else (gifts | bonds).items():
            works += gift[month]
            post(f"grant.{name}", month, gift[month])
        if capital.draws == "as_needed":
            want = max(sum(now.values()) - works, 0)
            for name in () if stopped else purses:
                part = min(want, purses[name])
                want, works, purses[name] = want - part, works + part, purses[name] - part
                post(f"grant.{name}", month, part)
        first = reserve if month == 0 else 0
        drawn = take(want + first, room, capital.draw_order)
        for name, part in drawn.items():
            room[name] -= part
            owes[name]["principal"] += part
            owes[name]["hurdle"] += part
            owes[name]["in"] += part
            if tranches[name].revolving:
                owes[name]["peak"] = max(owes[name]["peak"], owes[name]["principal"])
                owes[name]["spent"] = owes[name]["spent"] or (part > 0 and room[name] == 0)
            post(f"draw.{name}", month, part)
        first = min(first, sum(drawn.values()))
        kept += first
        works += sum(drawn.values()) - first
        post("reserve.in", month, first)
        for name, asked in now.items():
            own = min(asked, works)
            helped = min(asked - own, kept)
            works, kept = works - own, kept - helped
            post(f"cost.{name}", month, own + helped)
            post(f"unpaid.cost.{name}", month, asked - own - helped)
            post("reserve.used", month, helped)
        at_end = month == horizon
        if month >= last_work or stopped:
            payout, works = payout + works, 0
        until = horizon if capital.reserve is None else capital.reserve.until_month.value
        if at_end or month >= until or (stop is not None and month >= stop):
            post("reserve.out", month, kept)
            payout, kept = payout + kept, 0
        opens = 0 if capital.distributed_from_month is None else capital.distributed_from_month.value
        if payout > 0 and (at_end or month >= opens):
            for step_name, step in capital.all_steps().items():
                if step.kind == "retained":
                    stays = to_even(payout * step.retained.value) if month < last_work and not stopped else 0
                    payout, works = payout - stays, works + stays
                    post(f"retained.{step_name}", month, stays)
                    continue
                paid = pay_step(step, payout, owes, deferred, called, value)
                for name, part in paid.items():
                    payout -= part
                    post(f"step.{step_name}.{name}", month, part)
                    is_open = name in tranches and month <= getattr(tranches[name].available_until_month, "value", horizon)
                    if step.kind == "principal" and is_open and tranches[name].revolving:
                        room[name] += part
        for name, one in in_order(capital.guarantees):
            if month == (horizon if one.month is None else one.month.value):
                for covered, part in call(one, owes, called, units).items():
                    called[name] += part
                    post(f"guarantee.{name}.{covered}", month, part)
    return lines, owes


def fail(name, fails, due, bonds, number, horizon, units):
    """Give what falls due and what is paid back where the payee of a cost fails: it, nobody, then whoever replaces it."""
    path = f"capital.costs.{name}.fails"
    month = floor(number(f"{path}.in_month"))
    gap = 0 if fails.after_months is None else int(fails.after_months.value)
    factor = 1.0 if fails.price_factor is None else number(f"{path}.price_factor")
    again = {}
    for one, row in due.items():
        again[one] = row if one != name else [amount if m < month else 0 for m, amount in enumerate(row)]
        if one == name and fails.replaced_by is not None:
            again[f"{name}_replacement"] = [to_even(amount * factor) if m >= month + gap else 0 for m, amount in enumerate(row)]
    if fails.recovered is not None:
        back = to_even(number(f"{path}.recovered") * units)
        bonds = bonds | {f"{name}_recovered": [back if m == month else 0 for m in range(horizon + 1)]}
    return again, bonds


def late_interest(comes, late, rate):
    """Give the simple interest on what a payer pays, by the month when it pays: a twelfth of the rate for each month that it is late."""
    return {month: to_even(part * (rate * floor(late) / 12)) for month, part in comes.items()}


def what_comes(owed, late, share, leaves, recovered):
    """Give what a payer pays, and what it leaves unpaid, of amounts by month: by month, the one when it pays, the other when it owes."""
    comes, unpaid = {}, {}
    for month, amount in owed.items():
        when = month + floor(late)
        part = to_even(amount * share)
        if leaves is not None and when >= floor(leaves):
            part = to_even(part * recovered)
        comes[when] = comes.get(when, 0) + part
        unpaid[month] = unpaid.get(month, 0) + amount - part
    return comes, unpaid


def pay_step(step, payout, owes, deferred, called, value):
    """Pay one step; give what each place got."""
    names = list(step.names)
    if step.kind == "rest":
        left = max(1.0 - sum(share.value for share in step.rest.values() if share != "rest"), 0.0)
        got = by_weight(payout, [left if share == "rest" else share.value for share in step.rest.values()])
    elif step.kind == "returns":
        got = []
        for name, share in step.returns.items():
            got.append(min(to_even(payout * share.value), most_returns(name, owes[name], value), payout - sum(got)))
    else:
        debts = {
            "interest": lambda name: max(to_even(owes[name]["interest"]), 0),
            "principal": lambda name: owes[name]["principal"],
            "deferred": lambda name: deferred[name],
            "reimburse": lambda name: called[name],
        }[step.kind]
        due = [debts(name) for name in names]
        got = in_proportion(min(payout, sum(due)), due)
    for name, part in zip(names, got, strict=True):
        if step.kind in ("interest", "principal"):
            owes[name][step.kind] -= part
        elif step.kind in ("deferred", "reimburse"):
            book = deferred if step.kind == "deferred" else called
            book[name] -= part
        if step.kind in ("interest", "principal", "returns", "rest") and name in owes:
            owes[name]["out"] += part
            owes[name]["hurdle"] -= part
    return dict(zip(names, got, strict=True))


def most_returns(name, one, value):
    """Give what a tranche may still get."""
    room = [10**18]
    multiple = value(f"tranches.{name}.returns_at_most_multiple", None)
    if multiple is not None:
        room.append(to_even(multiple * one["in"]) - one["out"])
    if value(f"tranches.{name}.returns_at_most_per_year", None) is not None:
        room.append(to_even(one["hurdle"]))
    return max(min(room), 0)


def call(guarantee, owes, called, units):
    """Let a guarantor pay; give what each covered one got."""
    lost = [owes[name]["principal"] if name in owes else called[name] for name in guarantee.covers]
    most = to_even(sum(lost) * (1.0 if guarantee.share is None else guarantee.share.value))
    if guarantee.at_most is not None:
        most = min(most, round(guarantee.at_most.value * units))
    if guarantee.at_most_share_of_drawn is not None:
        paid_in = sum(owes[name]["in"] for name in guarantee.covers if name in owes)
        most = min(most, to_even(guarantee.at_most_share_of_drawn.value * paid_in))
    paid = dict(zip(guarantee.covers, in_proportion(most, lost), strict=True))
    for name, part in paid.items():
        if name in owes:
            owes[name]["principal"] -= part
            owes[name]["out"] += part
            owes[name]["hurdle"] -= part
        else:
            called[name] -= part
    return paid


def in_order(guarantees):
    """Give guarantees after those that they cover."""
    done, order = set(), []
    while len(order) < len(guarantees):
        for name, one in guarantees.items():
            if name not in done and not (set(one.covers) & set(guarantees)) - done:
                order.append((name, one))
        done = {name for name, _ in order}
    return order


def spend(parties, horizon, waves, number, people, stop, units=100):
    """Give what parties spend themselves: by line the amounts by month, none after a stop."""
    lines = {}
    for party, one in parties.items():
        for name, cost in one.costs.items():
            due = due_by_month(f"parties.{party}.costs.{name}", cost, waves, people, number, horizon, units)
            lines[f"own_cost.{party}.{name}"] = [part if stop is None or month <= stop else 0 for month, part in enumerate(due)]
    return lines


def due_by_month(path, cost, waves, people, number, horizon, smallest):
    """Give what a cost comes to in each month: the running total is rounded."""
    units = [0.0] * (horizon + 1)
    first = 0 if cost.from_month is None else int(cost.from_month.value)
    if cost.form == "amount":
        units[first] = 1.0
    elif cost.form == "per_month":
        last = horizon if cost.until_month is None else int(cost.until_month.value)
        for month in range(first, last + 1):
            units[month] = 1.0
    elif cost.form == "per_person":
        lasts = 1 if cost.over_months is None else int(cost.over_months.value)
        for wave, (begin, enrolment) in waves.items():
            if cost.waves and wave not in cost.waves:
                continue
            for entry in range(floor(enrolment)):
                for month in range(lasts):
                    if begin + entry + month <= horizon:
                        units[begin + entry + month] += people[wave] / lasts / floor(enrolment)
    else:
        return units
    price, growth = number(f"{path}.{cost.form}"), number(f"{path}.growth_per_year") or 0.0
    so_far, parts, before = 0.0, [], 0
    for month, unit in enumerate(units):
        so_far += price * unit * (1 + growth) ** (month / 12)
        parts.append(to_even(so_far * smallest) - before)
        before += parts[-1]
    return parts


def equal_parts(total, months, horizon):
    """Share out a total over the first months."""
    ends = [total * min(month, months) // months for month in range(horizon + 2)]
    return [ends[month + 1] - ends[month] for month in range(horizon + 1)]


def take(want, room, order):
    """Let tranches pay in, side by side or one after the other."""
    names = list(room)
    want = min(want, sum(room.values()))
    if order == "side_by_side":
        return dict(zip(names, in_proportion(want, [room[name] for name in names]), strict=True))
    parts = {}
    for name in names if order == "senior_first" else reversed(names):
        parts[name] = min(want - sum(parts.values()), room[name])
    return parts


def in_proportion(amount, due):
    """Share out an amount over debts, to the unit: each gets its part of what is left."""
    parts, left, due_left = [], amount, sum(due)
    for debt in due:
        part = 0 if due_left == 0 else min(debt, left, to_even(left * (debt / due_left)))
        parts.append(max(part, left - (due_left - debt)))
        left, due_left = left - parts[-1], due_left - debt
    return parts


def by_weight(amount, weights):
    """Share out an amount by weights, to the unit; the last takes what is left."""
    parts, left, weight_left = [], amount, sum(weights)
    for weight in weights[:-1]:
        share = weight / weight_left if weight_left > 0 else 0.0
        parts.append(min(max(to_even(left * share), 0), left))
        left, weight_left = left - parts[-1], weight_left - weight
    return [*parts, left]


def to_even(number):
    """Round half to even, as somebody does who writes down thirteen digits of an amount; whole numbers are kept as they are."""
    return number if isinstance(number, int) else round(Fraction(f"{number:.12e}"))
