"""The outside view: what was paid under signed contracts of a class, held against what was planned at signing.

`payment_histories` reads the public tables of impact bonds, `fit_paid_over_planned` fits how far payments came of the plan, and
`leave_one_out` forecasts every project from the others.
"""
