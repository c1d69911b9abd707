"""Key-value caches of several prompts as one with a row per reply, padded on the left to one length."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .shareable import CannotPad, CannotShare

if TYPE_CHECKING:
    import torch


_ROOM = 32
"""Tokens for which a layer has room at first; a quarter of all when that is used up."""


def check_cache(cache: Any) -> None:
    """Check that a cache after a prompt can be given more rows.

    Raises:
        CannotShare: for caches of another kind (static ones, linear attention).
    """
    from transformers import DynamicCache

    if not isinstance(cache, DynamicCache) or not hasattr(cache, "layers"):
        raise CannotShare(f"the cache is a {type(cache).__name__}")
    for layer in cache.layers:
        if not hasattr(layer, "batch_repeat_interleave") or getattr(layer, "is_compileable", False):
            raise CannotShare(f"a layer of the cache is a {type(layer).__name__}")


def joined(caches: Sequence[Any], rows: Sequence[int], width: int) -> Any:
    """Return one cache for several prompts; theirs are as they were.

    Args:
        caches: one per prompt, each with one row.
        rows: how many rows each prompt gets.
        width: tokens that each row has afterwards, those that fill it up on the left included.

    Raises:
        CannotPad: if a layer is of a kind whose padding nobody tried.
    """
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

    mine = copy.copy(caches[0])
    mine.layers = [copy.copy(layer) for layer in caches[0].layers]
    alike = len(caches) == 1 and caches[0].get_seq_length() == width
    for place, layer in enumerate(mine.layers):
        layers = [cache.layers[place] for cache in caches]
        if layer.get_seq_length() == 0:  # uses another one's keys
            continue
        if type(layer) is DynamicLayer:
            keys, values = [one.keys for one in layers], [one.values for one in layers]
            _give_room(layer, _padded(keys, rows, width, _ROOM), _padded(values, rows, width, _ROOM), width)
        elif alike:
            layer.batch_repeat_interleave(rows[0])  # replaces the layer's tensors, and writes to none
        elif type(layer) is DynamicSlidingWindowLayer:
            length = min(width, layer.sliding_window - 1)
            layer.keys = _padded([one.keys for one in layers], rows, length)
            layer.values = _padded([one.values for one in layers], rows, length)
            layer.cumulative_length = width
        else:
            raise CannotPad(f"a layer of the cache is a {type(layer).__name__}")
    return mine


def _padded(parts: Sequence[torch.Tensor], rows: Sequence[int], length: int, room: int = 0) -> torch.Tensor:
    """(all rows, heads, length + room, size) from tensors of (1, heads, own length, size), zeros before each."""
    _, heads, _, size = parts[0].shape
    whole = parts[0].new_empty((sum(rows), heads, length + room, size))
    start = 0
    for part, count in zip(parts, rows, strict=True):
        fill = length - part.shape[2]
        whole[start : start + count, :, :fill] = 0
        whole[start : start + count, :, fill:length] = part
        start += count
    return whole


def _give_room(layer: Any, keys: torch.Tensor, values: torch.Tensor, tokens: int) -> None:
    layer.__class__ = _roomy_layer()
    layer.room = keys, values
    layer.keys, layer.values = keys[:, :, :tokens], values[:, :, :tokens]


@functools.cache
def _roomy_layer() -> type[Any]:
    from transformers.cache_utils import DynamicLayer

    class RoomyLayer(DynamicLayer):  # type: ignore[no-untyped-call]
        """A layer with room after its tokens: transformers' own copies all of it for each token that comes."""

        keys: torch.Tensor
        values: torch.Tensor
        room: tuple[torch.Tensor, torch.Tensor]

        def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            """Append tokens and return all, (rows, heads, tokens, size) each."""
            start = self.keys.shape[2]
            end = start + key_states.shape[2]
            # Whatever replaced the tensors (a crop, a new order of rows) took them out of the room.
            if end > self.room[0].shape[2] or self.keys.data_ptr() != self.room[0].data_ptr():
                self.room = _with_room(self.keys, end), _with_room(self.values, end)
            for whole, new in zip(self.room, (key_states, value_states), strict=True):
                whole[:, :, start:end] = new
            self.keys, self.values = (whole[:, :, :end] for whole in self.room)
            return self.keys, self.values

    return RoomyLayer


def _with_room(tokens: torch.Tensor, least: int) -> torch.Tensor:
    rows, heads, length, size = tokens.shape
    room = tokens.new_empty((rows, heads, least + _ROOM + length // 4, size))
    room[:, :, :length] = tokens
    return room
