"""The command line: each command parses, calls one study and shows what it returns.

Nothing here imports a model library before a command has checked its arguments, so that help and mistakes
are answered at once.
"""

from .app import main as main
