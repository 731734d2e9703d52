"""Long studies that hold the engine to exact answers; they run from a checkout, because they use `tests.reference`."""
