"""Check that images arrive unchanged: a known noisy image is sent through the integration before the run.

A degradation benchmark cannot use an integration that degrades: JPEG takes a quarter of noise of sigma 24.5 away, a
resize takes high frequencies, and grey takes colour. What is compared is our image and what the model's own processor
(or the server's request) receives. What the processor does afterwards belongs to the model and is not judged; what a
server does with the image cannot be seen from here.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL.Image

from ..base.errors import one_line
from .integration import Integration, _replaced
from .progress import without_bars

PROBE_SIDE = 448
"""Side of the probe in pixels: a multiple of the usual patches (14, 16, 28, 32), so that no rounding is needed."""
PROBE_NOISE = 24.5
"""Standard deviation of its noise in grey values of 255: what a severe gaussian noise of the benchmark has."""

_TASK, _SPLIT = "medqdeg_preflight", "probe"


def probe_image() -> PIL.Image.Image:
    """Return the known image: smooth colours with noise in every channel, 8-bit RGB, `PROBE_SIDE` square."""
    ramp = np.linspace(90.0, 165.0, PROBE_SIDE)
    smooth = np.stack([ramp[:, None] + 0 * ramp, ramp + 0 * ramp[:, None], 255.0 - (ramp[:, None] + ramp) / 2], axis=-1)
    noise = np.random.default_rng(20260307).normal(0.0, PROBE_NOISE, smooth.shape)
    return PIL.Image.fromarray(np.clip(np.rint(smooth + noise), 0, 255).astype(np.uint8))


def check_fidelity(integration: Integration) -> dict[str, Any]:
    """Send the probe through an integration and compare it with what arrives.

    A server is not asked: the request is caught on its way. A model in this process answers with one token.

    Returns:
        JSON values: `seen`: "processor", "request" or None (then `why` says what was in the way); `findings`:
        sentences, empty if the image arrived pixel by pixel; `differences`: `compare_images` of each that arrived.
    """
    received: list[Any] = []
    with ExitStack() as stack:
        if integration.client is not None:
            seen = "request"
            stack.enter_context(integration.client_through(_catching_request(received)))
        elif integration.image_processors:
            seen = "processor"
            for processor in integration.image_processors:
                stack.enter_context(_watched(processor, received))
        else:
            return _unseen("the integration shows neither an image processor nor a client")
        try:
            _ask(integration)
        except Exception as error:  # an integration may want anything of a request
            return _unseen(f"the preflight failed: {one_line(error) or type(error).__name__}")
    sent = probe_image()
    differences = [compare_images(sent, image) for image in received]
    return {"seen": seen, "why": None, "findings": _findings(differences), "differences": differences}


def compare_images(sent: PIL.Image.Image, received: Any) -> dict[str, Any]:
    """Compare an RGB image with what arrived of it.

    Args:
        sent: the image that was given.
        received: a PIL image, or an array or tensor of (height, width, channels), (channels, height, width) or
            (height, width), with values in 0 to 255 or, as floats, 0 to 1.

    Returns:
        `size`: [width, height] that arrived; `resized`; `grey`: no colour left; `largest_difference` and
        `rms_difference` in grey values (None if resized); `noise`: standard deviation of the noise that arrived, in
        grey values, where `noise_sent` was given.
    """
    expected, arrived = np.asarray(sent, dtype=np.float64), _as_array(received)
    height, width, channels = arrived.shape
    resized = (height, width) != expected.shape[:2]
    grey = channels < 3 or bool(np.ptp(arrived[..., :3], axis=-1).max() == 0)
    difference = None
    if not resized:
        difference = np.abs(expected - (arrived[..., :3] if channels >= 3 else arrived[..., :1]))
    return {
        "size": [width, height],
        "resized": resized,
        "grey": grey,
        "largest_difference": None if difference is None else float(difference.max()),
        "rms_difference": None if difference is None else round(float(np.sqrt((difference**2).mean())), 3),
        "noise": round(_noise(arrived), 2),
        "noise_sent": round(_noise(expected), 2),
    }


def _noise(image: np.ndarray) -> float:
    """Standard deviation of neighbours' differences, over the square root of 2: noise without the smooth part."""
    return float(np.diff(image, axis=1).std() / np.sqrt(2))


def _findings(differences: list[dict[str, Any]]) -> list[str]:
    if not differences:
        return ["no image reached the model: the integration dropped it"]
    findings = []
    for one in differences:
        noise = f"noise of sigma {one['noise_sent']} arrives as {one['noise']}"
        if one["resized"]:
            width, height = one["size"]
            findings.append(
                f"images are resized before the model ({PROBE_SIDE} x {PROBE_SIDE} to {width} x {height}; {noise})"
            )
        if one["grey"]:
            findings.append("images lose their colour before the model")
        if not one["resized"] and not one["grey"] and one["largest_difference"] > 0:
            findings.append(
                "images are re-encoded with loss before the model (pixels differ by up to "
                f"{one['largest_difference']:.0f}; {noise})"
            )
    return list(dict.fromkeys(findings))


def _unseen(why: str) -> dict[str, Any]:
    return {"seen": None, "why": why, "findings": [], "differences": []}


def _ask(integration: Integration) -> None:
    from lmms_eval.api.instance import Instance

    image, text = probe_image(), "What is shown? Reply with one letter."
    arguments: dict[str, Any] = {"max_new_tokens": 1, "do_sample": False, "temperature": 0.0, "until": []}
    if integration.chat:
        content = [{"type": "image", "url": image}, {"type": "text", "text": text}]
        messages = [{"role": "user", "content": content}]
        parts: tuple[Any, ...] = (text, lambda doc: messages, arguments, 0, _TASK, _SPLIT)
    else:
        parts = (text, arguments, lambda doc: [image], 0, _TASK, _SPLIT)
    metadata: dict[str, Any] = {"task": _TASK, "doc_id": 0, "repeats": 1, "split": _SPLIT}
    request = Instance(request_type="generate_until", arguments=parts, idx=0, metadata=metadata)
    lm = integration.lm
    with _replaced(lm, "task_dict", {_TASK: {_SPLIT: [{}]}}), without_bars(lm.generate_until):
        lm.generate_until([request])


@contextmanager
def _watched(processor: Any, received: list[Any]) -> Iterator[None]:
    """Keep what an image processor is given."""
    original = processor.preprocess

    def preprocess(images: Any, *args: Any, **kwargs: Any) -> Any:
        received.extend(_flat(images))
        return original(images, *args, **kwargs)

    with _replaced(processor, "preprocess", preprocess):
        yield


def _flat(images: Any) -> list[Any]:
    if isinstance(images, (list, tuple)):
        return [image for entry in images for image in _flat(entry)]
    return [] if images is None else [images]


def _catching_request(received: list[Any]) -> Any:
    """Stand in for the server: keep the images of a request and answer "A"."""

    def create(**payload: Any) -> Any:
        for message in payload["messages"]:
            for part in message["content"] if isinstance(message["content"], list) else []:
                if part.get("type") == "image_url":
                    _, _, data = part["image_url"]["url"].partition("base64,")
                    received.append(PIL.Image.open(io.BytesIO(base64.b64decode(data))))
        message = SimpleNamespace(content="A", tool_calls=None, reasoning_content=None)
        usage = SimpleNamespace(prompt_tokens=0, completion_tokens=0, completion_tokens_details=None)
        return SimpleNamespace(choices=[SimpleNamespace(message=message, finish_reason="stop")], usage=usage)

    return create


def _as_array(image: Any) -> np.ndarray:
    """(height, width, channels), float64, 0 to 255."""
    array = np.asarray(image.cpu() if hasattr(image, "cpu") else image)
    scale = 255.0 if np.issubdtype(array.dtype, np.floating) and array.max() <= 1.0 else 1.0
    array = array.astype(np.float64) * scale
    if array.ndim == 4 and array.shape[0] == 1:
        array = array[0]
    if array.ndim == 2:
        return array[..., None]
    if array.shape[0] in (1, 3, 4) and array.shape[-1] not in (1, 3, 4):
        array = np.moveaxis(array, 0, -1)
    return array
