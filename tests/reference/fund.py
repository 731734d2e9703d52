"""A revolving fund, one replication at a time in plain Python: the slow twin of `simengine.questions.portfolio.fund`."""


def course_of(capital, projects, begins, n_months, share, delay, begun_before):
    """Return the month in which each project begins (None: never), the balance by month, and what returned.

    projects: for each a list of what is paid out by month and one of what comes back.
    """
    held, begun, balance, arrivals = capital, [None] * len(projects), [], {}
    returned, next_one = 0, 0
    for month in range(n_months):
        held += arrivals.get(month, 0)
        while next_one < len(projects) and month >= begins[next_one]:
            still_to_pay = sum(
                sum(out[month - start :]) for (out, _), start in zip(projects, begun, strict=True) if start is not None
            )
            out, back = projects[next_one]
            if held - still_to_pay < sum(out):
                break
            begun[next_one] = month
            if month < begun_before:
                for passed, amount in enumerate(back):
                    when = month + passed + max(delay, 1)
                    if when < n_months:
                        arrivals[when] = arrivals.get(when, 0) + round(share * amount)
                        returned += round(share * amount)
            next_one += 1
        for (out, _), start in zip(projects, begun, strict=True):
            if start is not None and month - start < len(out):
                held -= out[month - start]
        balance.append(held)
    return begun, balance, returned
