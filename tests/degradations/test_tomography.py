"""Projection and reconstruction against closed forms, rays traced one by one, and scikit-image."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage
from skimage.transform import iradon, radon

from medqdeg.degradations.tomography import back_projection, geometry, parallel_beams, projection, scanning


def blobs(side: int, seed: int = 0) -> np.ndarray:
    """A smooth picture with nothing near the border, 0..255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side - 0.5
    picture = np.zeros((side, side))
    for _ in range(8):
        cy, cx = rng.uniform(-0.22, 0.22, 2)
        picture += rng.uniform(20, 80) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / rng.uniform(0.002, 0.01))
    return picture.astype(np.float32)


def disc(side: int, radius: float, centre: tuple[float, float], value: float = 100.0) -> np.ndarray:
    """A disc with anti-aliased edge; centre is (x, y) from the image's centre."""
    fine = 8
    position = (np.arange(side * fine) + 0.5) / fine - side / 2
    inside = (position[None, :] - centre[0]) ** 2 + (position[:, None] - centre[1]) ** 2 < radius**2
    return (value * inside.reshape(side, fine, side, fine).mean(axis=(1, 3))).astype(np.float32)


def trace(angle: float, u: float, distance: float | None) -> tuple[np.ndarray, np.ndarray]:
    """A point of the ray and its unit direction, (x, y) from the centre."""
    b = np.radians(angle)
    e_x, e_y = np.array([np.cos(b), np.sin(b)]), np.array([-np.sin(b), np.cos(b)])
    direction = e_y if distance is None else u * e_x + distance * e_y
    return u * e_x, direction / np.hypot(*direction)


def joseph_ray_by_ray(image, angles, detectors, distance):
    """Joseph's method as written in the paper: one ray, one row at a time."""
    side = image.shape[0]
    centre = (side - 1) / 2
    sinogram = np.zeros((len(angles), detectors))
    for view, angle in enumerate(angles):
        for cell in range(detectors):
            point, direction = trace(angle, cell - (detectors - 1) / 2, distance)
            lines, main = (image, 1) if abs(direction[1]) >= abs(direction[0]) else (image.T, 0)
            for index, line in enumerate(lines):
                t = (index - centre - point[main]) / direction[main]
                across = point[1 - main] + t * direction[1 - main] + centre
                sinogram[view, cell] += np.interp(
                    across, np.arange(-1, side + 1), [0, *line, 0], left=0, right=0
                ) / abs(direction[main])
    return sinogram


ANGLES = [0.0, 17.0, 45.0, 62.5, 90.0, 133.0, 180.0, 251.3, 270.0, 345.0, 17.0]


@pytest.mark.parametrize("distance", [60, None])
def test_projection_is_joseph_ray_by_ray(distance):
    image = np.random.default_rng(1).uniform(0, 255, (24, 24)).astype(np.float32)
    ours = projection.project(image, ANGLES, detectors=41, source_distance=distance)
    theirs = joseph_ray_by_ray(image, ANGLES, 41, distance)
    # OpenCV before 4.11 rounds positions to 1/32 px.
    np.testing.assert_allclose(ours, theirs, atol=0.02 * theirs.max())
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 2e-3 * theirs.max()


@pytest.mark.parametrize("distance", [150, None])
def test_projection_is_the_integral_along_the_ray(distance):
    """Densely sampled rays through a smooth picture."""
    image = blobs(64)
    ours = projection.project(image, ANGLES, detectors=91, source_distance=distance)
    t = np.arange(-60, 60, 0.05)
    for view, angle in enumerate(ANGLES):
        for cell in range(0, 91, 5):
            point, direction = trace(angle, cell - 45.0, distance)
            x, y = point[:, None] + direction[:, None] * t + 31.5
            along = ndimage.map_coordinates(image, [y, x], order=3, mode="constant")
            assert ours[view, cell] == pytest.approx(along.sum() * 0.05, rel=0.01, abs=20)


@pytest.mark.parametrize("distance", [200, None])
def test_projection_of_a_disc_is_its_chord(distance):
    radius, centre = 30.0, np.array([11.0, -17.0])
    angles = np.arange(0, 360, 7.5)
    ours = projection.project(disc(128, radius, tuple(centre)), angles, detectors=181, source_distance=distance)
    for view, angle in enumerate(angles):
        for cell in range(181):
            point, direction = trace(angle, cell - 90.0, distance)
            to_centre = centre - point
            miss = abs(to_centre[0] * direction[1] - to_centre[1] * direction[0])
            chord = 100 * 2 * np.sqrt(max(radius**2 - miss**2, 0))
            near_edge = abs(miss - radius) < 1.5  # where the chord is steeper than a pixel can follow
            assert ours[view, cell] == pytest.approx(chord, abs=900 if near_edge else 100)


@pytest.mark.parametrize("distance", [200, None])
def test_full_scan_gives_the_disc_back(distance):
    image = disc(128, 30.0, (5.0, -8.0))
    angles = geometry.full_scan(360, distance)
    ours = scanning.scan_and_reconstruct(image, angles, distance=distance)
    inside = ndimage.binary_erosion(image == 100, iterations=3)
    outside = ndimage.binary_erosion(image == 0, iterations=3)
    # The authors' fan weights are not the exact ones: a slow shading of a few percent.
    assert ours[inside].mean() == pytest.approx(100, abs=4 if distance else 0.5)
    assert np.abs(ours[outside]).mean() < (3 if distance else 0.5)


@pytest.mark.parametrize("views", [180, 45])
def test_parallel_beam_is_scikit_images(views):
    side = 127  # odd: they turn about pixel n // 2, we about the centre (n - 1) / 2
    image = blobs(side) + disc(side, 20.0, (9.0, 4.0))
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    image *= np.hypot(x, y) < side / 2 - 2
    angles = -np.arange(views) * 180 / views
    sinogram = radon(image, -angles, circle=True)  # they turn the image, we turn the rays
    ours = projection.project(image, angles, detectors=side, source_distance=None)
    assert np.corrcoef(ours.ravel(), sinogram.T.ravel())[0, 1] > 0.9999
    assert np.abs(ours - sinogram.T).mean() < 2e-3 * ours.max()
    theirs = iradon(sinogram, -angles, circle=True)
    field = np.hypot(x, y) < side / 2 - 2
    ray_driven = back_projection.fbp(ours, angles, side=side, source_distance=None)
    assert psnr(ray_driven[field], theirs[field]) > 55
    assert psnr(parallel_beams.parallel_fbp(image, angles)[field], theirs[field]) > 45


def psnr(one: np.ndarray, other: np.ndarray) -> float:
    return 10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2))


@pytest.mark.parametrize("shape", [(64, 64), (40, 97), (97, 40), (17, 23), (30, 1), (1, 30), (1, 1)])
def test_parallel_fbp_agrees_with_projecting_and_back_projecting(shape):
    square = blobs(max(shape), seed=3)
    image = np.ascontiguousarray(square[: shape[0], : shape[1]])
    angles = geometry.equal_angles(10.0, 100.0, 51, endpoint=True)
    detectors = 2 * max(shape) + 3
    sinogram = projection.project(image, angles, detectors=detectors, source_distance=None)
    ray_driven = back_projection.fbp(sinogram, angles, side=shape, source_distance=None)
    ours = parallel_beams.parallel_fbp(image, angles)
    assert ours.shape == shape
    assert ours.dtype == np.float32
    assert psnr(ours, ray_driven) > 34


@pytest.mark.parametrize("distance", [None, 90])
@pytest.mark.parametrize("shape", [(64, 16), (15, 65), (3, 61), (50, 58), (63, 1)])
def test_an_elongated_image_is_a_square_one_with_air_around(shape, distance):
    image = blobs(65, seed=3)[: shape[0], : shape[1]].copy()
    side = max(shape)  # an even number of pixels more in both directions, so that both have the same centre
    top, left = (side - shape[0]) // 2, (side - shape[1]) // 2
    square = np.zeros((side, side), np.float32)
    square[top : top + shape[0], left : left + shape[1]] = image
    angles = geometry.equal_angles(7.0, 360.0, 50, endpoint=True)
    ours = projection.project(image, angles, detectors=95, source_distance=distance)
    padded = projection.project(square, angles, detectors=95, source_distance=distance)
    np.testing.assert_allclose(ours, padded, atol=2e-3 * max(float(padded.max()), 1))
    back = back_projection.fbp(ours, angles, side=shape, source_distance=distance)
    assert back.shape == shape
    whole = back_projection.fbp(padded, angles, side=side, source_distance=distance)
    window = whole[top : top + shape[0], left : left + shape[1]]
    np.testing.assert_allclose(back, window, atol=0.02 * float(np.abs(window).max()) + 1e-3)


def test_a_large_image_is_back_projected_in_parts_to_the_same_bytes(monkeypatch):
    angles = geometry.equal_angles(0.0, 360.0, 20, endpoint=False)
    sinogram = np.random.default_rng(0).normal(size=(20, 80)).astype(np.float32)
    whole = back_projection.backproject(sinogram, angles, side=60, source_distance=80)
    monkeypatch.setattr(back_projection, "_LARGE_BYTES", 0)
    np.testing.assert_array_equal(back_projection.backproject(sinogram, angles, side=60, source_distance=80), whole)


def test_time_goes_with_the_pixels_of_an_elongated_image():
    """Counted in samples of the image, as a clock depends on the machine."""
    counted = []
    real = projection.cv2.remap

    def counting(stack, across, along, interpolation):
        counted.append(across.size)
        return real(stack, across, along, interpolation)

    angles = geometry.full_scan(90, 2068)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection.cv2, "remap", counting)
        projection.project(np.ones((16, 2000), np.float32), angles, detectors=2068, source_distance=2068)
    # A square of that side would take 23 batches of views x 2068 rays x 2000 rows.
    assert sum(counted) < 0.06 * 23 * 2068 * 2000


def test_parallel_fbp_does_not_wrap_round():
    """More air around the image changes nothing inside it."""
    image = np.random.default_rng(0).uniform(0, 255, (30, 41)).astype(np.float32)
    angles = geometry.full_scan(12, None)
    wide = np.zeros((90, 123), np.float32)
    wide[30:60, 41:82] = image
    expected = parallel_beams.parallel_fbp(wide, angles)[30:60, 41:82]
    np.testing.assert_allclose(parallel_beams.parallel_fbp(image, angles), expected, atol=0.02)


def test_symmetric_views_share_nothing_but_time():
    """Views computed together as channels are the views computed one by one."""
    image = np.random.default_rng(2).uniform(0, 255, (33, 33)).astype(np.float32)
    angles = geometry.equal_angles(330.0, 180.0, 73, endpoint=True)
    together = projection.project(image, angles, detectors=45, source_distance=50)
    alone = np.concatenate([projection.project(image, [a], detectors=45, source_distance=50) for a in angles])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=0.5)
    sum_of_views = sum(
        back_projection.backproject(row[None], [a], side=33, source_distance=50)
        for row, a in zip(alone, angles, strict=True)
    )
    back = back_projection.backproject(alone, angles, side=33, source_distance=50)
    np.testing.assert_allclose(back, sum_of_views, rtol=1e-4)


@pytest.mark.parametrize("distance", [90, None])
def test_back_projection_pixel_by_pixel(distance):
    rng = np.random.default_rng(4)
    side, detectors = 31, 40  # too short a detector: zero outside
    angles = [3.0, 45.0, 101.0, 280.0]
    sinogram = rng.uniform(0, 1, (4, detectors)).astype(np.float32)
    expected = np.zeros((side, side))
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    for angle, row in zip(np.radians(angles), sinogram, strict=True):
        across, depth = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
        weight = 1.0 if distance is None else distance / (distance + depth)
        cell = across * weight + (detectors - 1) / 2
        expected += weight * np.interp(cell, np.arange(-1, detectors + 1), [0, *row, 0], left=0, right=0)
    ours = back_projection.backproject(sinogram, angles, side=side, source_distance=distance)
    np.testing.assert_allclose(ours, expected, atol=0.08)
    assert np.abs(ours - expected).mean() < 0.02


def test_ramp_is_the_absolute_frequency():
    """A wave comes out scaled by |f|, away from the ends of the detector."""
    t = np.arange(2001)
    for frequency in (0.02, 0.1, 0.3):
        wave = np.cos(2 * np.pi * frequency * t)[None]
        filtered = back_projection.filter_ramp(wave)[0, 900:1100]
        np.testing.assert_allclose(filtered, frequency * wave[0, 900:1100], atol=2e-3)


def test_same_bytes_in_another_process_and_thread_count():
    script = (
        "import sys, hashlib, numpy as np, cv2\n"
        "cv2.setNumThreads(int(sys.argv[1]))\n"
        "from medqdeg.degradations.tomography.geometry import full_scan\n"
        "from medqdeg.degradations.tomography.parallel_beams import parallel_fbp\n"
        "from medqdeg.degradations.tomography.scanning import scan_and_reconstruct\n"
        "x = np.random.default_rng(0).uniform(0, 255, (200, 200)).astype('float32')\n"
        "out = scan_and_reconstruct(x, full_scan(20, 300), distance=300)\n"
        "par = parallel_fbp(x, full_scan(20, None))\n"
        "print(hashlib.sha256(out.tobytes() + par.tobytes()).hexdigest())\n"
    )
    image = np.random.default_rng(0).uniform(0, 255, (200, 200)).astype(np.float32)
    fan = scanning.scan_and_reconstruct(image, geometry.full_scan(20, 300), distance=300)
    parallel = parallel_beams.parallel_fbp(image, geometry.full_scan(20, None))
    here = hashlib.sha256(fan.tobytes() + parallel.tobytes()).hexdigest()
    for threads in ("1", "4"):
        run = subprocess.run([sys.executable, "-c", script, threads], capture_output=True, text=True, check=True)
        assert run.stdout.strip() == here


def test_input_is_not_changed():
    image = blobs(40)
    before = image.copy()
    scanning.scan_and_reconstruct(image, [0.0, 30.0], distance=60)
    parallel_beams.parallel_fbp(image, [0.0, 30.0])
    np.testing.assert_array_equal(image, before)


def test_errors_say_what_is_wrong():
    square = np.zeros((40, 40), np.float32)
    with pytest.raises(ValueError, match="half the image's diagonal"):
        projection.project(square, [0.0], detectors=40, source_distance=25)
    with pytest.raises(ValueError, match="wider than 90 degrees"):
        projection.project(square, [0.0], detectors=200, source_distance=50)
    with pytest.raises(ValueError, match="views must be at least 1"):
        geometry.full_scan(0, 672)
    with pytest.raises(ValueError, match="2 views but there are 1"):
        back_projection.backproject(np.zeros((2, 5), np.float32), [0.0], side=4, source_distance=None)
    with pytest.raises(ValueError, match="non-empty"):
        parallel_beams.parallel_fbp(np.zeros((0, 4), np.float32), [0.0])
    with pytest.raises(ValueError, match='"fan" or "parallel"'):
        geometry.source_distance("cone", (4, 4), 672, 1.5)
