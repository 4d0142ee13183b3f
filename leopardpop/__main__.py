"""``python -m leopardpop`` is the command ``leopardpop``."""

from leopardpop.cli import main

if __name__ == "__main__":
    main()
