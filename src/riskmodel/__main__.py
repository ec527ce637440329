"""``python -m riskmodel COMMAND`` is ``riskmodel COMMAND``."""

from riskmodel.cli import main

if __name__ == "__main__":
    main()
