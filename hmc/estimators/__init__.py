"""Methods without a training loop of ours: scikit-learn's estimators, two reference predictors, mixtures of scores."""

from hmc.estimators.fit import EstimatorError, estimated_scores
from hmc.estimators.mixture import mixed, mixture_weights

__all__ = ["EstimatorError", "estimated_scores", "mixed", "mixture_weights"]
