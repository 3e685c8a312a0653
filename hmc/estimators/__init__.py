"""Methods that need no training loop of ours: scikit-learn's estimators, two reference predictors, and mixtures of stored scores."""

from hmc.estimators.fit import EstimatorError, estimated_scores
from hmc.estimators.mixture import mixed, mixture_weights

__all__ = ["EstimatorError", "estimated_scores", "mixed", "mixture_weights"]
