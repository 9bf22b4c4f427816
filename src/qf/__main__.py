"""`python -m qf` is the command line."""

from qf.cli.main import main

if __name__ == "__main__":
    main()
