"""Other people's routes to each degradation, with the parameters that ours drew."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw
from scipy import fft, ndimage

from medqdeg.degradations import degrade_with_record

from .packages import (
    Route,
    albumentations_routes,
    astra_routes,
    imagecorruptions_routes,
    monai_routes,
    skimage_routes,
    to_bytes,
    torchio_routes,
)


def _planes(function: Callable[[np.ndarray], np.ndarray], image: np.ndarray) -> np.ndarray:
    return np.stack([function(image[..., channel]) for channel in range(3)], axis=2)


def routes(name: str, image: np.ndarray) -> dict[str, Route]:
    """Other people's routes to the same degradation, with the same parameters."""
    side = image.shape[0]
    drawn = degrade_with_record(image, name, 2, seed=1, modality="X-ray" if name == "low_resolution" else None)[1]
    return globals()[f"_{name}"](image, side, drawn["parameters"])


def _adjust_brightness(x, n, p):
    found = {
        "NumPy =": lambda: to_bytes(x.astype(np.int16) + p["offset"]),
        "OpenCV subtract =": lambda: cv2.subtract(x, (-p["offset"],) * 4),
    }
    return (
        found
        | albumentations_routes("RandomBrightnessContrast", x, brightness_limit=(-0.44, -0.44), contrast_limit=(0, 0))
        | monai_routes("ShiftIntensity", x, offset=p["offset"])
    )


def _exposure(x, n, p):
    def table():
        return to_bytes(255 * (np.arange(256) / 255) ** p["gamma"] + p["offset"])

    return (
        {
            "NumPy =": lambda: to_bytes(255 * (x / 255) ** p["gamma"] + p["offset"]),
            "OpenCV LUT =": lambda: cv2.LUT(x, table()),
        }
        | skimage_routes(lambda s: lambda: s.exposure.adjust_gamma(x, p["gamma"]), "adjust_gamma")
        | (
            albumentations_routes("RandomGamma", x, gamma_limit=(100 * p["gamma"], 100 * p["gamma"]))
            | torchio_routes("RandomGamma", x / 255, log_gamma=(math.log(p["gamma"]),) * 2)
            | monai_routes("AdjustContrast", x, gamma=p["gamma"])
        )
    )


def _reduce_contrast(x, n, p):
    def numpy_route():
        mean = x.mean()
        return to_bytes(mean + p["factor"] * (x - mean))

    def table():
        mean = x.mean()
        return cv2.LUT(x, to_bytes(mean + p["factor"] * (np.arange(256) - mean)))

    return {"NumPy =": numpy_route, "OpenCV LUT =": table} | (
        imagecorruptions_routes("contrast", x)
        | albumentations_routes(
            "RandomBrightnessContrast", x, brightness_limit=(0, 0), contrast_limit=(p["factor"] - 1,) * 2
        )
    )


def _gaussian_noise(x, n, p):
    sigma = p["relative_sigma"] * x.std()
    rng = np.random.default_rng(0)
    buffer = np.empty(x.shape, np.int16)
    found = {
        "NumPy random.normal": lambda: to_bytes(x + np.random.normal(0, sigma, x.shape)),  # noqa: NPY002
        "NumPy Generator": lambda: to_bytes(x + sigma * rng.standard_normal(x.shape, np.float32)),
        "OpenCV randn": lambda: cv2.add(x, cv2.randn(buffer, 0, sigma), dtype=cv2.CV_8U),
    }
    found |= skimage_routes(
        lambda s: lambda: to_bytes(255 * s.util.random_noise(x, var=(sigma / 255) ** 2)), "random_noise"
    )
    found |= albumentations_routes("GaussNoise", x, std_range=(sigma / 255, sigma / 255))
    found |= torchio_routes("RandomNoise", x, std=(sigma, sigma)) | monai_routes(
        "RandGaussianNoise", x, prob=1, std=sigma
    )
    return found | imagecorruptions_routes("gaussian_noise", x)


def _low_resolution(x, n, p):
    small = max(round(n * p["keep"]), 1)

    def scipy_route():
        down = _planes(lambda plane: ndimage.zoom(plane, p["keep"], order=1), x)
        return _planes(lambda plane: ndimage.zoom(plane, n / small, order=0), down)

    def remap():
        grid = np.linspace(0, n - 1, small, dtype=np.float32)
        down = cv2.remap(x, *np.meshgrid(grid, grid), cv2.INTER_LINEAR)
        grid = np.floor(np.linspace(0, small - 1, n) + 0.5).astype(np.float32)
        return cv2.remap(down, *np.meshgrid(grid, grid), cv2.INTER_NEAREST)

    def resize():
        return cv2.resize(cv2.resize(x, (small, small)), (n, n), interpolation=cv2.INTER_NEAREST)

    found = {"SciPy =": scipy_route, "OpenCV remap =": remap, "OpenCV resize": resize}
    found |= albumentations_routes("Downscale", x, scale_range=(p["keep"], p["keep"]))
    return found | imagecorruptions_routes("pixelate", x)


def _motion_blur(x, n, p):
    size = p["length"]
    line = np.zeros((size, size))
    line[size // 2] = 1 / size
    line = ndimage.rotate(line, p["angle"], reshape=False, order=1)
    line /= line.sum()
    found = {
        "SciPy =": lambda: _planes(lambda plane: ndimage.convolve(plane, line), x),
        "OpenCV filter2D": lambda: cv2.filter2D(x, -1, line),
    }
    return (
        found | albumentations_routes("MotionBlur", x, blur_limit=(11, 11)) | imagecorruptions_routes("motion_blur", x)
    )


def _gaussian_blur(x, n, p):
    sigma = p["sigma"]
    found = {
        "SciPy =": lambda: to_bytes(ndimage.gaussian_filter(x.astype(float), (sigma, sigma, 0))),
        "OpenCV GaussianBlur": lambda: cv2.GaussianBlur(x, (0, 0), sigma),
    }
    found |= skimage_routes(lambda s: lambda: s.filters.gaussian(x, sigma, channel_axis=2), "gaussian")
    return (
        found
        | albumentations_routes("GaussianBlur", x, sigma_limit=(sigma, sigma), blur_limit=0)
        | (torchio_routes("RandomBlur", x, std=(sigma, sigma)) | monai_routes("GaussianSmooth", x, sigma=sigma))
    )


def _bubble(x, n, p):
    row, column = np.ogrid[:n, :n]
    inside = (row - p["centre"][0]) ** 2 + (column - p["centre"][1]) ** 2 < p["radius"] ** 2

    def scipy_route():
        blurred = to_bytes(ndimage.gaussian_filter(x.astype(float), (p["sigma"], p["sigma"], 0)))
        return np.where(inside[..., None], blurred, x)

    def opencv_route():
        return cv2.copyTo(cv2.GaussianBlur(x, (0, 0), p["sigma"]), inside.view(np.uint8), x.copy())

    return {"SciPy =": scipy_route, "OpenCV GaussianBlur": opencv_route}


def _dark_spots(x, n, p):
    def field(dtype):
        row, column = np.ogrid[:n, :n]
        squares = (row - p["centre"][0]) ** 2 + (column - p["centre"][1]) ** 2
        return (1 - p["depth"] * np.exp(-squares / (2 * p["sigma"] ** 2))).astype(dtype)

    def opencv_route():
        light = field(np.float32)
        return cv2.multiply(x, cv2.merge([light] * 3), dtype=cv2.CV_8U)

    return {"NumPy =": lambda: to_bytes(x * field(float)[..., None]), "OpenCV multiply": opencv_route}


def _blood_cell(x, n, p):
    """FrOoDo's way: pictures of cells pasted with PIL; here one drawn picture, resized and turned."""
    cell = Image.new("RGBA", (128, 128))
    ImageDraw.Draw(cell).ellipse((2, 2, 126, 126), fill=(172, 54, 83, 83))

    def pil_route():
        canvas = Image.fromarray(x).convert("RGBA")
        for row, column, diameter, _, angle, _ in p["cells"]:
            size = round(diameter)
            one = cell.resize((size, size)).rotate(angle)
            canvas.alpha_composite(one, (max(int(column - size / 2), 0), max(int(row - size / 2), 0)))
        return np.asarray(canvas.convert("RGB"))

    return {"PIL": pil_route}


def _object_rotation(x, n, p):
    turn = cv2.getRotationMatrix2D(((n - 1) / 2, (n - 1) / 2), p["angle"], 1)
    found = {
        "SciPy =": lambda: ndimage.rotate(x, p["angle"], reshape=False, order=1),
        "OpenCV warpAffine": lambda: cv2.warpAffine(x, turn, (n, n)),
        "PIL": lambda: np.asarray(Image.fromarray(x).rotate(p["angle"], Image.Resampling.BILINEAR)),
    }
    found |= albumentations_routes("Rotate", x, limit=(p["angle"], p["angle"]))
    found |= torchio_routes("RandomAffine", x, scales=(1, 1), degrees=(0, 0, 0, 0, p["angle"], p["angle"]))
    found |= monai_routes("Rotate", x, angle=math.radians(p["angle"]), padding_mode="zeros")
    return found | skimage_routes(lambda s: lambda: s.transform.rotate(x, p["angle"], order=1), "rotate")


def _bias_field(x, n, p):
    coefficients = np.zeros((4, 4))
    coefficients[tuple(zip(*[(i, j) for i in range(4) for j in range(4 - i)], strict=True))] = p["coefficients"]

    def numpy_route():
        axis = np.linspace(-1, 1, n)
        field = np.polynomial.polynomial.polygrid2d(axis, axis, coefficients).T
        field = (field - field.min()) / np.ptp(field)
        field = np.maximum(1 - p["strength"] * (1 - field), p["floor"])
        return to_bytes(x * field[..., None])

    found = {"NumPy =": numpy_route} | torchio_routes("RandomBiasField", x)
    return found | monai_routes("RandBiasField", x, prob=1)


def _ghosting(x, n, p):
    spacing = n // (len(p["weights"]) + 2)

    def numpy_route():
        out = x.astype(float)
        for number, weight in enumerate(p["weights"], 1):
            out[number * spacing :] += weight * x[: -number * spacing]
        return to_bytes(out)

    def opencv_route():
        out = x.astype(np.float32)
        source = out.copy()
        for number, weight in enumerate(p["weights"], 1):
            below = out[number * spacing :]
            cv2.scaleAdd(source[: -number * spacing], weight, below, dst=below)
        return to_bytes(out)

    return {"NumPy =": numpy_route, "OpenCV scaleAdd =": opencv_route} | torchio_routes("RandomGhosting", x)


def _undersampling(x, n, p):
    masks = np.zeros((3, n))
    for channel, lines in enumerate(p["lines"]):
        masks[channel, np.array(lines) % n] = 1

    def numpy_route():
        spectrum = np.fft.fft2(x, axes=(0, 1)) * masks.T
        return to_bytes(np.fft.ifft2(spectrum, axes=(0, 1)).real)

    def scipy_route():
        weights = ((masks + masks[:, -np.arange(n) % n]) / 2)[:, : n // 2 + 1]
        spectrum = fft.rfft(x.astype(float), axis=1) * weights.T
        return to_bytes(fft.irfft(spectrum, n=n, axis=1))

    return {"NumPy fft2 =": numpy_route, "scipy.fft rfft =": scipy_route}


def _object_movement(x, n, p):
    edges = [n // len(p["movements"]) * band for band in range(len(p["movements"]))] + [n]

    def route(forward, back, move):
        return np.stack([composite(x[..., channel], forward, back, move) for channel in range(3)], axis=2)

    def composite(plane, forward, back, move):
        out = np.zeros((n, n), complex)
        for band, (degrees, down, right) in enumerate(p["movements"]):
            spectrum = np.fft.fftshift(forward(move(plane.astype(np.float32), degrees, down, right)))
            out[edges[band] : edges[band + 1]] = spectrum[edges[band] : edges[band + 1]]
        return to_bytes(back(np.fft.ifftshift(out)).real)

    def scipy_move(grey, degrees, down, right):
        turned = ndimage.rotate(grey, degrees, reshape=False, order=1, mode="reflect")
        return ndimage.shift(turned, (down, right), order=1, mode="reflect")

    def opencv_move(grey, degrees, down, right):
        matrix = cv2.getRotationMatrix2D(((n - 1) / 2, (n - 1) / 2), degrees, 1)
        matrix[:, 2] += right, down
        return cv2.warpAffine(grey, matrix, (n, n), borderMode=cv2.BORDER_REFLECT)

    return {
        "SciPy": lambda: route(np.fft.fft2, np.fft.ifft2, scipy_move),
        "OpenCV and scipy.fft": lambda: route(fft.fft2, fft.ifft2, opencv_move),
    } | torchio_routes("RandomMotion", x, num_transforms=4)


def _limited_angle(x, n, p):
    views = round(p["arc"] / p["step"]) + 1
    angles = p["start"] + np.linspace(0, p["arc"], views)
    return astra_routes(x, angles, max(p["distance"], round(p["distance_per_side"] * n)))


def _sparse_view(x, n, p):
    return astra_routes(
        x, np.arange(p["views"]) * 360 / p["views"], max(p["distance"], round(p["distance_per_side"] * n))
    )


def _low_dose(x, n, p):
    rng = np.random.default_rng(0)
    scale = p["attenuation"] / 255

    def noise(sinogram):
        counts = rng.poisson(p["photons"] * np.exp(-scale * sinogram))
        return (-np.log(np.maximum(counts, 1) / p["photons"]) / scale).astype(np.float32)

    distance = max(p["distance"], round(p["distance_per_side"] * n))
    return astra_routes(x, np.arange(p["views"]) * 360 / p["views"], distance, noise)
