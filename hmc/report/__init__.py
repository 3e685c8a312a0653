"""Records in, tables and verdicts out. Nothing in this package imports torch or the experiments."""
