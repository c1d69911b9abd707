"""The rows of a contact sheet of degradations: L0, L1 and L2 of each, on given images."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from ...degradations import UnchangedImageError, get
from ..base.errors import InputError
from ..images import decode_image, read_bytes
from ..images.contact_sheet import SheetRow, caption
from ..images.folders import Source
from .requests import DegradeRequest, image_seed, level_name
from .runs import choose_frames, left_as_it_is


def sheet_severities(request: DegradeRequest) -> tuple[int | str, ...]:
    """Return the columns of a sheet beside the clean image: L1 and L2, or those of a series that is wanted."""
    series = tuple(severity for severity in request.severities if isinstance(severity, str))
    return series or (1, 2)


def sheet_rows(sources: Sequence[Source], request: DegradeRequest) -> tuple[list[SheetRow], list[str]]:
    """Degrade each image in each way at the severities of `sheet_severities`, drawn as `degrade_files` draws.

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
            for severity in sheet_severities(request):
                try:
                    seed = image_seed(request.seed, picture.sha256, frame)
                    image, record = request.degrade(picture.image, name, severity, seed, modality)
                    images.append(image)
                    captions.append(caption(record["parameters"]))
                except UnchangedImageError as error:
                    images.append(None)
                    captions.append(str(error))
                    unchanged.append(f"{name} {level_name(severity)}")
                except ValueError as error:
                    images.append(None)
                    captions.append(str(error))
                    errors.append(f"{source.path}: {name} {level_name(severity)}: {error}")
            notes = (get(name).category.replace("_", " "), modality or "", source.item)
            rows.append(SheetRow(name, tuple(note for note in notes if note), tuple(images), tuple(captions)))
        if unchanged:
            errors.append(left_as_it_is(source, unchanged))
    return rows, errors
