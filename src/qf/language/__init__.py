"""The formula language: text to a checked graph of ops; it knows no engine and runs no code.

    text -> tokens -> tree -> passes: inline, resolve, fold -> check -> share -> Graph

Read in this order: tree, tokens, parse, columns, passes, check, graph, compile.
"""
