"""Classification heads over identities, dropped at inference."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from tinysearch.core.errors import UserError
from tinysearch.training.settings import LOSSES


class IdentityHead(nn.Module):
    """Loss of embeddings against identities.

    Args:
        loss: ``softmax`` (linear classifier), ``cosine`` (cosine to one prototype an identity minus a margin,
            CosFace, arXiv 1801.09414) or ``arcface`` (margin added to the angle, arXiv 1801.07698).
        embedding, identities: sizes.
        margin: of the two angular losses.
        temperature: factor of the cosines.
        smoothing: label smoothing in [0, 1).

    Raises:
        UserError: an unknown loss.
    """

    def __init__(
        self, *, loss: str, embedding: int, identities: int, margin: float, temperature: float, smoothing: float
    ) -> None:
        super().__init__()
        if loss not in LOSSES:
            raise UserError(
                f"the loss of a trainer must be one of {', '.join(LOSSES)}",
                value=loss,
                remedy="write trainer.loss=cosine",
            )
        self.loss, self.margin, self.temperature, self.smoothing = loss, margin, temperature, smoothing
        self.prototypes = nn.Parameter(torch.randn(identities, embedding) * embedding**-0.5)
        self.bias = nn.Parameter(torch.zeros(identities))

    def forward(self, embeddings: Tensor, identities: Tensor, *, strength: float = 1.0) -> Tensor:
        """Mean loss of embeddings [N, E]; ``strength`` in [0, 1] scales the margin (0 at the start of a training)."""
        if self.loss == "softmax":
            logits = F.linear(embeddings, self.prototypes, self.bias)
            return F.cross_entropy(logits, identities, label_smoothing=self.smoothing)
        cosines = F.linear(F.normalize(embeddings), F.normalize(self.prototypes))
        own = F.one_hot(identities, cosines.shape[1]).bool()
        margin = self.margin * strength
        if self.loss == "arcface":
            clamped = cosines.clamp(-1 + 1e-6, 1 - 1e-6)
            shifted = torch.cos(torch.acos(clamped) + margin)
            # past pi - margin the cosine would rise again: continue it as a straight line
            shifted = torch.where(clamped > -math.cos(margin), shifted, clamped - margin * math.sin(margin))
        else:
            shifted = cosines - margin
        logits = self.temperature * torch.where(own, shifted, cosines)
        return F.cross_entropy(logits, identities, label_smoothing=self.smoothing)

    def decide(self, embeddings: Tensor) -> Tensor:
        """Most likely identity [N] of embeddings [N, E]."""
        if self.loss == "softmax":
            return F.linear(embeddings, self.prototypes, self.bias).argmax(1)
        return F.linear(embeddings, F.normalize(self.prototypes)).argmax(1)
