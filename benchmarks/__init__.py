"""What takes how long, as ratios within one run: machines differ and are shared."""
