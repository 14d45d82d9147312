"""The recorder on torch modules."""

import numpy as np
import pytest

import traces
from traces.record import Recorder

torch = pytest.importorskip("torch")

WIDTH, EXPERTS, TOP_K = 6, 8, 2


class Mlp(torch.nn.Module):
    """A linear gate; its other layers are no routers, though their names come near."""

    def __init__(self):
        super().__init__()
        self.gate = torch.nn.Linear(WIDTH, EXPERTS, bias=False)
        self.gate_proj = torch.nn.Linear(WIDTH, WIDTH)
        self.shared_expert_gate = torch.nn.Linear(WIDTH, 1)

    def forward(self, x):
        """Use all of them."""
        weight = self.gate(x).softmax(-1).amax(-1, keepdim=True)
        return x + weight * self.gate_proj(x).tanh() * self.shared_expert_gate(x).sigmoid()


class Model(torch.nn.Module):
    """Layers with routers, and one in the middle without."""

    def __init__(self, checkpoint=False):
        super().__init__()
        self.layers = torch.nn.ModuleList([Mlp(), torch.nn.Identity(), Mlp()])
        self.checkpoint = checkpoint

    def forward(self, x, skip=()):
        """Run the layers that are not to be skipped."""
        for number, layer in enumerate(self.layers):
            if number in skip:
                continue
            if self.checkpoint:
                x = torch.utils.checkpoint.checkpoint(layer, x, use_reentrant=False)
            else:
                x = layer(x)
        return x


@pytest.fixture
def file(tmp_path):
    """Where to record."""
    return tmp_path / "t.parquet"


@pytest.fixture
def model():
    """The same weights every time."""
    torch.manual_seed(0)
    return Model()


def recorder(path, **fields):
    """Return a recorder for the model."""
    return Recorder(path, "toy", EXPERTS, TOP_K, **fields)


def wanted(model, batches):
    """Return [tokens, layers, top_k] by running the layers by hand."""
    found = []
    with torch.no_grad():
        for x in batches:
            first = model.layers[0].gate(x)
            second = model.layers[2].gate(model.layers[0](x))
            both = [g.reshape(-1, EXPERTS).topk(TOP_K).indices for g in (first, second)]
            found.append(torch.stack(both, dim=1).numpy())
    return np.concatenate(found)


def batches(count=3, tokens=5):
    """Return inputs [2, tokens, width]."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randn(2, tokens, WIDTH, generator=generator) for _ in range(count)]


@pytest.mark.parametrize("grad", [False, True])
def test_attached(file, model, grad):
    """Every call of the model is a step; the experts are those of the gates, grad or not."""
    with recorder(file) as recording, torch.set_grad_enabled(grad):
        assert recording.attach(model) == ["layers.0.gate", "layers.2.gate"]
        for x in batches():
            model(x)
        assert recording.steps == 3
    trace = traces.load(file)
    assert (trace.experts == wanted(model, batches())).all()
    assert trace.step.tolist() == [0] * 10 + [1] * 10 + [2] * 10


def test_hooks_are_gone_afterwards(file, model):
    """The model runs on as before."""
    with recorder(file) as recording:
        recording.attach(model)
        model(batches()[0])
    assert not model._forward_hooks
    assert not model._forward_pre_hooks
    assert not any(module._forward_hooks for module in model.modules())
    model(batches()[0])


def test_a_second_run_for_gradients_is_not_recorded(file):
    """Gradient checkpointing calls the routers again; the step is over by then."""
    torch.manual_seed(0)
    model = Model(checkpoint=True)
    with recorder(file) as recording:
        recording.attach(model)
        for x in batches():
            model(x).sum().backward()
    assert (traces.load(file).experts == wanted(model, batches())).all()


def test_steps_by_hand_with_padding(file, model):
    """Without steps=True the caller ends each step, and may mask padding."""
    x = batches(1)[0]
    mask = torch.ones(2, 5, dtype=torch.bool)
    mask[1, 3:] = False
    with recorder(file) as recording:
        recording.attach(model, steps=False)
        model(x[:1])
        model(x[1:])
        recording.end_step(tokens=mask)
    assert (traces.load(file).experts == wanted(model, [x])[mask.flatten().numpy()]).all()


def test_a_layer_that_does_not_run_is_named(file, model):
    """By number and name."""
    said = r"step 1: no tokens from layer 1 \(layers\.2\.gate\)"
    with pytest.raises(ValueError, match=said), recorder(file) as one:  # noqa: PT012
        one.attach(model)
        model(batches()[0])
        model(batches()[1], skip=(2,))
    assert list(file.parent.iterdir()) == []


def test_a_call_that_fails_is_no_step(file, model):
    """What it left of a step is dropped, and the next call is whole."""
    with recorder(file) as recording:
        recording.attach(model)
        with pytest.raises(RuntimeError, match="shapes"):
            model(torch.randn(2, 5, WIDTH + 1))
        model(batches()[0])
        model.layers[2].gate_proj = torch.nn.Linear(3, 3)
        with pytest.raises(RuntimeError, match="shapes"):
            model(batches()[1])
    assert traces.load(file).num_tokens == 10


def test_no_router_found(file, model):
    """It says so, and what to give."""
    with recorder(file, keep=True) as recording:
        with pytest.raises(ValueError, match=r"no module of Model matches 'router'; give match="):
            recording.attach(model, match="router")
        recording.attach(model, match=lambda name, module: name.endswith(".gate"))
        model(batches()[0])


def test_one_module_with_a_function(file):
    """A router that only scores is read through select: here, the least."""
    router = torch.nn.Linear(WIDTH, EXPERTS, bias=False)
    router.e_score_correction_bias = torch.zeros(EXPERTS)
    x = batches(1)[0]
    with recorder(file) as recording:
        recording.hook(router, select=lambda logits: (-logits).topk(TOP_K).indices)
        logits = router(x)
        recording.end_step()
    found = traces.load(file).experts[:, 0]
    least = np.argsort(logits.detach().reshape(-1, EXPERTS).numpy(), axis=1)[:, :TOP_K]
    assert (np.sort(found, axis=1) == np.sort(least, axis=1)).all()


def test_a_biased_router_without_a_function(file):
    """Its greatest logits would be wrong, so that it is refused."""
    router = torch.nn.Linear(WIDTH, EXPERTS)
    router.e_score_correction_bias = torch.zeros(EXPERTS)
    said = r"layer 0 \(Linear\): it returns logits but has an e_score_correction_bias"
    with pytest.raises(ValueError, match=said), recorder(file) as recording:  # noqa: PT012
        recording.hook(router)
        router(batches()[0])


def test_an_output_that_is_no_routing(file):
    """The layer is named."""
    said = r"layer 3 \(Linear\): the router returned"
    with pytest.raises(ValueError, match=said), recorder(file) as recording:  # noqa: PT012
        module = torch.nn.Linear(WIDTH, 5)
        recording.hook(module, layer=3)
        module(batches()[0])


def test_tensors_as_arrays(file):
    """add() takes tensors."""
    with recorder(file) as recording:
        recording.add(0, torch.tensor([[1, 2], [3, 4]]))
        recording.end_step()
    assert traces.load(file).experts[:, 0].tolist() == [[1, 2], [3, 4]]
