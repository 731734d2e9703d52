"""Let `python -m simengine` do what `simengine` does."""

from simengine.cli import main

if __name__ == "__main__":
    main()
