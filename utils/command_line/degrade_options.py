"""What the options of `medqdeg degrade` ask for: each checked before a file is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..base.errors import InputError

if TYPE_CHECKING:
    from ..degrade_files.requests import DegradeRequest


def degrade_request(
    types: list[str] | None,
    severities: list[str] | None,
    series: bool,
    seed: str,
    modality: str | None,
    strengths: Any,
    reference_size: float | None,
    keep_markings: bool | None,
    allow_unchanged: bool,
    window: str | None,
    frames: str,
    format: str,
    png_level: int,
) -> DegradeRequest:
    """Return what the options ask for; raise `InputError` for the first that cannot be met."""
    from ...degradations import largest_severity, list_degradations
    from ..degrade_files.requests import FRAME_CHOICES, DegradeRequest
    from ..images import OUTPUT_FORMATS

    names = []
    modality = canonical_modality(modality)
    for text in _split(types):
        if text == "all":
            names += list_degradations(modality)
        else:
            names.append(_canonical_name(text))
    if not names:
        raise InputError("no degradation: give --type (medqdeg degrade --list shows them), or --type all")
    levels = [_severity(text, series) for text in _split(severities) or ["1", "2"]]
    for name in names:
        for level in levels:
            if isinstance(level, str) and float(level[1:]) > (largest := largest_severity(name, modality, strengths)):
                raise InputError(f"--severity {level[1:]}: {name} goes up to {largest:g}")
    if reference_size is not None and not reference_size > 0:
        raise InputError(f"--reference-size {reference_size:g}: must be a positive number of pixels")
    if frames not in FRAME_CHOICES:
        raise InputError(f"--frames {frames}: must be one of {', '.join(FRAME_CHOICES)}")
    if format not in OUTPUT_FORMATS:
        raise InputError(f"--format {format}: must be one of {', '.join(OUTPUT_FORMATS)}")
    return DegradeRequest(
        names=tuple(dict.fromkeys(names)),
        severities=tuple(dict.fromkeys(levels)),
        seed=seed,
        modality=modality,
        table=strengths,
        reference_size=reference_size,
        keep_markings=keep_markings,
        allow_unchanged=allow_unchanged,
        window=_parse_window(window),
        frames=frames,
        format=format,
        png_level=png_level,
    )


def _severity(text: str, series: bool) -> int | str:
    """Return 0, 1 or 2, or the label of a severity of a series."""
    from ...degradations import read_severity

    try:
        severity = read_severity(text, series)
    except ValueError as error:
        raise InputError(f"--severity {text}: {error}") from None
    return severity.label if severity.series and severity.value else int(severity.value)


def _canonical_name(text: str) -> str:
    from ...degradations import get

    if text.lower().startswith("xray_motion_blur"):
        # An alias that implies a modality cannot stand for the folder's name.
        raise InputError(f"--type {text}: use --type motion_blur --modality X-ray")
    return checked(get, text).name


def canonical_modality(modality: str | None) -> str | None:
    """Return the modality by the name of the tables, None for none."""
    from ...degradations.vocabulary import check_modality

    return checked(check_modality, modality)


def checked(function: Any, argument: Any) -> Any:
    """Call the library; its ValueError and OSError are the user's input."""
    try:
        return function(argument)
    except OSError as error:
        raise InputError(f"{argument}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise InputError(str(error)) from None


def _split(values: list[str] | None) -> list[str]:
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def _parse_window(text: str | None) -> tuple[float, float] | str | None:
    if text is None or text == "full":
        return text
    try:
        center, width = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--window {text}: give CENTRE,WIDTH (such as 40,400) or full") from None
    if not (width >= 1 and abs(center) < float("inf") and width < float("inf")):
        raise InputError(f"--window {text}: the width must be at least 1")
    return center, width


def parse_value_range(text: str | None) -> tuple[float, float] | None:
    """Return the least and the greatest value that were given, None where none were."""
    if text is None:
        return None
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        low = high = 0.0
    if not low < high:
        raise InputError(f"--value-range {text}: give the least and the greatest value, such as -1000,1000")
    return low, high
