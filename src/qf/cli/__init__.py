"""The command line: main is the frame, every other file is one command.

A command file imports click and nothing else at the top, so that `qf --help` stays light; what it
needs it imports when it runs.
"""
