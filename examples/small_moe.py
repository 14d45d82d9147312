"""A Mixture-of-Experts language model small enough to train on a CPU in under a minute."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class SparseMlp(nn.Module):
    """Experts behind a router: ``gate`` gives logits, the ``top_k`` best experts work.

    Parameters
    ----------
    width, experts, top_k
        Width of a token, number of experts, how many a token chooses.
    """

    def __init__(self, width: int, experts: int, top_k: int) -> None:
        super().__init__()
        self.gate = nn.Linear(width, experts, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(experts)
        )
        self.top_k = top_k
        self.imbalance = torch.zeros(())

    def forward(self, x: Tensor) -> Tensor:
        """Return [sequences, letters, width]; ``imbalance`` is then that of these tokens.

        That is experts · Σ (share of choices) · (mean probability), which is least where both are
        even: the auxiliary loss of Switch Transformers (arXiv:2101.03961).
        """
        tokens = x.reshape(-1, x.shape[-1])
        probability = self.gate(tokens).softmax(dim=-1)
        weight, chosen = probability.topk(self.top_k, dim=-1)
        weight = weight / weight.sum(dim=-1, keepdim=True)
        out = torch.zeros_like(tokens)
        for number, expert in enumerate(self.experts):
            row, choice = (chosen == number).nonzero(as_tuple=True)
            if len(row):
                out = out.index_add(0, row, weight[row, choice, None] * expert(tokens[row]))
        share = functional.one_hot(chosen, len(self.experts)).float().mean(dim=(0, 1))
        self.imbalance = len(self.experts) * (share * probability.mean(dim=0)).sum()
        return out.reshape(x.shape)


class Block(nn.Module):
    """Causal attention, then a :class:`SparseMlp`, both on top of what comes in."""

    def __init__(self, width: int, heads: int, experts: int, top_k: int) -> None:
        super().__init__()
        self.before_attention, self.before_mlp = nn.LayerNorm(width), nn.LayerNorm(width)
        self.heads = heads
        self.project, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = SparseMlp(width, experts, top_k)

    def forward(self, x: Tensor) -> Tensor:
        """Return [sequences, letters, width]."""
        sequences, letters, width = x.shape
        parts = self.project(self.before_attention(x)).chunk(3, dim=-1)
        q, k, v = (p.view(sequences, letters, self.heads, -1).transpose(1, 2) for p in parts)
        seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(sequences, letters, width))
        return x + self.mlp(self.before_mlp(x))


class SmallMoe(nn.Module):
    """Predict the next letter.

    Parameters
    ----------
    letters, length
        Size of the alphabet, and of the longest text.
    width, heads, layers, experts, top_k
        Shape of the model.
    """

    def __init__(
        self,
        letters: int,
        length: int,
        width: int = 48,
        heads: int = 4,
        layers: int = 3,
        experts: int = 12,
        top_k: int = 2,
    ) -> None:
        super().__init__()
        self.letter, self.place = nn.Embedding(letters, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList(Block(width, heads, experts, top_k) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, letters)

    def forward(self, text: Tensor) -> Tensor:
        """Return [sequences, letters, alphabet] logits of the next letter."""
        x = self.letter(text) + self.place.weight[: text.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))

    def loss(self, text: Tensor, balance: float) -> tuple[Tensor, Tensor]:
        """Return what is minimised, and the mean cross-entropy of a letter in it, in nats."""
        logits = self(text[:, :-1])
        letters = functional.cross_entropy(logits.flatten(0, 1), text[:, 1:].flatten())
        imbalance = sum(layer.mlp.imbalance for layer in self.layers) / len(self.layers)
        return letters + balance * imbalance, letters
