"""Weights that go to the host and come back are the same. The host stands for the device here."""

from __future__ import annotations

import torch

from bot.parking import ALIGNED, Parking


class Odd(torch.nn.Module):
    """Tensors of all sorts: tied, transposed, with gaps, empty, of one number, of another type; a buffer that is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Parameter(torch.randn(3, 5, dtype=torch.float16))
        self.tied = self.one
        self.turned = torch.nn.Parameter(torch.randn(4, 7).t())
        self.gaps = torch.nn.Parameter(torch.randn(6, 8)[:, ::2])
        self.register_buffer("many", torch.arange(9), persistent=False)
        self.register_buffer("scale", torch.tensor(2.5))
        self.register_buffer("none", torch.zeros(0, 3))


def test_every_tensor_comes_back_as_it_was() -> None:
    odd = Odd()
    before = {name: one.clone() for name, one in [*odd.named_parameters(), *odd.named_buffers()]}
    strides = odd.turned.stride()
    parking = Parking(odd)
    for _ in range(2):
        parking.park()
        host = odd.one.data_ptr()
        parking.unpark(torch.device("cpu"))
        assert odd.one.data_ptr() != host
    assert all(torch.equal(one, before[name]) for name, one in [*odd.named_parameters(), *odd.named_buffers()])
    assert odd.tied is odd.one
    assert odd.turned.stride() == strides
    assert parking.size == 5 * ALIGNED, "the empty one takes nothing, the tied ones take place once"


def test_the_hosts_copy_is_made_once_and_given_up() -> None:
    odd = Odd()
    parking = Parking(odd)
    parking.park()
    first = odd.one.data_ptr()
    parking.unpark(torch.device("cpu"))
    parking.park()
    assert odd.one.data_ptr() == first
    parking.close()
    assert parking._host is None


def test_quantised_weights_do_not_move() -> None:
    odd = Odd()
    odd.hf_quantizer = "some"  # type: ignore[assignment]
    assert Parking(odd).size == 0
