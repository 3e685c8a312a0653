"""Losses for hierarchical multi-label networks: MCLoss, node imbalance weights, focal weights from ensemble uncertainty."""
