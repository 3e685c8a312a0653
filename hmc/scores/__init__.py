"""Score matrices: coherent probabilities for the rows of a split, kept so that every later question needs no training."""

from hmc.scores.coherent import coherent
from hmc.scores.file import SCORES, Scores, ScoresError, digest_of, load_scores, save_scores

__all__ = ["SCORES", "Scores", "ScoresError", "coherent", "digest_of", "load_scores", "save_scores"]
