"""Write the pages with tables of keys."""

from docs.keys import pages

for path, text in pages().items():
    path.write_text(text, encoding="utf-8")
