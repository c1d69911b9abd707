"""Image files as they come: PNG, JPEG, TIFF, WebP, BMP and DICOM, one by one or by the folder."""

from .decoding import (
    OUTPUT_FORMATS,
    SUFFIXES,
    DecodedImage,
    count_frames,
    decode_image,
    encode_image,
    is_dicom,
    pixels_sha256,
    read_bytes,
    read_image,
)
from .limits import MAX_PIXELS, check_size, choose_frame

__all__ = [
    "MAX_PIXELS",
    "OUTPUT_FORMATS",
    "SUFFIXES",
    "DecodedImage",
    "check_size",
    "choose_frame",
    "count_frames",
    "decode_image",
    "encode_image",
    "is_dicom",
    "pixels_sha256",
    "read_bytes",
    "read_image",
]
