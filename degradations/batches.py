"""Batches of tensors (B, C, H, W) on any device, degraded together in torch.

The draws are those of `degrade`, from the same NumPy generators, so an image gets the same spot, angle and noise by
either way. The values are computed in float32 on the tensors' device and differ from `degrade`'s by one grey level of
255 at most: not the bytes of the benchmark, and not the same ones on every device. `Degrade(..., backend="torch")` uses
this, `degrade` never does.

``blood_cell``, ``limited_angle``, ``sparse_view`` and ``low_dose`` have no torch operator: their images go through
`degrade` one by one, on the CPU, and have its bytes. `get(name).batched` says which a degradation does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import tensors
from .api import degrade_with_record
from .composing import lift
from .luma import GREY
from .markings import MAXIMUM_SHARE, find_markings
from .pixels import HARDLY_SEEN, warn_of_dark_greys
from .plans import AS_PAPER, FEW_VALUES, Plan, Record, UnchangedImageError, plan
from .registry import resolve

try:
    import torch
except ModuleNotFoundError:
    raise ModuleNotFoundError("medqdeg.degradations.batches needs torch: pip install torch", name="torch") from None

from .torch_operators import torch_operator
from .torch_operators.batch import Batch

Draw = tuple["int | str", Mapping[str, Any]]
"""The seed of one image, and arguments of its own."""

OnUnchanged = Callable[[UnchangedImageError], None]

_CERTAIN = 2e-4
"""Added before truncation where the NumPy operator truncates exact values (see `truncation`): an area of 100 must not
become one of 99 by float32's last bits."""


def degrade_batch(
    images: torch.Tensor, name: str, severity: float | str, *, seeds: Sequence[int | str], **settings: Any
) -> torch.Tensor:
    """Degrade a batch: see `degrade_batch_with_records`."""
    return degrade_batch_with_records(images, name, severity, seeds=seeds, **settings)[0]


def degrade_batch_with_records(
    images: torch.Tensor,
    name: str,
    severity: float | str,
    *,
    seeds: Sequence[int | str],
    allow_unchanged: bool = False,
    **settings: Any,
) -> tuple[torch.Tensor, list[Record]]:
    """Degrade a batch, each image as `degrade` with its seed would, to within one grey level of 255.

    Args:
        images: (B, C, H, W) with C = 1, 3 or 4, uint8, uint16 or floating point in [0, 1], on any device. They are not
            changed. A fourth channel is kept as it is.
        name: a degradation's name or alias.
        severity: as for `degrade`.
        seeds: one per image, a non-negative integer or a text.
        allow_unchanged: return images on which the degradation has no effect, rather than raise.
        **settings: passed to `degrade` (`series`, `modality`, `severities`, `reference_size`, `keep_markings`,
            overrides).

    Returns:
        New images of the same shape, dtype and device, and one record per image. `reproduce` makes `degrade`'s output
        from a record, not these values.

    Raises:
        TypeError: not a tensor, or a dtype that cannot be used.
        ValueError: another shape or number of seeds, and whatever `degrade` refuses.
        UnchangedImageError: (a ValueError) an image did not change.
    """
    if not isinstance(images, torch.Tensor):
        raise TypeError(f"a batch must be a torch tensor (B, C, H, W), not {type(images).__name__}")
    if images.ndim != 4 or images.shape[1] not in (1, 3, 4) or 0 in images.shape[2:]:
        raise ValueError(f"a tensor of shape {tuple(images.shape)} is no batch: give (B, C, H, W) with C = 1, 3 or 4")
    if len(seeds) != len(images):
        raise ValueError(f"{len(seeds)} seeds for {len(images)} images: give one for each")
    on_unchanged = None if allow_unchanged else _raise
    return degrade_together(images, name, severity, [(seed, {}) for seed in seeds], on_unchanged, settings)


def _raise(error: UnchangedImageError) -> None:
    raise error


def degrade_together(
    images: torch.Tensor,
    name: str,
    severity: float | str,
    draws: Sequence[Draw],
    on_unchanged: OnUnchanged | None,
    settings: Mapping[str, Any],
) -> tuple[torch.Tensor, list[Record]]:
    """Degrade images (B, C, H, W) in one way; `on_unchanged` hears of each that stays as it is, None: unasked."""
    if not len(images):
        return images.clone(), []
    entry, _ = resolve(name)
    if not entry.batched:
        return _one_by_one(images, name, severity, draws, on_unchanged, settings)
    shape = (images.shape[2], images.shape[3])
    plans = [plan(name, severity, shape, seed=seed, **{**settings, **own}) for seed, own in draws]
    return _run(images, plans, on_unchanged), [each.record for each in plans]


def _one_by_one(
    images: torch.Tensor,
    name: str,
    severity: float | str,
    draws: Sequence[Draw],
    on_unchanged: OnUnchanged | None,
    settings: Mapping[str, Any],
) -> tuple[torch.Tensor, list[Record]]:
    """By `degrade`; the batch comes to the CPU and goes back as one."""
    host = images.detach().cpu()
    found, records = [], []
    for image, (seed, own) in zip(host, draws, strict=True):
        array, arguments = tensors.to_array(image), {**settings, **own, "seed": seed}
        try:
            out, record = degrade_with_record(array, name, severity, allow_unchanged=on_unchanged is None, **arguments)
        except UnchangedImageError as error:
            if on_unchanged is None:
                raise
            on_unchanged(error)
            out, record = degrade_with_record(array, name, severity, allow_unchanged=True, **arguments)
        found.append(tensors.from_array(out, image))
        records.append(record)
    return torch.stack(found).to(images.device), records


def _run(images: torch.Tensor, plans: Sequence[Plan], on_unchanged: OnUnchanged | None) -> torch.Tensor:
    """Carry out plans of one degradation and severity."""
    images = images.detach()
    first = plans[0]
    if first.severity.value == 0:
        return images.clone()
    colour = images[:, :3] if images.shape[1] == 4 else images
    values = _to_scale(colour)
    whole = images.dtype == torch.uint8
    out = _composed(Batch(values, whole and first.exact), plans)
    if first.keep and values.shape[1] == 3:
        out = _with_markings(out, values, colour, first.keep)
    rounding = first.entry.rounding
    if whole and not first.exact and first.severity.series and rounding == "floor":
        out = out + lift(first.severity.value)
    if whole:
        packed = _to_levels(out, rounding, exact=first.exact)
    elif images.dtype == torch.uint16:
        packed = (out * 257).round_().clamp_(0, 65535).to(torch.int32).to(torch.uint16)
    else:
        packed = (out / 255).clamp_(0, 1).to(images.dtype)
    if on_unchanged is not None and first.severity.value >= 1:
        after = packed.float() if whole and first.exact else out.clamp(0, 255)
        for index in torch.nonzero(_same(values, after, colour, packed)).flatten().tolist():
            on_unchanged(UnchangedImageError.of(plans[index].entry.name, *images.shape[2:]))
    return torch.cat([packed, images[:, 3:]], dim=1) if images.shape[1] == 4 else packed


def _to_scale(images: torch.Tensor) -> torch.Tensor:
    """float32 on the 0..255 scale, as `pixels` has it.

    Raises:
        TypeError: a dtype whose range is not known.
        ValueError: floating point outside of [0, 1].
    """
    values = images.float()
    if images.dtype == torch.uint8:
        return values
    if images.dtype == torch.uint16:
        # Each image for itself, as `degrade` would.
        highest, lowest = values.amax(dim=(1, 2, 3)), values.amin(dim=(1, 2, 3))
        for level in highest[(highest < HARDLY_SEEN) & (lowest != highest)].tolist():
            warn_of_dark_greys(int(level))
        return values / 257
    if images.dtype.is_floating_point:
        low, high = torch.stack(torch.aminmax(values)).tolist()  # NaN if any value is
        if not (low >= 0 and high <= 1):
            raise ValueError(
                f"{images.dtype} tensor with values in [{low:g}, {high:g}]: "
                "floating-point images must lie in [0, 1]; scale it, or pass uint8 or uint16"
            )
        return values * 255
    raise TypeError(f"dtype {images.dtype} is not supported: pass uint8, uint16 or floating point in [0, 1]")


def _to_levels(values: torch.Tensor, rounding: str, *, exact: bool) -> torch.Tensor:
    clipped = values.clamp(0, 255)
    if rounding == "nearest":
        clipped.round_()
    elif exact:
        clipped.add_(_CERTAIN)
    return clipped.to(torch.uint8)


def _composed(batch: Batch, plans: Sequence[Plan]) -> torch.Tensor:
    """The sum of each image's parts."""
    apply = torch_operator(plans[0].entry.name)
    parts = [(index, share, own) for index, each in enumerate(plans) for share, own in each.parts]
    if all(len(each.parts) == 1 and each.parts[0][1] is not None for each in plans):
        whole: torch.Tensor = apply(batch, [own for _, _, own in parts])
        return whole
    clean = [sum(share for share, own in each.parts if own is None) for each in plans]
    total = batch.values * batch.per_image(clean)
    degraded = [(index, share, own) for index, share, own in parts if own is not None]
    if degraded:
        indices = [index for index, _, _ in degraded]
        some = batch.of(indices)
        results = apply(some, [own for _, _, own in degraded]) * some.per_image([share for _, share, _ in degraded])
        total.index_add_(0, torch.tensor(indices, device=total.device), results)
    return total


def _with_markings(out: torch.Tensor, values: torch.Tensor, colour: torch.Tensor, keep: bool | str) -> torch.Tensor:
    """Paste the markings of grey images back; only images that may have some are looked at on the CPU."""
    tinted = ((values.amax(dim=1) - values.amin(dim=1)) > GREY).float().mean(dim=(1, 2))
    likely = torch.nonzero((tinted > 0) & (tinted <= MAXIMUM_SHARE)).flatten().tolist()
    if not likely:
        return out
    out = out.clone()
    # On the scale and in the type on which `degrade` looks for them.
    looked_at = colour if colour.dtype == torch.uint8 else values
    for index, image in zip(likely, looked_at[likely].cpu(), strict=True):
        pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
        mask = find_markings(pixels, as_paper=keep == AS_PAPER)
        if mask is not None:
            out[index] = torch.where(torch.from_numpy(mask).to(out.device), values[index], out[index])
    return out


def _same(before: torch.Tensor, after: torch.Tensor, original: torch.Tensor, packed: torch.Tensor) -> torch.Tensor:
    """Which images did not change but for clipping and rounding, (B,) bool; see `api`."""
    difference = (after - before).abs().amax(dim=(1, 2, 3))
    constant = before.amax(dim=(1, 2, 3)) == before.amin(dim=(1, 2, 3))
    same = (difference < 2) & ((difference <= 0.01) | constant)
    if before[0].numel() <= FEW_VALUES:
        unequal = (packed.float() != original.float()).flatten(1).any(dim=1)
        same |= ~unequal
    return same
