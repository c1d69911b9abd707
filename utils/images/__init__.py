"""Image files as they come: PNG, JPEG, TIFF, WebP, BMP and DICOM, one by one or by the folder."""

from .decoding import FILE_FORMATS, SUFFIXES, DecodedImage, count_frames, decode_image, decode_pixels, read_image
from .deep_greys import to_8_bits
from .encoding import OUTPUT_FORMATS, encode_image, pixels_sha256
from .limits import MAX_PIXELS, check_size, choose_frame
from .reading import read_bytes
from .recognition import is_dicom

__all__ = [
    "FILE_FORMATS",
    "MAX_PIXELS",
    "OUTPUT_FORMATS",
    "SUFFIXES",
    "DecodedImage",
    "check_size",
    "choose_frame",
    "count_frames",
    "decode_image",
    "decode_pixels",
    "encode_image",
    "is_dicom",
    "pixels_sha256",
    "read_bytes",
    "read_image",
    "to_8_bits",
]
