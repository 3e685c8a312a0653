"""Every number that a record holds about its predictions, each once, under its own name.

:mod:`hmc.metrics.evaluate` puts them together; ``METRICS`` there says what each name means.
"""
