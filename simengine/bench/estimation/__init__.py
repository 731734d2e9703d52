"""Problems of estimation: what a contract comes to, its risk, and what a term changes, from few replications.

Small problems are functions of uniforms, and so any point set of anybody's can be put in; the others are studies of the engine.
"""
