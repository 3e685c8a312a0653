"""Methods without a training loop of ours: scikit-learn's estimators, two reference predictors, mixtures of scores."""

from hmc.estimators.fit import EstimatorError, FittedEstimator, estimated_scores, fitted_estimator
from hmc.estimators.mixture import mixed, mixture_weights

__all__ = ["EstimatorError", "FittedEstimator", "estimated_scores", "fitted_estimator", "mixed", "mixture_weights"]
