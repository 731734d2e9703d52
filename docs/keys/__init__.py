"""Fill the tables of keys in the reference from the models that read a study, a contract and a portfolio: `python -m docs.keys`.

A table stands between `<!-- keys: place, place -->` and `<!-- end of keys -->`. It lists the key at each place and all keys below it,
but those that have a table of their own. A place may name a kind, as in `outcomes.<outcome>(amount)`; with `*` it means all kinds
that no other place names. What stands in many places is listed once, after `<!-- keys of a rate: place -->`: elsewhere a link leads
there. `<!-- sections -->` begins the table of the sections of a study.
"""

from docs.keys.tables import filled, pages

__all__ = ["filled", "pages"]
