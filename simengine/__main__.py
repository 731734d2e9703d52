"""Run the command line with `python -m simengine`."""

from simengine.start import main

if __name__ == "__main__":
    main()
