"""A run as blocks of replications on the disk: of any size, begun, stopped, gone on with and added to; nothing that is complete is lost."""
