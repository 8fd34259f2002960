"""The server's own tests: `python -m unittest discover -s tests -t .`."""
