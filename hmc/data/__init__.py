"""From files (or a seed) to splits of features and labels over one hierarchy. Knows neither torch nor Hydra."""
