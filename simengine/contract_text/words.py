"""Every English word with which a contract is explained and checked; `wording` puts those of another language in their place.

`KIND_WORDS` says each kind of term: the phrase for what it always has, then a clause for each part that it may leave out. In braces
stand the parts of the term. `ROWS` says the rows of their tables; `PER_CENT`, `LONG_LISTS` and `CHOICES` how single parts are said.
"""

from __future__ import annotations

from collections.abc import Mapping

KIND_WORDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "amount": ("{amount}", {}),
    "share": ("{share} of {of}", {"above": ", as far as it exceeds {above}"}),
    "price": (
        "{price} for each unit of {per}",
        {"deadweight": " beyond the {deadweight} that would have come about anyway", "up_to": ", for {up_to} units at most"},
    ),
    "prices": ("for each unit of {per} the price of its tranche: {prices}", {}),
    "target": (
        "{full}, in proportion to how much of the target of {target} {of} reached, up to {at_most} times that",
        {"pays_from": ", and nothing below {pays_from}"},
    ),
    "steps": ("by a table of {of}: {steps}", {"otherwise": "; outside the table {otherwise}"}),
    "line": ("along a line over {of}: {line}", {}),
    "sum": ("{sum} together", {}),
    "product": ("{product} multiplied with each other", {}),
    "least": ("the smallest of {least}", {}),
    "greatest": ("the largest of {greatest}", {}),
    "first_of": ("the first of these that applies: {first_of}", {}),
    "coupon": ("interest on {of} since the last date, at a yearly rate of {coupon}", {}),
    "to_irr": ("what the investor still lacks to a return of {to_irr} a year", {}),
    "to_multiple": ("what the investor still lacks to {to_multiple} times the money paid in", {}),
    "until": ("{first} of {of} until {until} is reached, and {then} of what is left", {}),
    "paid": ("what was paid so far under {paid}", {}),
    "true_up": ("{true_up}, less what was paid under {against}", {"claw_back": "; too much is paid back"}),
    "indexed": ("{indexed}, grown by {rate_per_year} a year since the start", {}),
    "in_force_from": ("what is in force on the date: {in_force_from}", {}),
    "per_wave": (
        "for each wave, on its own results: {per_wave}",
        {"waves": " (waves: {waves})", "cumulative": ", counting earlier waves"},
    ),
    "rate_card": (
        "for each outcome that a person reaches the price of the rate card below",
        {
            "cap_per_person": ", at most {cap_per_person} for a person, in the order in which outcomes are reached",
            "cap_per_wave": ", at most for the people of each wave: {cap_per_wave}",
            "cap_per_year": ", at most {cap_per_year}",
            "cap_in_all": ", at most {cap_in_all} over all dates",
            "open_at_end": "; what was reached by the last date and is validated after it is {open_at_end}",
            "audit": "; {audit}",
            "dispute": "; {dispute}",
            "varied": "; it changes on the way as said below it",
        },
    ),
    "reached": ("the number of those who reached {reached} since the {since}", {"per_person": ", as a share of all people"}),
    "milestones": (
        "for each person a price for every milestone reached: {milestones}",
        {
            "cap_per_person": ", at most {cap_per_person} for a person",
            "in_order": ", each only for those who reached all milestones before it",
        },
    ),
}
PER_CENT = ("share", "first", "then")
"""Keys of shares of a whole."""
LONG_LISTS = ("steps", "line", "prices", "first_of")
"""Keys of lists whose members have commas of their own."""
CHOICES = ("since", "excess", "open_at_end")
"""Keys under which one of several words stands, to be read as words."""
GATES = {"above": "above {level}", "at_least": "at least {level}", "below": "below {level}", "at_most": "at most {level}"}
ROWS = {"Band": "{edges}: {pays}", "TablePoint": "{pays} at {at}", "VolumeBand": "{price} each beyond {beyond}"} | {
    "BudgetYear": "{at_most} in a budget year (what exceeds it is {excess})",
    "Audit": "{share} of the claims are verified, and what proves false is not paid",
    "Dispute": "{share} of the claims are disputed and validated {later_by_months} months later",
}
LIMIT_WORDS = {"floor": "but at least {floor}", "cap": "and at most {cap}", "only_if": "only if {only_if}, otherwise nothing"}
MONEY_WORD = {
    "drawn": "the money drawn",
    "outstanding": "the principal outstanding",
    "returned": "what the investor has got back so far",
}
BOUND = {
    "formula": "by its formula",
    "floor": "the formula gives less than its floor",
    "cap": "the formula gives more than its cap",
    "gate": "nothing, because a condition is not met",
    "stop": "nothing, because the contract was stopped",
    "total_cap": "cut by the cap on all terms together",
}
BOUND_INSIDE = "as its {path} decided"
CARD_COLUMNS = ("outcome", "what counts", "evidence", "price", "conditions")
EXAMPLE_COLUMNS = ("person", "month", "outcome", "units", "moves", "person so far")
NUMBERS_RIGHT = ("month", "units", "moves", "person so far")
CARD = {
    "validated": "; validated {months} later",
    "each_person": "a person",
    "each_unit": "for each of the {unit}",
    "price": "{price} {each}",
    "no_price": "no price: others depend on it",
    "band": "{price} each beyond {beyond}",
    "by_group": "{price} in group {group}",
    "by_wave": "{price} in wave {wave}",
    "from_month": "{price} from month {month} on",
    "index": "{rate} more each full year",
    "needs": "only with {names}",
    "each_time": "each time",
    "beyond": "only {unit} beyond {units} of a person",
    "counted_back": "from {units} {unit} of a person on, then from the first",
    "net_of": "less {names} of the same month",
    "lost": "lost by {name}{within}, {share} owed back",
    "within": " within {months}",
    "cap": "at most {cap} in all",
    "varied": "Varied by {name}, for what is reached after its date and on later dates: {changes}.",
    "varied_outcome": "{name}: {changes}",
    "varied_cap": "{cap} {amount}",
    "varied_wave": "cap of wave {wave} {amount}",
}
VARIED_CAPS = {"cap_per_person": "cap per person", "cap_per_year": "cap per budget year", "cap_in_all": "cap in all"}
PARTY_WORDS = {"investor": "the investor", "outcome_payer": "the outcome payer", "service_provider": "the service provider"}

PHRASES = {
    "lends": "The investor lends up to {commitment} {currency}.",
    "nobody_lends": "Nobody lends.",
    "further_parties": "Further parties: {parties}.",
    "measured": "WHAT IS MEASURED",
    "metric": "- {name}: {meaning}, in {unit}{evaluator}{anew}{missing}.",
    "anew_so_far": "; measured anew for {dates}, as {first} to {last}, of which the latest counts",
    "anew_since_last": "; measured anew for {dates}, as {first} to {last}: by how much the latest exceeds the one before counts",
    "evaluator": "; measured by {evaluator}",
    "derived": "- {name}: {meaning}, in {unit}; it follows from the others as {derived}.",
    "missing": "; where it was not measured, {value} counts",
    "dates": "WHEN",
    "date": "- {name}: month {month}{drawn}.",
    "dates_repeated": "- {name}: every {every} months from month {first} to month {last}, {number} dates.",
    "date_drawn": "; the investor pays in {share} of the money drawn",
    "waves": "- Waves: {waves}.",
    "milestones": "- Milestones: {milestones}.",
    "stop": "- {name}: at {at} the contract is stopped if {gates}; decided by {by}. Later payments then fall away.",
    "variation": "- {name}: a variation that holds from {at} on{gates}.",
    "variation_gates": ", if {gates} by then",
    "paid": "WHAT IS PAID",
    "term": "- {name}: {payer} pays {payee} {phrase}{limits}.{when}{notes}",
    "when": " Settled at {at}{delay}.",
    "delay": ", paid {months} months later",
    "guarantee": " It is paid for delivery, whatever is measured.",
    "principal": " It repays principal.",
    "despite_stop": " It is paid even after a stop.",
    "total_cap": "- All terms together: the outcome payer pays at most {cap}.",
    "example": "A WORKED EXAMPLE",
    "card": "THE RATE CARD ({name})",
    "outcome": "- {name}: {meaning}, counted person by person{unit}{evaluator}{delay}.",
    "outcome_unit": ", in {unit}",
    "outcome_delay": "; validated {months} after it was reached",
    "example_people": "Suppose three people, with {drawn} {currency} drawn. What each outcome moves, before caps of all people:",
    "example_dates": "On the dates:",
    "example_as_signed": "Variations are left out.",
    "example_on": "Suppose {outcomes}, with {drawn} {currency} drawn.",
    "example_published": "As published ({case}): {outcomes}, with {drawn} {currency} drawn.",
    "example_line": "- {name}{date}: {amount} {currency}{between}, {bound}.",
    "example_between": " from {payer} to {payee}",
    "example_total": "Together {total} {currency}.",
    "example_nets": "In the end {nets}.",
    "example_nothing": "nobody has more or less",
    "example_net": "{party} has {amount} {currency} more",
    "example_net_paid": "{party} has {amount} {currency} less",
    "axis": "payment, {currency}",
    "others": "others: {others}",
}


JOINTS = {
    "and": "{before} and {after}",
    "is": "{name} is {what}",
    "each": "{name}: {what}",
    "per_cent": "{number} %",
    "month": "{months} month",
    "months": "{months} months",
}
"""What joins the parts of a phrase, and says a measure of something."""
CHOICE_WORDS = {"start": "start", "last_date": "last date", "lost": "lost", "paid": "paid", "carried_over": "carried over"}
"""What may stand under the keys in `CHOICES`."""


WHY, INSTEAD, COUNT = "why it costs money", "instead", "{title}: {number} findings."
EXPLAINED = "why it stays"

LINT: Mapping[str, tuple[str, str, str]] = {
    "not_monotone": (
        "the payment falls from {low} to {high} where the metric reaches {level}, though it rises elsewhere",
        "a better result pays less, so somebody gains by stopping short of it",
        "Order the entries so that they never fall as the metric rises, or say that the floor lifts the rows below it",
    ),
    "gap": (
        "no band holds {level}, though bands stand on both sides of it",
        "a result in the gap pays what is paid outside the table, usually nothing",
        "Let one band begin where the other ends: `at_least` on the one side, `below` on the other",
    ),
    "overlap": (
        "two bands hold {level} of {metric}",
        "the first one listed pays; a reader who takes the other expects different money",
        "Let the bands touch at one edge that belongs to one of them",
    ),
    "tie": (
        "both sides count the edge {level} of {metric}",
        "at exactly this result both wordings apply, and the parties may disagree about which",
        "Write `at_least` on the one side and `below` on the other",
    ),
    "hole": (
        "neither side counts the edge {level} of {metric}",
        "at exactly this result neither of the two conditions is met",
        "Write `at_least` on the one side and `below` on the other",
    ),
    "never_reached": (
        "no result falls into this band: those listed before it hold them all",
        "its payment was negotiated and will never be made",
        "List the bands from the hardest to reach down, or give them both edges",
    ),
    "unbounded": (
        "`{term}` grows without limit with {metric}",
        "the payer cannot budget for it: one result far out, or one error in the measurement, costs any sum",
        "Give the term a `cap` or, where the outcome payer pays it, the contract a `total_cap`",
    ),
    "owed_back": (
        "`{term}` turns negative without limit with {metric}: the payee owes the payer",
        "who receives the payment can lose any sum, more than was lent",
        "Write `floor: 0`, or the most that can be owed back as a negative floor",
    ),
    "cliff": (
        "at {level} of {metric} the smallest change moves {jump}, {share} of the commitment",
        "one person or the error of the measurement decides over the money, and effort stops at the edge",
        "Replace the step by a line between a lower and an upper level, or by more and smaller steps",
    ),
    "never_binds": (
        "this {limit} decides nothing, whatever is measured",
        "somebody gave something for protection that protects nobody",
        "Leave it out, or set it where it can be reached",
    ),
    "never_pays": (
        "these conditions are never met, whatever is measured",
        "the payment was negotiated and will never be made",
        "Check the edges and their directions",
    ),
    "missing_data": (
        "nothing is said for the case that `{metric}` cannot be measured",
        "without a value nothing can be settled, and the parties negotiate when one of them already knows who gains",
        "Say `when_missing` for the metric, or give a fallback with `first_of`",
    ),
    "cap_below_guarantee": (
        "a cap of {cap} lies below the {guarantee} that is paid in any case",
        "the guarantee is worth less than it says",
        "Raise the cap to the guarantee at least, or leave the guarantee outside it",
    ),
    "large_share": (
        "a share of {share} means that {share} {currency} are paid for each {currency} of {of}",
        "a percentage written without its decimal point pays a hundred times too much",
        "Write {less} for {share} %. If {share} is meant, say why under `explained`",
    ),
    "small_commitment": (
        "a commitment of {commitment} means that {commitment} {currency} are lent in all",
        "a point is no mark of thousands: 6.000 is six, and every share of the commitment is a thousand times too small",
        "Write 6_000_000 for six million. If {commitment} is meant, say why under `explained`",
    ),
    "currency_in_letters": (
        "{unit} is read as a unit of its own",
        "the metric is then no money: nothing compares it with the commitment, and tables do not write it in {currency}",
        "Write {currency} for money",
    ),
    "nobody_measures": (
        "nobody is named who measures `{metric}`",
        "a payment hangs on a number that no party has to produce",
        "Name the `evaluator` of the metric",
    ),
    "nobody_pays": (
        "`{metric}` is measured, and no payment depends on it",
        "measuring costs money, and a reader believes that it counts",
        "Pay on it, or leave it out",
    ),
    "out_of_reach": (
        "{must}; found {level}",
        "a payment that was negotiated is never made, or a condition decides nothing: 10 may stand for 10 %",
        "Check the level and its sign, or say another `unit`: `multiple` for a share that may exceed the whole",
    ),
    "pays_again": (
        "`{term}` says no dates, and pays the same result anew on each of {number} dates",
        "the same result is paid for several times",
        "Write `at:` with the date on which it is paid, or let a `true_up` subtract what was paid before",
    ),
    "unpriced": (
        "no term pays for the milestone `{name}`",
        "a reader believes that it counts, and somebody has to prove it",
        "Price it, or leave it out",
    ),
    "priced_twice": (
        "the milestone `{name}` is paid for here and at `{one}`, for the same people",
        "one person is paid for twice",
        "Price it in one term, or tell waves apart with `per_wave`",
    ),
    "unpriced_outcome": (
        "no rate card pays for the outcome `{name}`, and nothing else looks at it",
        "a reader believes that it counts, and somebody has to prove it",
        "Price it, let another outcome need it, or leave it out",
    ),
    "outcome_priced_twice": (
        "the outcome `{name}` is paid for here and by `{one}`, between the same parties",
        "one person is paid for twice",
        "Price it in one card",
    ),
    "card_unbounded": (
        "nothing limits what `{term}` pays in all",
        "the payer cannot budget for it: more people, or more outcomes, cost any sum",
        "Write `cap_in_all`, `cap_per_year`, or give the contract a `total_cap`",
    ),
    "cap_below_price": (
        "a cap of {cap} lies below the price of {price} for one `{name}`",
        "the price was negotiated and is never paid in full",
        "Raise the cap, or lower the price",
    ),
    "never_validated": (
        "`{name}` is validated {months} months after it was reached, and the last date is month {last}",
        "whatever is reached is never paid",
        "Add dates after the last validation, or write `open_at_end: paid`",
    ),
    "needs_its_loss": (
        "`{name}` needs `{other}`, which undoes it",
        "it can be paid only to be lost at once",
        "Leave one of the two out",
    ),
    "price_of_nothing": (
        "the price of `{name}` is 0 for everybody",
        "a reader believes that it is paid for",
        "Leave the price out where others only need it",
    ),
    "unused": (
        "nothing refers to the {noun} `{name}`",
        "a reader believes that it counts",
        "Refer to it, or leave it out",
    ),
}
