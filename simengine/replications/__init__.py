"""Evidence kept and asked many times: blocks of replications on threads, ensembles, money by party, stores at the wall."""
