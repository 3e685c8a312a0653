"""MCLoss, the loss of C-HMCNN (Giunchiglia and Lukasiewicz, NeurIPS 2020), on logits."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from hmc.models.constraint import Constraint


def mcloss(logits: Tensor, labels: Tensor, constraint: Constraint) -> Tensor:
    """The loss of each node, before weights and reduction.

    logits: floating [..., nodes], unconstrained. labels: bool, broadcastable to logits, closed under ancestors (not
    checked here). Returns [..., nodes]; unevaluated nodes are in it, and the caller leaves them out.

    A node's value is compared with its label after the maximum over its descendants; for a positive node only positive
    descendants may give that maximum: q = y max(y p) + (1 - y) max(p). Since no positive lies below a negative, in closed
    labels, both cases are the maximum over descendants with the node's own label, and as the sigmoid is monotone it is
    taken over logits.
    """
    matching = constraint.matching_max(logits, labels)
    return functional.binary_cross_entropy_with_logits(matching, labels.to(matching.dtype).expand_as(matching), reduction="none")
