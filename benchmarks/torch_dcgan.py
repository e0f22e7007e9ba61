"""The preset's networks and their step in PyTorch, for comparison alone."""

import itertools

import torch
from torch import nn
from torch.nn.functional import softplus

from pet_dcgan.presets import PRESETS

# as pet_dcgan.models.networks has them, which would start TensorFlow here too
LEAKY_SLOPE, NORM_EPSILON, WEIGHT_STDDEV = 0.2, 1e-3, 0.02


def make_networks(preset, size):
    """The generator and the discriminator of a preset."""
    values = PRESETS[preset]
    kernel, channels = values["kernel_size"], values["channels"]
    depth = (size // 4).bit_length() - 1
    widths = [values["width"] * 2**level for level in range(depth)]
    options = {"stride": 2, "padding": (kernel - 1) // 2}
    first, *rest = widths[::-1]
    up = [
        nn.Linear(values["latent_dim"], 16 * first, bias=False),
        nn.Unflatten(1, (first, 4, 4)),
        *_norm(first, nn.ReLU(inplace=True)),
    ]
    for many, few in itertools.pairwise([first, *rest, channels]):
        last = few == channels
        up.append(
            nn.ConvTranspose2d(
                many,
                few,
                kernel,
                output_padding=kernel % 2,
                bias=last,
                **options,
            )
        )
        up += [nn.Tanh()] if last else _norm(few, nn.ReLU(inplace=True))
    down = []
    for few, many in itertools.pairwise([channels, *widths]):
        down.append(nn.Conv2d(few, many, kernel, bias=False, **options))
        down += _norm(many, nn.LeakyReLU(LEAKY_SLOPE, inplace=True))
    down += [nn.Flatten(), nn.Linear(16 * first, 1)]
    networks = nn.Sequential(*up), nn.Sequential(*down)
    for network in networks:
        network.apply(_start)
    return networks


def make_step(
    generator,
    judge,
    *,
    batch,
    channels_last,
    device="cpu",
    precision=torch.float32,
    compiled=False,
):
    """A function that trains both on one batch of noise."""
    layout = torch.channels_last if channels_last else torch.contiguous_format
    latent_dim = generator[0].in_features
    for network in (generator, judge):
        network.to(device, memory_format=layout)
    adams = [
        torch.optim.Adam(n.parameters(), 1e-4, (0.5, 0.999), fused=True)
        for n in (judge, generator)
    ]
    with torch.no_grad():
        shape = generator(torch.zeros(2, latent_dim, device=device)).shape[1:]
    real = torch.rand(batch, *shape, device=device).mul(2).sub(1)
    real = real.contiguous(memory_format=layout)
    cast = torch.autocast(device, precision, enabled=precision != torch.float32)
    made, judged = generator, judge
    if compiled:
        made, judged = torch.compile(generator), torch.compile(judge)

    def step():
        latents = torch.rand(batch, latent_dim, device=device).mul(2).sub(1)
        with cast:
            fake = made(latents)
            real_logits, fake_logits = judged(real), judged(fake.detach())
        adams[0].zero_grad()
        d_loss = softplus(-real_logits.float()).mean()
        d_loss = d_loss + softplus(fake_logits.float()).mean()
        d_loss.backward()
        adams[0].step()
        adams[1].zero_grad()
        judge.requires_grad_(False)  # nobody asks for these
        with cast:
            logits = judged(fake)
        g_loss = softplus(-logits.float()).mean()
        g_loss.backward()
        judge.requires_grad_(True)
        adams[1].step()
        return g_loss.detach()

    return step


def _norm(channels, activation):
    # PyTorch's momentum is the share of what is new
    norm = nn.BatchNorm2d(channels, eps=NORM_EPSILON, momentum=0.1)
    return [norm, activation]


def _start(layer):
    if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, std=WEIGHT_STDDEV)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
