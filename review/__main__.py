"""`python -m review`: the command line."""

from review.cli import main

if __name__ == "__main__":
    main()
