"""Stands where pip is in the tests' own stacks.

Before each program the language host has pip list all that is installed, in search of packages that
bring a plugin. That is a third of a run's time, and there is none: the examples, with the real pip,
see to that.
"""
