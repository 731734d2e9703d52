"""Problems of choice: terms, designs and contracts of which the best within limits is known.

A method simulates any choice that it likes within its budget and names one, or says that none keeps the limits. Its choice is judged
exactly: by what it gives up, and by how far it breaks a limit.
"""
