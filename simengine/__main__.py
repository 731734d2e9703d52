"""Let `python -m simengine` do what `simengine` does."""

from simengine.start import main

if __name__ == "__main__":
    main()
