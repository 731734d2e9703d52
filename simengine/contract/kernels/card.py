"""Settle a rate card replication by replication, in whole numbers of the currency's smallest unit.

Letters of the axes: r = replications, x = rows of outcomes reached, p = people, o = outcomes of the contract, c = classes of people
(group and wave), w = waves, m = months from the start, d = dates of the card, k = bands, v = variations.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simengine.accelerate import device, kernel
from simengine.arrays import Flags, Floats, Int16s, Int32s, Integers, Lots, Masks
from simengine.rounding import nearest_unit

UNCHANGED = -1
"""In place of a cap that a variation does not change."""
NO_CAP = np.int64(1) << np.int64(62)
BY_PERSON, BY_WAVE, BY_OUTCOME, BY_YEAR, IN_ALL = range(1, 6)
"""Places of the limits of a card in `CARD_LIMITS`, from 1 on."""
_ONE = np.uint64(1)
_NONE = np.uint64(0)
_HALF = 16
_LOW = np.uint32(0xFFFF)


class CardArrays(NamedTuple):
    """A rate card as numbers."""

    price: Floats  # (o, c, m) of what is reached in month m; where there are bands: what multiplies their prices
    band_from: Floats  # (o, k) people or units before the band; infinite where there is none
    band_price: Floats  # (o, k)
    n_bands: Integers  # (o,) 0 for none
    is_priced: Flags  # (o,)
    has_units: Flags  # (o,) whether rows hold units, and not people
    each_time: Flags  # (o,)
    beyond: Floats  # (o,) units that must be reached; 0 for none
    counted_back: Flags  # (o,)
    net_of: Masks  # (o,) outcomes whose units are taken off
    needs: Masks  # (o,) outcomes that must be reached too
    unlocks: Masks  # (o,) outcomes that need this one
    undoes: Masks  # (o,) outcomes that are lost by this one
    lost_within: Integers  # (o,) months
    owed_back: Floats  # (o,) share
    due: Int16s  # (o, m) date on which it is paid; -1 for never
    due_later: Int16s  # (o, m) the same where it is disputed
    cap: Integers  # (o,)
    cap_per_wave: Integers  # (w,)
    year: Integers  # (d,) budget year of each date
    limits: Integers  # (3,) per person, per budget year, in all
    is_carried: bool  # whether what exceeds a budget year joins the next
    shares: Floats  # (2,) of claims that are audited, and that are disputed
    is_extrapolated: bool
    units: float  # smallest units in one unit of the currency


class VariationArrays(NamedTuple):
    """What variations change of a card, the earliest first."""

    after: Integers  # (v,) month after which each holds
    signed_rank: Int16s  # (o, c) whose the price of the card is: 1 of all, 2 of a wave, 3 of a group
    rank: Int16s  # (v, o, c) the same of a new price; 0 where there is none
    price: Floats  # (v, o, c, m)
    cap: Integers  # (v, o) negative where a cap stays, here and below
    cap_per_wave: Integers  # (v, w)
    limits: Integers  # (v, 3) as of the card
    month_of_date: Integers  # (d,)


@device
def most_between(bounds: Integers) -> int:
    """Return the length of the longest part between two bounds."""
    most = 0
    for r in range(len(bounds) - 1):
        most = max(most, bounds[r + 1] - bounds[r])
    return most


@kernel
def settle_card(
    first_row: Integers,  # (r + 1,)
    first_person: Integers,  # (r + 1,)
    person: Int32s,  # (x,)
    outcome: Int16s,  # (x,) of the contract; -1 for one that it does not know
    month: Int16s,  # (x,)
    quantity: Floats,  # (x,) or (0,): each row counts 1
    is_false: Flags,  # (x,) or (0,)
    lots: Lots,  # (x,) or (0,)
    wave: Int16s,  # (people,)
    kind: Integers,  # (people,) class
    card: CardArrays,
    varied: VariationArrays,
    holds: Flags,  # (r, v)
    amount: Floats,  # (r, o, d) filled, in the currency
    limit: NDArray[np.int8],  # (r, d) filled: the first cap that cut anything, 0 for none
    by_row: Integers,  # (x,) or (0,) filled: what each row changed, before all caps but that of its person
) -> None:
    """Settle what each person reached, month by month, then the caps of each date."""
    n_outcomes, n_dates = amount.shape[1], amount.shape[2]
    # Names for the arrays of the loop: a bundle that is handed on whole costs more than what is done with it.
    price, band_from, band_price, n_bands, is_priced = card.price, card.band_from, card.band_price, card.n_bands, card.is_priced
    has_units, each_time, beyond, counted_back = card.has_units, card.each_time, card.beyond, card.counted_back
    net_of, needs, unlocks, undoes = card.net_of, card.needs, card.unlocks, card.undoes
    lost_within, owed_back, due, due_later = card.lost_within, card.owed_back, card.due, card.due_later
    is_extrapolated, units_per_one = card.is_extrapolated, card.units
    from_after, signed_rank, rank, new_price, n_varied = (
        varied.after, varied.signed_rank, varied.rank, varied.price, len(varied.after),
    )  # fmt: skip
    n_months, n_waves = due.shape[1], len(card.cap_per_wave)
    can_be_lost = np.zeros(n_outcomes, np.bool_)
    for o in range(n_outcomes):
        for j in range(n_outcomes):
            can_be_lost[o] |= undoes[j] & (_ONE << np.uint64(o)) != _NONE
    most_people = most_between(first_person)
    paid = np.zeros(most_people, np.int64)
    seen = np.zeros(most_people, np.uint64)
    kept, since = np.zeros((most_people, n_outcomes), np.int64), np.zeros((most_people, n_outcomes), np.int64)
    gathered, waiting = np.zeros((most_people, n_outcomes)), np.zeros((most_people, n_outcomes))
    waiting_row = np.zeros((most_people, n_outcomes), np.int64)
    kept_on = np.zeros((most_people, n_outcomes), np.int64)
    booked = np.zeros((n_waves, n_outcomes, n_dates), np.int64)
    backed = np.zeros((n_waves, n_outcomes, n_dates), np.int64)
    sampled, found = np.zeros((n_outcomes, n_dates), np.int64), np.zeros((n_outcomes, n_dates), np.int64)
    is_cut = np.zeros(n_dates, np.bool_)
    counted, net = np.zeros(n_outcomes), np.zeros(n_outcomes)
    order = np.zeros(n_outcomes + 1, np.int64)
    audited = np.int64(np.rint(card.shares[0] * (1 << _HALF)))
    disputed = np.int64(np.rint(card.shares[1] * (1 << _HALF)))
    for r in range(len(first_row) - 1):
        start, stop, people = first_row[r], first_row[r + 1], first_person[r]
        n_people = first_person[r + 1] - people
        paid[:n_people] = 0
        seen[:n_people] = _NONE
        kept[:n_people] = 0
        gathered[:n_people] = 0.0
        waiting[:n_people] = 0.0
        booked[:] = 0
        backed[:] = 0
        sampled[:] = 0
        found[:] = 0
        is_cut[:] = False
        counted[:] = 0.0
        x = start
        while x < stop:
            now, p = np.int64(month[x]), np.int64(person[x])
            if now >= n_months:
                break
            # All that this person reached in this month, in the order of the contract.
            n_group = 0
            while x < stop and month[x] == now and person[x] == p:
                if outcome[x] >= 0:
                    place = n_group
                    while place > 0 and outcome[order[place - 1]] > outcome[x]:
                        order[place] = order[place - 1]
                        place -= 1
                    order[place] = x
                    n_group += 1
                x += 1
            for place in range(n_group):
                row = order[place]
                net[outcome[row]] = quantity[row] if len(quantity) > 0 else 1.0
            w, c = np.int64(wave[people + p]), kind[people + p]
            for place in range(n_group):
                row = order[place]
                o = int(outcome[row])
                bit = _ONE << np.uint64(o)
                # What this outcome undoes.
                for j in range(n_outcomes if undoes[o] != _NONE else 0):
                    other = _ONE << np.uint64(j)
                    if undoes[o] & other == _NONE or seen[p] & other == _NONE or now - since[p, j] > lost_within[j]:
                        continue
                    # Not before it was paid; nothing where the undoing outcome is never validated.
                    d = max(np.int64(due[o, now]), kept_on[p, j]) if due[o, now] >= 0 else np.int64(-1)
                    back = np.int64(nearest_unit(owed_back[j] * kept[p, j])) if d >= 0 else np.int64(0)
                    backed[w, j, max(d, 0)] += back
                    paid[p] -= back
                    kept[p, j] = 0
                    waiting[p, j] = 0.0
                    seen[p] &= ~other
                    if len(by_row) > 0:
                        by_row[row] -= back
                units = net[o] if has_units[o] else 1.0
                if has_units[o] and net_of[o] != _NONE:
                    for other_place in range(n_group):
                        j = int(outcome[order[other_place]])
                        if net_of[o] & (_ONE << np.uint64(j)) != _NONE:
                            units -= net[j]
                    units = max(units, 0.0)
                is_again = seen[p] & bit != _NONE
                seen[p] |= bit
                if can_be_lost[o] and not is_again:
                    since[p, o] = now
                is_claimed = is_priced[o] and (has_units[o] or each_time[o] or not is_again)
                if is_claimed and needs[o] != _NONE:
                    waiting[p, o] += units
                    waiting_row[p, o] = row
                # Itself, and what waited for it: each where all that it needs is reached.
                for j in range(n_outcomes if unlocks[o] != _NONE else 1):
                    i = j if unlocks[o] != _NONE else o
                    if i == o and needs[o] == _NONE:
                        if not is_claimed:
                            continue
                        claim, q = row, units
                    elif (i != o and unlocks[o] & (_ONE << np.uint64(i)) == _NONE) or (
                        waiting[p, i] == 0.0 or seen[p] & needs[i] != needs[i]
                    ):
                        continue
                    else:
                        claim, q = waiting_row[p, i], waiting[p, i]
                        waiting[p, i] = 0.0
                    if has_units[i]:
                        before = gathered[p, i]
                        gathered[p, i] += q
                        if before < beyond[i]:
                            after = before + q
                            q = 0.0 if after < beyond[i] else (after if counted_back[i] else after - beyond[i])
                    is_late = len(lots) > 0 and np.int64(lots[claim] & _LOW) < disputed
                    d = np.int64(due_later[i, now] if is_late else due[i, now])
                    if d < 0 or q == 0.0:
                        continue
                    each, own, cap_per_person = price[i, c, now], signed_rank[i, c], card.limits[0]
                    for v in range(n_varied):
                        if holds[r, v] and now > from_after[v]:
                            if rank[v, i, c] >= own:
                                each, own = new_price[v, i, c, now], rank[v, i, c]
                            cap_per_person = cap_per_person if varied.limits[v, 0] < 0 else varied.limits[v, 0]
                    worth = each * q
                    if n_bands[i] > 0:
                        worth = 0.0
                        for k in range(n_bands[i]):
                            last = band_from[i, k + 1] if k + 1 < n_bands[i] else np.inf
                            inside = min(last, counted[i] + q) - max(band_from[i, k], counted[i])
                            worth += band_price[i, k] * max(inside, 0.0)
                        worth *= each
                    owed = np.int64(nearest_unit(worth * units_per_one))
                    counted[i] += q
                    if owed > cap_per_person - paid[p]:
                        owed = max(cap_per_person - paid[p], np.int64(0))
                        is_cut[d] = True
                    paid[p] += owed
                    booked[w, i, d] += owed
                    if len(by_row) > 0:
                        by_row[row] += owed
                    is_not_paid = False
                    if len(lots) > 0 and np.int64(lots[claim] >> np.uint32(_HALF)) < audited:
                        sampled[i, d] += owed
                        if len(is_false) > 0 and is_false[claim]:
                            found[i, d] += owed
                            is_not_paid = not is_extrapolated
                            booked[w, i, d] -= owed if is_not_paid else 0
                    if can_be_lost[i]:
                        kept[p, i], kept_on[p, i] = np.int64(0) if is_not_paid else owed, d
        cut_dates(card, varied, holds[r], booked, backed, sampled, found, is_cut, amount[r], limit[r])


@device
def cut_dates(
    card: CardArrays,
    varied: VariationArrays,
    holds: Flags,  # (v,)
    booked: Integers,  # (w, o, d) claims
    backed: Integers,  # (w, o, d) owed back
    sampled: Integers,  # (o, d)
    found: Integers,  # (o, d)
    is_cut: Flags,  # (d,)
    amount: Floats,  # (o, d) filled
    limit: NDArray[np.int8],  # (d,) filled
) -> None:
    """Verify each date, then cut it by wave, outcome, budget year and in all."""
    n_waves, n_outcomes, n_dates = booked.shape
    cap_per_wave, cap, limits, year_of = card.cap_per_wave.copy(), card.cap.copy(), card.limits.copy(), card.year
    is_extrapolated, is_carried, units_per_one = card.is_extrapolated, card.is_carried, card.units
    of_wave, of_outcome, parts = np.zeros(n_waves, np.int64), np.zeros(n_outcomes, np.int64), np.zeros(n_waves, np.int64)
    carried = np.zeros(n_outcomes, np.int64)
    in_year, year, in_all = np.int64(0), np.int64(-1), np.int64(0)
    for d in range(n_dates):
        limit[d] = BY_PERSON if is_cut[d] else 0
        if year_of[d] != year:
            in_year, year = np.int64(0), year_of[d]
        for v in range(len(holds)):
            if holds[v] and varied.after[v] < varied.month_of_date[d]:
                replace_caps(cap, varied.cap[v])
                replace_caps(cap_per_wave, varied.cap_per_wave[v])
                replace_caps(limits, varied.limits[v])
        cap_per_year, cap_in_all = limits[1], limits[2]
        for o in range(n_outcomes):
            owed = np.int64(0)
            is_reduced = is_extrapolated and found[o, d] > 0
            for w in range(n_waves):
                part = booked[w, o, d]
                if is_reduced:
                    part = np.int64(nearest_unit(part * (sampled[o, d] - found[o, d]) / sampled[o, d]))
                part -= backed[w, o, d]
                left = max(cap_per_wave[w] - of_wave[w], np.int64(0))
                if part > left:
                    part = left
                    limit[d] = BY_WAVE if limit[d] == 0 else limit[d]
                of_wave[w] += part
                parts[w] = part
                owed += part
            owed += carried[o]
            carried[o] = 0
            left = max(cap[o] - of_outcome[o], np.int64(0))
            if owed > left:
                owed = left
                limit[d] = BY_OUTCOME if limit[d] == 0 else limit[d]
            # No more is owed back than was paid; what is not, waves keep as paid.
            not_back = -of_outcome[o] - owed
            if not_back > 0:
                owed = -of_outcome[o]
                for w in range(n_waves):
                    given = min(not_back, max(-parts[w], np.int64(0)))
                    of_wave[w] += given
                    not_back -= given
            left = max(cap_per_year - in_year, np.int64(0))
            if owed > left:
                carried[o] = owed - left if is_carried else np.int64(0)
                owed = left
                limit[d] = BY_YEAR if limit[d] == 0 else limit[d]
            left = max(cap_in_all - in_all, np.int64(0))
            if owed > left:
                owed = left
                limit[d] = IN_ALL if limit[d] == 0 else limit[d]
            of_outcome[o] += owed
            in_year += owed
            in_all += owed
            amount[o, d] = owed / units_per_one


@device
def replace_caps(cap: Integers, new: Integers) -> None:
    """Put new caps in the place of others, where there are new ones."""
    for i in range(len(cap)):
        if new[i] >= 0:
            cap[i] = new[i]


@kernel
def count_reached(
    first_row: Integers,  # (r + 1,)
    first_person: Integers,  # (r + 1,)
    person: Int32s,  # (x,)
    outcome: Int16s,  # (x,) of the contract; -1 for one that it does not know
    month: Int16s,  # (x,)
    quantity: Floats,  # (x,) or (0,)
    wave: Int16s,  # (people,)
    has_units: Flags,  # (o,)
    due: Int16s,  # (o, m) date by which it is validated; -1 for never
    number: Floats,  # (r, o, w, d) added to
) -> None:
    """Count who reached what by date, each person once; units are added up."""
    most_people = most_between(first_person)
    seen = np.zeros(most_people, np.uint64)
    for r in range(len(first_row) - 1):
        people = first_person[r]
        seen[: first_person[r + 1] - people] = _NONE
        for x in range(first_row[r], first_row[r + 1]):
            o, now, p = np.int64(outcome[x]), np.int64(month[x]), np.int64(person[x])
            if o < 0 or now >= due.shape[1]:
                continue
            bit = _ONE << np.uint64(o)
            if not has_units[o] and seen[p] & bit != _NONE:
                continue
            seen[p] |= bit
            d = due[o, now]
            if d >= 0:
                number[r, o, wave[people + p], d] += quantity[x] if has_units[o] and len(quantity) > 0 else 1.0
