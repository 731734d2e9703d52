"""Contracts and outcomes that hypothesis makes up: every kind of term, inside every other."""

from hypothesis import strategies as st

from simengine.contract.terms import TERM_KINDS

NUMBERS = st.sampled_from([0.0, 0.5, 1.0, 2.0, 10.0, 100.0]) | st.floats(0, 1000, allow_subnormal=False)
SIGNED = st.sampled_from([-10.0, 0.0, 0.5, 1.0, 2.0, 10.0]) | st.floats(-1000, 1000, allow_subnormal=False)
RATES = st.sampled_from([0.0, 0.05, 0.15])
WAVES = ("first", "second", "third")
METRICS = ("one", "two", "three", "mix")
MILESTONES = ("entry", "job")
DATES = {"early": {"month": 6, "drawn": 0.25}, "middle": {"month": 12, "drawn": 0.75}, "late": {"month": 30}}
OF_PEOPLE = ("rate_card", "reached")
"""Kinds that are settled on who reached what: see `random_cards`."""
CALENDAR = {"coupon", "to_irr", "indexed", "in_force_from"}


@st.composite
def gates(draw, names):
    edges = draw(st.lists(SIGNED, min_size=2, max_size=2, unique=True).map(sorted))
    lower, upper = draw(st.sampled_from(["above", "at_least"])), draw(st.sampled_from(["below", "at_most"]))
    gate = {lower: edges[0], upper: edges[1]}
    for unwanted in draw(st.sampled_from([(), (lower,), (upper,)])):
        gate.pop(unwanted)
    return gate


@st.composite
def terms(draw, names, earlier=(), dated=False, depth=2, per_wave=True, kinds=None):
    """A term that refers to the names, and to the payments of earlier terms."""
    allowed = kinds or tuple(kind for kind in TERM_KINDS if kind not in OF_PEOPLE)
    kinds = [kind for kind in allowed if dated or kind not in CALENDAR]
    if not earlier:
        kinds = [kind for kind in kinds if kind not in ("paid", "true_up")]
    if not per_wave:
        kinds = [kind for kind in kinds if kind != "per_wave"]
    if depth == 0:
        kinds = [kind for kind in kinds if kind in ("amount", "share")] or ["amount"]
    kind = draw(st.sampled_from(kinds))

    def source(**changes):
        below = terms(names, earlier, dated, depth - 1, per_wave=changes.get("per_wave", per_wave), kinds=allowed)
        leaf = st.sampled_from([*names, *earlier]) | SIGNED
        return draw(leaf if depth == 0 else leaf | below)

    def sources(least=2):
        return [source() for _ in range(draw(st.integers(least, 3)))]

    def rate():
        return draw(RATES) if draw(st.booleans()) else {"steps": [{"at_least": draw(SIGNED), "pays": draw(RATES)}], "of": source()}

    def bands():
        return [{**draw(gates(names)), "pays": source()} for _ in range(draw(st.integers(1, 3)))]

    def points():
        places = sorted(draw(st.lists(st.sampled_from([-10.0, 0.0, 0.5, 2.0, 10.0, 50.0]), min_size=2, max_size=4)))
        places = [p for i, p in enumerate(places) if i < 2 or places[i - 2] != p]
        return [{"at": place, "pays": draw(SIGNED)} for place in places]

    term = {
        "amount": lambda: {"amount": draw(SIGNED)},
        "share": lambda: {"share": draw(NUMBERS), "of": source()} | ({"above": source()} if draw(st.booleans()) else {}),
        "price": lambda: (
            {"price": draw(NUMBERS), "per": source()}
            | ({"deadweight": source()} if draw(st.booleans()) else {})
            | ({"up_to": source()} if draw(st.booleans()) else {})
        ),
        "prices": lambda: {"prices": [{"beyond": at, "price": draw(NUMBERS)} for at in (-1.0, 0.0, 7.5)], "per": source()},
        "target": lambda: (
            {"target": draw(st.sampled_from([0.5, 1.0, 8.0])), "of": source(), "full": source()}
            | ({"at_most": draw(NUMBERS)} if draw(st.booleans()) else {})
            | ({"pays_from": draw(SIGNED)} if draw(st.booleans()) else {})
        ),
        "steps": lambda: {"steps": bands(), "of": source()} | ({"otherwise": source()} if draw(st.booleans()) else {}),
        "line": lambda: {"line": points(), "of": source()},
        "sum": lambda: {"sum": sources(1)},
        "product": lambda: {"product": sources()},
        "least": lambda: {"least": sources()},
        "greatest": lambda: {"greatest": sources()},
        "first_of": lambda: {"first_of": sources()},
        "coupon": lambda: {"coupon": rate(), "of": source()},
        "to_irr": lambda: {"to_irr": rate()},
        "to_multiple": lambda: {"to_multiple": draw(NUMBERS)},
        "until": lambda: {
            "until": source(),
            "of": source(),
            "first": draw(st.sampled_from([0.25, 0.95, 1.0])),
            "then": draw(NUMBERS),
        },
        "paid": lambda: {"paid": draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=2, unique=True))},
        "true_up": lambda: {"true_up": source(), "against": [draw(st.sampled_from(earlier))], "claw_back": draw(st.booleans())},
        "indexed": lambda: {"indexed": source(), "rate_per_year": rate()},
        "in_force_from": lambda: {"in_force_from": {"early": source(), "late": source()}},
        "per_wave": lambda: (
            {"per_wave": source(per_wave=False), "cumulative": draw(st.booleans())}
            | ({"waves": ["second"]} if draw(st.booleans()) else {})
        ),
        "milestones": lambda: (
            {"milestones": {"job": draw(NUMBERS), "entry": draw(NUMBERS)}, "in_order": draw(st.booleans())}
            | ({"cap_per_person": draw(NUMBERS)} if draw(st.booleans()) else {})
        ),
    }[kind]()
    for limit in ("floor", "cap"):
        if draw(st.integers(0, 3)) == 0:
            term[limit] = source()
    if isinstance(term.get("floor"), float | dict) and "cap" in term:
        term["floor"] = "one"  # two limits of one kind may contradict each other
    if draw(st.integers(0, 3)) == 0:
        names_of_gates = [*names, *earlier]
        term["only_if"] = {
            name: draw(gates(names)) for name in draw(st.lists(st.sampled_from(names_of_gates), min_size=1, max_size=2))
        }
    return term


@st.composite
def contracts(draw):
    """A contract as a file would say it: some terms, with dates or without, sometimes with a stop and a total cap."""
    dated = draw(st.booleans())
    metric = {"meaning": "something", "unit": "SEK"}
    raw = {
        "title": "A test",
        "currency": "SEK",
        "commitment": 1e6,
        "metrics": {
            "one": metric,
            "two": metric | {"over_waves": "sum"},
            "three": metric | {"when_missing": draw(SIGNED)},
            "mix": metric | {"derived": {"sum": [{"share": 0.8, "of": "one"}, {"share": 0.2, "of": "two"}]}},
        },
        "waves": dict.fromkeys(WAVES, "a wave"),
        "milestones": dict.fromkeys(MILESTONES, "a milestone"),
        "parties": {"guarantor": "somebody"},
        "terms": {},
    }
    names = ["drawn", "outstanding", "returned", *METRICS]
    if dated:
        raw["dates"] = DATES
        if draw(st.booleans()):
            raw["stops"] = {"halt": {"at": "early", "only_if": {"one": draw(gates(names))}, "by": ["investor"]}}
            names.append("halt")
    for number in range(draw(st.integers(1, 3))):
        earlier = list(raw["terms"])
        term = draw(terms(names, earlier, dated))
        payer, payee = draw(
            st.sampled_from([("outcome_payer", "investor"), ("investor", "service_provider"), ("guarantor", "investor")])
        )
        term |= {"payer": payer, "payee": payee}
        if payee == "investor":
            term["repays_principal"] = draw(st.booleans())
        if dated:
            term |= {
                "at": draw(st.sampled_from([[], ["early"], ["early", "late"], ["middle"]])),
                "despite_stop": draw(st.booleans()),
            }
            if draw(st.booleans()):
                term["delay_months"] = draw(st.sampled_from([3, 6, 12]))
        raw["terms"][f"t{number}"] = term
    if draw(st.integers(0, 3)) == 0:
        raw["total_cap"] = draw(NUMBERS)
    return raw


@st.composite
def outcomes(draw, may_lack=True):
    """What was measured; sometimes not everything."""
    value = SIGNED | st.just(float("nan")) if may_lack else SIGNED
    found = {name: draw(value) for name in ("one", "two", "three")}
    for wave in WAVES:
        found |= {f"{name}.{wave}": draw(value) for name in ("one", "two", "three")}
        found[f"people.{wave}"] = draw(NUMBERS)
    for wave in range(len(WAVES)):
        found |= {f"{combination}.{wave}": float(draw(st.integers(0, 50))) for combination in range(4)}
    return found
