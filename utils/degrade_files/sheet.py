"""The rows of a contact sheet of degradations: L0, L1 and L2 of each, on given images."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from ...degradations import UnchangedImageError, get
from ..base.errors import InputError
from ..images import decode_image, read_bytes
from ..images.contact_sheet import SheetRow, caption
from ..images.folders import Source
from .runs import DegradeRequest, choose_frames, image_seed, left_as_it_is


def sheet_rows(sources: Sequence[Source], request: DegradeRequest) -> tuple[list[SheetRow], list[str]]:
    """Degrade each image in each way at both severities, drawn as `degrade_files` draws.

    Of a file with several frames, the first that `request.frames` chooses is shown.

    Returns:
        The rows, and one line for each file or degradation that failed.
    """
    rows: list[SheetRow] = []
    errors: list[str] = []
    for source in sources:
        try:
            data = read_bytes(source.path)
            frame = choose_frames(data, source, request.frames)[0]
            picture = decode_image(data, name=str(source.path), frame=frame, window=request.window)
        except InputError as error:
            errors.append(str(error))
            continue
        modality = request.modality or picture.rendering.get("modality")
        unchanged = []
        for name in request.names:
            images: list[Image.Image | None] = [picture.image]
            captions = [f"{picture.image.width} x {picture.image.height}"]
            for severity in (1, 2):
                try:
                    seed = image_seed(request.seed, picture.sha256, frame)
                    image, record = request.degrade(picture.image, name, severity, seed, modality)
                    images.append(image)
                    captions.append(caption(record["parameters"]))
                except UnchangedImageError as error:
                    images.append(None)
                    captions.append(str(error))
                    unchanged.append(f"{name} L{severity}")
                except ValueError as error:
                    images.append(None)
                    captions.append(str(error))
                    errors.append(f"{source.path}: {name} L{severity}: {error}")
            notes = (get(name).category.replace("_", " "), modality or "", source.item)
            rows.append(SheetRow(name, tuple(note for note in notes if note), tuple(images), tuple(captions)))
        if unchanged:
            errors.append(left_as_it_is(source, unchanged))
    return rows, errors
