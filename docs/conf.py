"""How the documentation becomes HTML: Markdown in, pages out, nothing from the network."""

project = "simengine"
author = "The simengine developers"

extensions = ["myst_parser"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "simengine"
html_copy_source = False
html_show_copyright = False
